//! `hallpass`: sign in, know who, hand out tokens, sign out.
//!
//! Output policy: stdout carries the asked value and nothing else; all talk goes to stderr. Every command
//! ends in [`report`] on failure, which alone decides message, hint and exit code.

#![cfg_attr(all(not(test), target_os = "linux", target_env = "gnu"), no_main)]

mod args;
mod browser;
mod commands;
#[cfg(all(not(test), target_os = "linux", target_env = "gnu"))]
mod entrance;
mod env_file;
mod exit_code;
mod failure;
mod json;
mod json_ui;
mod keychain;
mod log_to_stderr;
mod login_plan;
mod login_profile;
mod profile_http;
mod profiles;
mod qr_code;
mod report;
mod say;
mod screen;
mod settings;
mod signals;
mod sources;

use args::{Cli, Command};
use exit_code::ExitCode;
use failure::Failure;
use report::Form;

#[cfg(not(all(not(test), target_os = "linux", target_env = "gnu")))]
fn main() {
    std::process::exit(begin().into());
}

fn begin() -> ExitCode {
    let cli = Cli::of_process();
    say::init(cli.common.quiet);
    if cli.common.verbose > 0 {
        log_to_stderr::init();
    }
    let code = end(&cli, run(&cli));
    match &cli.command {
        Command::Exec(_) => ExitCode::from(commands::exec::NOT_STARTED),
        _ => code,
    }
}

/// Tells how it ended.
fn end(cli: &Cli, outcome: Result<ExitCode, Failure>) -> ExitCode {
    match (outcome, signals::first()) {
        (Ok(code), None) => code,
        (Ok(_), Some(signal)) => ExitCode::from(report::describe(&Failure::Signal(signal)).code),
        (Err(failure), Some(signal)) => report::interrupted(signal, &failure, form(cli)),
        (Err(failure), None) => {
            report::report(&failure, form(cli), profiles::named(&cli.common).ok().flatten().as_deref())
        }
    }
}

fn form(cli: &Cli) -> Form {
    match cli.command {
        _ if !cli.common.json => Form::Words,
        Command::Login(_) | Command::Demo(_) => Form::Event,
        _ => Form::Json,
    }
}

fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Login(args) => commands::login::run(common, args),
        Command::Whoami(args) => commands::whoami::run(common, args),
        Command::Token(args) => commands::token::run(common, args),
        Command::Logout(args) => commands::logout::run(common, args),
        Command::Status(args) => commands::status::run(common, args),
        Command::Profiles(args) => commands::profiles::run(common, args),
        Command::Dev(args) => commands::dev::run(common, args),
        Command::Demo(args) => commands::demo::run(common, args),
        Command::Exec(args) => commands::exec::run(common, args),
        Command::Doctor(args) => commands::doctor::run(common, args),
        Command::Completions(args) => commands::completions::run(args),
    }
}
