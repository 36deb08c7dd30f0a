//! `hallpass exec`

use std::io;
use std::process::Command;

use hallpass::Secret;

use crate::args::{Common, Exec};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::override_token;
use crate::settings::stored::stored_pass;
use crate::system::signals;

/// Variables with secrets that only this command needs.
const SECRET_VARIABLES: [&str; 2] = [override_token::NAME, "HALLPASS_CLIENT_SECRET"];

/// Replaces this process by the program; returns only if that fails.
pub(crate) fn run(common: &Common, args: &Exec) -> Result<ExitCode, Failure> {
    check_variable(&args.env)?;
    let token = token(common, args)?;
    if let Some(signal) = signals::first() {
        return Err(Failure::Signal(signal));
    }
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(Failure::usage("no program to run", "name it: hallpass exec -- CMD"));
    };
    let mut command = Command::new(program);
    for name in SECRET_VARIABLES {
        command.env_remove(name);
    }
    command.args(arguments).env(&args.env, token.expose());
    let cause = replace_process(command);
    Err(Failure::usage(
        format!("cannot start {}: {cause}", program.to_string_lossy()),
        "check the path, and that the file is executable",
    ))
}

/// Checks the name of the variable. Those that start with `HALLPASS_` are refused: the next call would take the token
/// for a setting.
fn check_variable(name: &str) -> Result<(), Failure> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_allowed) {
        return Err(Failure::usage(
            format!("invalid variable name \"{name}\""),
            "use letters, digits and _, for example: --env API_TOKEN",
        ));
    }
    if name.to_ascii_uppercase().starts_with("HALLPASS_") {
        return Err(Failure::usage(
            format!("the variable name {name} is reserved for hallpass"),
            "choose another one, for example: --env API_TOKEN",
        ));
    }
    Ok(())
}

fn token(common: &Common, args: &Exec) -> Result<Secret, Failure> {
    if let Some(token) = override_token::get(common)? {
        return Ok(token);
    }
    let token = stored_pass(common, &args.server)?.access_token()?;
    for note in token.notes() {
        say::note(note);
    }
    Ok(token.secret().clone())
}

/// Replaces this process; returns why that failed.
#[cfg(unix)]
fn replace_process(mut command: Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(&mut command)
}

/// Runs the program, since this system cannot replace a process, and exits with its code; returns why it did not start.
#[cfg(not(unix))]
fn replace_process(mut command: Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(cause) => cause,
    }
}
