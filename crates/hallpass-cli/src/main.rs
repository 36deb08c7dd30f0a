//! `hallpass`: sign in, know who, hand out tokens, sign out.
//!
//! Output policy: stdout carries the asked value and nothing else; all talk goes to stderr. Every command
//! ends in a [`Report`] on failure, which alone decides message, hint and exit code.
//!
//! Each room uses only those below it:
//! `main` → `usage` → `commands` → `settings` → `system` → `output` → `args` → `failure` → `exit_code`.

#![cfg_attr(all(not(test), target_os = "linux", target_env = "gnu"), no_main)]

mod args;
mod commands;
mod exit_code;
mod failure;
mod output;
mod settings;
mod system;
mod usage;

use args::{Cli, Command};
use exit_code::ExitCode;
use failure::Failure;
use output::report::{self, Form, Report};
use output::{log_to_stderr, say};
use settings::login_command::login_command;
use settings::profiles;
use system::signals;

/// The system's entrance; `std` has the arguments by itself.
#[cfg(all(not(test), target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the name that the system calls")]
#[unsafe(no_mangle)]
extern "C" fn main(_count: std::ffi::c_int, _arguments: *const *const std::ffi::c_char) -> std::ffi::c_int {
    system::entrance::enter(begin)
}

#[cfg(not(all(not(test), target_os = "linux", target_env = "gnu")))]
fn main() {
    std::process::exit(begin().into());
}

fn begin() -> ExitCode {
    let cli = usage::read();
    say::init(cli.common.quiet);
    if cli.common.verbose > 0 {
        log_to_stderr::init();
    }
    let code = end(&cli, run(&cli));
    match &cli.command {
        Command::Exec(_) => ExitCode::NOT_STARTED,
        _ => code,
    }
}

/// Tells how it ended.
fn end(cli: &Cli, outcome: Result<ExitCode, Failure>) -> ExitCode {
    let login = || login_command(profiles::named(&cli.common).ok().flatten().as_deref());
    match (outcome, signals::first()) {
        (Ok(code), None) => code,
        (Ok(_), Some(signal)) => report::exit_code(&Failure::Signal(signal)),
        (Err(failure), Some(signal)) => report::interrupted(signal, &failure, form(cli), &login()),
        (Err(failure), None) => Report::new(&failure, &login()).tell(form(cli)),
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
