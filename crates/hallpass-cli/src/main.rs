//! The `hallpass` command: signs in, prints tokens, shows who is signed in, signs out.
//!
//! stdout carries only the value that was asked for; everything else goes to stderr. Every failure becomes a
//! [`Report`], which alone decides message, hint and exit code.
//!
//! Modules use only what is below them:
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

/// The C entry point; `std` finds the arguments by itself.
#[cfg(all(not(test), target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C runtime calls this name")]
#[unsafe(no_mangle)]
extern "C" fn main(_count: std::ffi::c_int, _arguments: *const *const std::ffi::c_char) -> std::ffi::c_int {
    system::entrance::enter(run)
}

#[cfg(not(all(not(test), target_os = "linux", target_env = "gnu")))]
fn main() {
    std::process::exit(run().into());
}

fn run() -> ExitCode {
    let cli = usage::parse();
    say::init(cli.common.quiet);
    if cli.common.verbose > 0 {
        log_to_stderr::init();
    }
    let code = finish(&cli, run_command(&cli));
    match &cli.command {
        // `exec` comes back only if the program was not started.
        Command::Exec(_) => ExitCode::NOT_STARTED,
        _ => code,
    }
}

fn run_command(cli: &Cli) -> Result<ExitCode, Failure> {
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

/// Reports a failure or a signal, and returns the exit code.
fn finish(cli: &Cli, outcome: Result<ExitCode, Failure>) -> ExitCode {
    let login_command = || login_command(profiles::named(&cli.common).ok().flatten().as_deref());
    match (outcome, signals::first()) {
        (Ok(code), None) => code,
        (Ok(_), Some(signal)) => report::exit_code(&Failure::Signal(signal)),
        (Err(failure), Some(signal)) => report::interrupted(signal, &failure, form(cli), &login_command()),
        (Err(failure), None) => Report::new(&failure, &login_command()).print(form(cli)),
    }
}

fn form(cli: &Cli) -> Form {
    match cli.command {
        _ if !cli.common.json => Form::Text,
        Command::Login(_) | Command::Demo(_) => Form::Event,
        _ => Form::Json,
    }
}
