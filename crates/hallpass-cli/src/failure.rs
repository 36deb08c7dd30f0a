//! Why a command failed.

use std::fmt;
use std::path::Path;

/// An error of the library or of the command itself.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the library.
    Library(hallpass::Error),
    /// A wrong setting or argument, with what to do about it.
    Usage { message: String, hint: String },
    /// A settings file that cannot be read or written.
    Settings { code: u8, message: String, hint: &'static str },
    /// The server rejected the access token in this variable.
    TokenRejected { variable: &'static str },
    /// Stopped by a signal.
    Signal(i32),
    /// Cancelled before anything was changed.
    CancelledUnchanged,
    /// A failure of the demo, the development server or the operating system.
    Unexpected(String),
}

/// The step that failed on a settings file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileAction {
    Read,
    Parse,
    Write,
    Remove,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::Usage { message: message.into(), hint: hint.into() }
    }

    /// A settings file that cannot be used, with its cause.
    pub(crate) fn settings(action: FileAction, path: &Path, cause: &dyn fmt::Display) -> Failure {
        const UNWRITABLE: &str = "make the directory writable, or choose another one: XDG_CONFIG_HOME=/path";
        let (code, verb, hint) = match action {
            FileAction::Read => (2, "read", "check the path and its permissions"),
            FileAction::Parse => (2, "parse", "correct the file, or remove it"),
            FileAction::Write => (8, "write", UNWRITABLE),
            FileAction::Remove => (8, "remove", UNWRITABLE),
        };
        Failure::Settings { code, message: format!("cannot {verb} {}: {cause}", path.display()), hint }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Library(error) => error.fmt(f),
            Failure::Usage { message, .. }
            | Failure::Settings { message, .. }
            | Failure::Unexpected(message) => f.write_str(message),
            Failure::TokenRejected { variable } => write!(f, "the server rejected the token in {variable}"),
            Failure::Signal(_) | Failure::CancelledUnchanged => f.write_str("cancelled"),
        }
    }
}

impl From<hallpass::Error> for Failure {
    fn from(error: hallpass::Error) -> Failure {
        Failure::Library(error)
    }
}

impl From<hallpass::error::StoreError> for Failure {
    fn from(error: hallpass::error::StoreError) -> Failure {
        Failure::Library(error.into())
    }
}
