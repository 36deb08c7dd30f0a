//! The one place that writes: values to stdout, talk to stderr.

use std::io::{self, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};

static QUIET: OnceLock<bool> = OnceLock::new();

/// Decides once whether remarks are wanted.
pub(crate) fn init(quiet: bool) {
    let _ = QUIET.set(quiet);
}

/// Whether only errors are wanted.
pub(crate) fn is_quiet() -> bool {
    QUIET.get().copied().unwrap_or_default()
}

/// A value that was asked for. A reader that went away (`| head`) is no error; a full disk ends the command, or a
/// script would take an empty file for a token.
pub(crate) fn value(text: &str) {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            error(&format!("the answer could not be written: {cause}"), Some("see where stdout goes"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// A line for the person.
pub(crate) fn talk(text: &str) {
    if !is_quiet() {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// A line for the person while another thread shows the time that is left: it takes that line's place.
pub(crate) fn over_status(text: &str) {
    talk(&format!("\r\u{1b}[K{text}"));
}

/// Something that worked, for the person.
pub(crate) fn success(text: &str) {
    const GREEN: Style = AnsiColor::Green.on_default();
    talk(&format!("{GREEN}{text}{GREEN:#}"));
}

/// A verb and what it did, in two columns.
pub(crate) fn step(verb: &str, text: &str) {
    const BLUE: Style = AnsiColor::Blue.on_default();
    talk(&format!("{BLUE}{verb:<8}{BLUE:#} {text}"));
}

/// A remark that does not change the outcome.
pub(crate) fn note(text: &str) {
    talk(&format!("Note: {text}"));
}

/// What went wrong, and what to do next.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    const RED: Style = AnsiColor::Red.on_default().bold();
    const BOLD: Style = Style::new().bold();
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{RED}error:{RED:#} {message}");
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "{BOLD}hint:{BOLD:#} {hint}");
    }
}
