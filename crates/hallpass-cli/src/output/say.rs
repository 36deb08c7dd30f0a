//! Prints values to stdout and messages to stderr; nothing else writes to either.

use std::io::{self, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};

static QUIET: OnceLock<bool> = OnceLock::new();

/// Applies `--quiet`.
pub(crate) fn init(quiet: bool) {
    let _ = QUIET.set(quiet);
}

/// Prints a value to stdout. A closed pipe (`| head`) is no error. Any other failure ends the command, so that a
/// script never takes a truncated file for a token.
pub(crate) fn value(text: &str) {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            error(&format!("cannot write to stdout: {cause}"), Some("check where stdout is redirected to"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// Prints a message, unless `--quiet` is given.
pub(crate) fn message(text: &str) {
    if QUIET.get() != Some(&true) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// Prints a message over the live status line of a terminal.
pub(crate) fn over_status(text: &str) {
    message(&format!("\r\u{1b}[K{text}"));
}

/// Prints a success message.
pub(crate) fn success(text: &str) {
    const GREEN: Style = AnsiColor::Green.on_default();
    message(&format!("{GREEN}{text}{GREEN:#}"));
}

/// Prints a command's name and what it did, in two columns.
pub(crate) fn step(verb: &str, text: &str) {
    const BLUE: Style = AnsiColor::Blue.on_default();
    message(&format!("{BLUE}{verb:<8}{BLUE:#} {text}"));
}

/// Prints a note about something that does not change the outcome.
pub(crate) fn note(text: &str) {
    message(&format!("Note: {text}"));
}

/// Prints an error and what to do about it, even with `--quiet`.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    const RED: Style = AnsiColor::Red.on_default().bold();
    const BOLD: Style = Style::new().bold();
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{RED}error:{RED:#} {message}");
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "{BOLD}hint:{BOLD:#} {hint}");
    }
}
