//! Measures the figures that the project promises and prints them as one Markdown table.
//!
//! `cargo run --release -p hallpass-benchmarks [-- [--quick] [GROUP…]]`. What each row means and how the world
//! around it is imitated is told in the README.md beside this package.

// This program exists to print: the table to stdout, what it is doing to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cached;
mod far;
mod footprint;
mod helper;
mod herd;
mod home;
mod logins;
mod programs;
mod provider;
mod race;
mod refresh;
mod sealed;
mod stats;
mod swarm;
mod system_calls;
mod table;
mod tls;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use programs::Programs;
use table::Row;

/// Whatever stops a measurement ends the run: half a table would be taken for a whole one.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

type Measure = fn(&Settings, &Programs) -> Outcome<Vec<Row>>;

/// In this order; the last group leaves threads behind that search for RSA keys.
const GROUPS: [(&str, Measure); 8] = [
    ("cached", cached::measure),
    ("sealed", sealed::measure),
    ("system_calls", system_calls::measure),
    ("logins", logins::measure),
    ("refresh", refresh::measure),
    ("herd", herd::measure),
    ("swarm", swarm::measure),
    ("footprint", footprint::measure),
];

/// What the command line asks for.
struct Settings {
    quick: bool,
    groups: Vec<String>,
}

impl Settings {
    fn wants(&self, group: &str) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|wanted| wanted == group)
    }

    /// The static build takes minutes, and three groups measure it.
    fn wants_static(&self) -> bool {
        !self.quick && ["cached", "system_calls", "footprint"].iter().any(|group| self.wants(group))
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match helper::mode(&args) {
        Some(done) => done,
        None => settings(args).and_then(|settings| run(&settings)).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn settings(args: Vec<String>) -> Outcome<Settings> {
    let (options, groups): (Vec<String>, Vec<String>) =
        args.into_iter().partition(|arg| arg.starts_with('-'));
    let names = GROUPS.map(|(name, _)| name);
    let unknown_option = options.iter().find(|option| *option != "--quick");
    let unknown_group = groups.iter().find(|group| !names.contains(&group.as_str()));
    match unknown_option.or(unknown_group) {
        Some(unknown) => {
            Err(format!("{unknown}: usage: hallpass-benchmarks [--quick] [{}]", names.join("|")).into())
        }
        None => Ok(Settings { quick: !options.is_empty(), groups }),
    }
}

fn run(settings: &Settings) -> Outcome {
    let programs = Programs::build(settings.wants_static())?;
    let before = load();
    let mut rows = Vec::new();
    for (name, measure) in GROUPS {
        if settings.wants(name) {
            eprintln!("measuring: {name}");
            rows.extend(measure(settings, &programs)?);
        }
    }
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores; load {before} before, {} after.\n", load());
    print!("{}", table::markdown(&rows));
    Ok(())
}

/// The load of the last minute, which tells how far to trust the figures.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
