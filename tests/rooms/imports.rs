//! The imports between the files of one crate.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

/// A file, by the path of its module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Module {
    crate_name: String,
    path: Vec<String>,
}

impl Module {
    /// The file or folder at the root of the crate that the module lies in.
    pub(crate) fn room(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.crate_name)?;
        self.path.iter().try_for_each(|part| write!(f, "::{part}"))
    }
}

/// The modules of one crate and what each imports.
pub(crate) struct Crate {
    files: Vec<(Module, String)>,
    imports: BTreeSet<(Module, Module)>,
}

impl Crate {
    /// Reads the sources of a crate of this workspace. Tests inside them do not count.
    pub(crate) fn read(package: &str) -> Crate {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("src");
        let mut source = Crate { files: Vec::new(), imports: BTreeSet::new() };
        source.collect(&src, &package.replace('-', "_"), &[]);
        source.imports =
            source.files.iter().flat_map(|(module, text)| source.imports_of(module, text)).collect();
        assert!(!source.imports.is_empty(), "no imports found in {}", src.display());
        source
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.files.iter().map(|(module, _)| module)
    }

    pub(crate) fn imports(&self) -> impl Iterator<Item = (&Module, &Module)> {
        self.imports.iter().map(|(from, to)| (from, to))
    }

    fn collect(&mut self, dir: &Path, crate_name: &str, parents: &[String]) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut module = parents.to_vec();
            if path.is_dir() {
                module.push(name);
                self.collect(&path, crate_name, &module);
            } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" {
                if !["lib", "main", "mod"].contains(&name.as_str()) {
                    module.push(name);
                }
                let text = code(&fs::read_to_string(&path).unwrap());
                self.files.push((Module { crate_name: crate_name.to_owned(), path: module }, text));
            }
        }
    }

    fn imports_of(&self, module: &Module, text: &str) -> Vec<(Module, Module)> {
        let mut found = Vec::new();
        for path in paths(text) {
            let mut absolute = match path[0].as_str() {
                "crate" => Vec::new(),
                "super" => module.path[..module.path.len().saturating_sub(1)].to_vec(),
                _ => module.path.clone(),
            };
            for part in path.iter().skip(usize::from(path[0] == "crate" || path[0] == "super")) {
                if part == "super" {
                    absolute.pop();
                } else if part != "self" {
                    absolute.push(part.clone());
                }
            }
            let is_child = !["crate", "super"].contains(&path[0].as_str());
            if let Some(target) = self.longest(&absolute)
                && target != module
                && !(is_child && target.path.len() <= module.path.len())
            {
                found.push((module.clone(), target.clone()));
            }
        }
        found
    }

    /// The deepest module that a path goes through.
    fn longest(&self, path: &[String]) -> Option<&Module> {
        (1..=path.len()).rev().find_map(|length| self.modules().find(|module| module.path == path[..length]))
    }
}

/// The text without comments, string literals' quotes aside, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every path in the code, `use` trees spelled out. Re-exports are left out: a room may show what its files hold.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("use ") {
        let (before, after) = rest.split_at(start);
        inline_paths(before, &mut found);
        let (tree, behind) = after["use ".len()..].split_once(';').unwrap_or((after, ""));
        let is_export = before.rsplit('\n').next().unwrap().trim_start().starts_with("pub");
        if !is_export || tree.starts_with("crate") || tree.starts_with("super") {
            leaves(tree, &mut Vec::new(), &mut found);
        }
        rest = behind;
    }
    inline_paths(rest, &mut found);
    found
}

/// Paths outside of `use`: `crate::a::b`, `super::c`, `child::function`.
fn inline_paths(text: &str, found: &mut Vec<Vec<String>>) {
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        let parts: Vec<String> =
            word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if parts.len() > 1 && !word.starts_with(':') {
            found.push(parts);
        }
    }
}

/// Spells out a `use` tree: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn leaves(tree: &str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let depth = prefix.len();
    let (head, group) = match tree.split_once('{') {
        Some((head, group)) => (head, Some(group.trim_end().trim_end_matches('}'))),
        None => (tree.split(" as ").next().unwrap(), None),
    };
    prefix.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
    match group {
        Some(group) => split_at_commas(group).into_iter().for_each(|part| leaves(part, prefix, found)),
        None => found.push(prefix.clone()),
    }
    prefix.truncate(depth);
}

fn split_at_commas(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}
