//! `hallpass exec`

use std::ffi::OsString;
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

/// Secrets of this command that are nobody else's.
const OURS: [&str; 2] = [override_token::NAME, "HALLPASS_CLIENT_SECRET"];

/// Becomes the program.
pub(crate) fn run(common: &Common, args: &Exec) -> Result<ExitCode, Failure> {
    check_name(&args.env)?;
    let token = token(common, args)?;
    if let Some(signal) = signals::first() {
        return Err(Failure::Signal(signal));
    }
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(Failure::usage("no program", "name one: hallpass exec -- CMD"));
    };
    let mut command = Command::new(program);
    for name in OURS {
        command.env_remove(name);
    }
    command.args(arguments).env(&args.env, token.expose());
    Err(not_started(program, &become_it(command)))
}

/// What `HALLPASS_` variables mean is settled; a token in one would be taken for something else by the next call.
fn check_name(name: &str) -> Result<(), Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_plain) {
        return Err(Failure::usage(
            format!("\"{name}\" can be no variable"),
            "letters, digits and _ make a name: --env API_TOKEN",
        ));
    }
    if name.to_ascii_uppercase().starts_with("HALLPASS_") {
        return Err(Failure::usage(
            format!("{name} means something to hallpass itself"),
            "choose another name: --env API_TOKEN",
        ));
    }
    Ok(())
}

fn token(common: &Common, args: &Exec) -> Result<Secret, Failure> {
    if let Some(token) = override_token::get(common)? {
        return Ok(token);
    }
    let token = stored_pass(common, &args.asked)?.access_token()?;
    token.notes().iter().for_each(|note| say::note(note));
    Ok(token.secret().clone())
}

/// Returns only why that cannot be.
#[cfg(unix)]
fn become_it(mut command: Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(&mut command)
}

/// Nothing takes another's place there: it is waited for.
#[cfg(not(unix))]
fn become_it(mut command: Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(cause) => cause,
    }
}

fn not_started(program: &OsString, cause: &io::Error) -> Failure {
    let message = format!("{} cannot be started: {cause}", program.to_string_lossy());
    Failure::usage(message, "check its name, and that it may be run: hallpass exec -- CMD")
}
