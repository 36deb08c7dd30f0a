//! The command line as it was given, and what becomes of a wrong one.

use std::ffi::OsString;

use clap::Parser;

use crate::args::Cli;
use crate::exit_code::ExitCode;
use crate::output::report::{Form, Report};

/// Reads the command line of this process.
pub(crate) fn read() -> Cli {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<Option<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    Cli::frequent(&words).unwrap_or_else(|| Cli::try_parse().unwrap_or_else(|error| refuse(&error, &words)))
}

/// A wrong command line, as clap tells it; as JSON where that was among the words.
fn refuse(error: &clap::Error, words: &[Option<&str>]) -> ! {
    let verb = words.iter().flatten().find(|word| !word.starts_with('-'));
    if error.use_stderr() && verb == Some(&"exec") {
        let _ = error.print(); // where even stderr is gone, the code tells
        std::process::exit(ExitCode::NOT_STARTED.into());
    }
    if error.use_stderr() && words.contains(&Some("--json")) {
        let text = error.to_string();
        let first: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let message = first.join(" ");
        let report = Report::usage(message.trim_start_matches("error: "), "see hallpass --help");
        std::process::exit(report.tell(form_of(verb)).into());
    }
    error.exit()
}

/// As the verb that was meant tells its failures.
fn form_of(verb: Option<&&str>) -> Form {
    match verb {
        Some(&("login" | "demo")) => Form::Event,
        _ => Form::Json,
    }
}
