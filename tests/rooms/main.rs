//! The direction of the code: no file imports from a room above its own, and no files import each other in a circle.
//!
//! ARCHITECTURE.md draws the floors. This test reads them off the `use` lines and paths of the sources.

mod imports;

use std::collections::{BTreeMap, BTreeSet};

use imports::{Crate, Module};

/// The rooms of each crate from the ground up. A room imports only from rooms that stand before it; what is not listed, such
/// as the crate's front page, stands above all.
const FLOORS: [(&str, &[&str]); 3] = [
    (
        "hallpass",
        &[
            "sanitize",
            "secret",
            "crypto",
            "user",
            "error",
            "environment",
            "interrupt",
            "protocol",
            "world",
            "loopback",
            "browser",
            "settings",
            "store",
            "session",
            "ui",
            "flow",
            "pass",
        ],
    ),
    ("hallpass-cli", &["exit_code", "failure", "args", "output", "system", "settings", "commands", "usage"]),
    (
        "hallpass-dev",
        &["listener", "oauth", "user", "config", "event", "state", "pages", "endpoints", "robot", "builder"],
    ),
];

/// A type and its builder may name each other.
const BUILDERS: [&str; 2] = ["hallpass::pass::builder", "hallpass_dev::builder"];

#[test]
fn protocol_imports_nothing_that_does_io() {
    let allowed = ["protocol", "crypto", "error", "sanitize", "secret"];
    let library = Crate::read("hallpass");
    let outside = library.imports().filter(|(from, _)| from.room() == "protocol");
    let wrong: Vec<_> = outside.filter(|(_, to)| !allowed.contains(&to.room())).collect();
    assert!(wrong.is_empty(), "{}", list(&wrong));
}

#[test]
fn no_room_imports_from_one_above_it() {
    for (name, floors) in FLOORS {
        let source = Crate::read(name);
        let floor =
            |module: &Module| floors.iter().position(|room| *room == module.room()).unwrap_or(floors.len());
        let is_exempt = |module: &Module| BUILDERS.contains(&module.to_string().as_str());
        let upwards = source.imports().filter(|(from, to)| floor(from) < floor(to) && !is_exempt(from));
        let wrong: Vec<_> = upwards.collect();
        assert!(wrong.is_empty(), "these run up:\n{}", list(&wrong));
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for (name, _) in FLOORS {
        let source = Crate::read(name);
        let mut edges: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
        for (from, to) in source.imports() {
            if !BUILDERS.contains(&from.to_string().as_str()) {
                edges.entry(from).or_default().insert(to);
            }
        }
        let circles: Vec<String> = source.modules().filter_map(|start| path_back(start, &edges)).collect();
        assert!(circles.is_empty(), "{name}:\n{}", circles.join("\n"));
    }
}

/// The way from a module over its imports back to itself.
fn path_back(start: &Module, edges: &BTreeMap<&Module, BTreeSet<&Module>>) -> Option<String> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut queue = vec![start];
    while let Some(module) = queue.pop() {
        for next in edges.get(module).into_iter().flatten() {
            if *next == start {
                let mut path = format!("{module} → {start}");
                let mut step = module;
                while let Some(before) = came_from.get(step) {
                    path = format!("{before} → {path}");
                    step = before;
                }
                return Some(path);
            }
            if !came_from.contains_key(*next) {
                came_from.insert(next, module);
                queue.push(next);
            }
        }
    }
    None
}

fn list(imports: &[(&Module, &Module)]) -> String {
    imports.iter().map(|(from, to)| format!("{from} → {to}\n")).collect()
}
