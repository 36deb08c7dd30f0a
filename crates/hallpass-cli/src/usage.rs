//! Parses the command line and reports a wrong one.

use std::ffi::OsString;

use clap::Parser;

use crate::args::Cli;
use crate::exit_code::ExitCode;
use crate::output::report::{Form, Report};

/// Parses the command line of this process; exits if it is wrong.
pub(crate) fn parse() -> Cli {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<Option<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    if let Some(cli) = Cli::frequent(&words) {
        return cli;
    }
    Cli::try_parse().unwrap_or_else(|error| exit(&error, &words))
}

/// Prints help, the version or a usage error as clap does; a usage error as JSON if `--json` was given.
fn exit(error: &clap::Error, words: &[Option<&str>]) -> ! {
    let verb = words.iter().flatten().find(|word| !word.starts_with('-')).copied();
    if !error.use_stderr() {
        error.exit();
    }
    if verb == Some("exec") {
        // The exit code has to be right even where stderr is closed.
        let _ = error.print();
        std::process::exit(ExitCode::NOT_STARTED.into());
    }
    if words.contains(&Some("--json")) {
        let form = if matches!(verb, Some("login" | "demo")) { Form::Event } else { Form::Json };
        // The first paragraph of clap's text is the message.
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let message = lines.join(" ");
        let report = Report::usage(message.trim_start_matches("error: "), "see hallpass --help");
        std::process::exit(report.print(form).into());
    }
    error.exit()
}
