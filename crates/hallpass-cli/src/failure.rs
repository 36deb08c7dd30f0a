//! Why a command did not do what it was asked.

use std::fmt;
use std::path::Path;

/// The library's error, or one of the command's own.
#[derive(Debug)]
pub(crate) enum Failure {
    /// From the library.
    Library(hallpass::Error),
    /// A wrong setting or use, with what to do about it.
    Usage { message: String, hint: String },
    /// A settings file that cannot be read or written.
    Settings { code: u8, message: String, hint: &'static str },
    /// The server does not take the token in this variable.
    TokenRefused { variable: &'static str },
    /// Stopped by a signal.
    Signal(i32),
    /// Cancelled before anything was changed.
    Untouched,
    /// The demo's or the development server's own trouble.
    Unexpected(String),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::Usage { message: message.into(), hint: hint.into() }
    }

    /// A file of settings that cannot be used.
    pub(crate) fn settings(action: &str, path: &Path, cause: &dyn fmt::Display) -> Failure {
        let (code, hint) = match action {
            "read" => (2, "check its path, and that you may read it"),
            "use" => (2, "correct the file, or remove it"),
            _ => (8, "make the place writable, or choose another one: XDG_CONFIG_HOME=/path"),
        };
        let message = format!("cannot {action} {}: {cause}", path.display());
        Failure::Settings { code, message, hint }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Library(error) => error.fmt(f),
            Failure::Usage { message, .. } | Failure::Settings { message, .. } => f.write_str(message),
            Failure::TokenRefused { variable } => {
                write!(f, "the server does not take the token in {variable}")
            }
            Failure::Signal(_) | Failure::Untouched => f.write_str("cancelled"),
            Failure::Unexpected(message) => f.write_str(message),
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
