//! Why a command did not do what it was asked.

use std::path::Path;

/// The library's error, or one of the command's own.
#[derive(Debug)]
pub(crate) enum Failure {
    /// From the library.
    Library(hallpass::Error),
    /// A wrong setting or use, with what to do about it.
    Usage { message: String, hint: String },
    /// A settings file that cannot be read or written.
    Settings { message: String },
    /// Stopped by a signal.
    Signal(i32),
    /// The demo's or the development server's own trouble.
    Unexpected(String),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::Usage { message: message.into(), hint: hint.into() }
    }

    /// A file of settings that cannot be used.
    pub(crate) fn settings(action: &str, path: &Path, cause: &dyn std::fmt::Display) -> Failure {
        Failure::Settings { message: format!("cannot {action} {}: {cause}", path.display()) }
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
