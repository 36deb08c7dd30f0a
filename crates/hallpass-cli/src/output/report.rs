//! Turns a failure into message, hint and exit code.

use hallpass::Error;
use serde_json::json;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::hint::hint;
use crate::output::{json, say};

/// A failure as it is printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    code: u8,
    kind: &'static str,
    message: String,
    hint: Option<String>,
}

/// How a failure is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text on stderr.
    Text,
    /// A JSON object on stdout.
    Json,
    /// The last of the JSON events on stdout.
    Event,
}

impl Report {
    /// Describes a failure; `login_command` is the command that signs in again.
    pub(crate) fn new(failure: &Failure, login_command: &str) -> Report {
        let (code, kind) = code_and_kind(failure);
        Report { code, kind, message: failure.to_string(), hint: hint(failure, login_command) }
    }

    /// Describes a wrong command line.
    pub(crate) fn usage(message: &str, hint: &str) -> Report {
        Report { code: 2, kind: "usage", message: message.to_owned(), hint: Some(hint.to_owned()) }
    }

    /// Prints the report, and returns its exit code.
    pub(crate) fn print(&self, form: Form) -> ExitCode {
        let Report { code, kind, message, hint } = self;
        let error = json!({"code": code, "kind": kind, "message": message, "hint": hint});
        match form {
            Form::Json => json::print_line(&json!({"error": error})),
            Form::Event => json::print_line(&json!({"event": "error", "error": error})),
            Form::Text => say::error(message, hint.as_deref()),
        }
        ExitCode::from(*code)
    }
}

/// Prints the report of a command that a signal ended. If it failed for another reason than the signal, that reason
/// is printed.
pub(crate) fn interrupted(signal: i32, failure: &Failure, form: Form, login_command: &str) -> ExitCode {
    let cancelled = Report::new(&Failure::Signal(signal), login_command);
    let text = match failure {
        Failure::CancelledUnchanged => "Cancelled; nothing was changed.",
        Failure::Signal(_) | Failure::Library(Error::Cancelled) => "Cancelled.",
        _ => {
            let Report { message, hint, .. } = Report::new(failure, login_command);
            return Report { message, hint, ..cancelled }.print(form);
        }
    };
    match form {
        Form::Text => {
            say::message(text);
            ExitCode::from(cancelled.code)
        }
        Form::Json | Form::Event => cancelled.print(form),
    }
}

/// The exit code of a failure.
pub(crate) fn exit_code(failure: &Failure) -> ExitCode {
    ExitCode::from(code_and_kind(failure).0)
}

/// The published exit codes.
fn code_and_kind(failure: &Failure) -> (u8, &'static str) {
    let error = match failure {
        Failure::Library(error) => error,
        Failure::Usage { .. } => return (2, "usage"),
        Failure::Settings { code, .. } => return (*code, "settings"),
        Failure::TokenRejected { .. } => return (4, "login_required"),
        Failure::Signal(signal) => return (128 + u8::try_from(*signal).unwrap_or(2), "interrupted"),
        Failure::CancelledUnchanged => return (130, "interrupted"),
        Failure::Unexpected(_) => return (1, "unexpected"),
    };
    match error {
        Error::LoginRequired(_) => (4, "login_required"),
        Error::Denied(_) => (6, "denied"),
        Error::ServerIncompatible(_) => (3, "server_incompatible"),
        Error::ServerMisbehaved(_) => (3, "server_misbehaved"),
        Error::Network(_) => (5, "network"),
        Error::Store(_) => (8, "store"),
        Error::TimedOut { .. } => (7, "timed_out"),
        Error::Cancelled => (130, "interrupted"),
        Error::Misuse(_) => (2, "usage"),
        _ => (1, "unexpected"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use hallpass::error::{
        ClockSkew, Denied, LoginRequired, Misuse, NetworkError, NetworkErrorKind, OAuthError,
        ServerIncompatible, ServerMisbehaved, StoreError,
    };

    #[test]
    fn p67_the_published_codes_never_change() {
        let code = |error: Error| Report::new(&Failure::Library(error), "").code;
        let network = NetworkError::new(NetworkErrorKind::TimedOut, "a", "");
        assert_eq!(code(Misuse::setting("issuer", "x").into()), 2);
        assert_eq!(code(ServerMisbehaved::CodeMissing.into()), 3);
        assert_eq!(code(ServerIncompatible::NoS256.into()), 3);
        assert_eq!(code(LoginRequired::Expired.into()), 4);
        assert_eq!(code(network.into()), 5);
        assert_eq!(code(Denied::ByServer(OAuthError::new("access_denied", None, None)).into()), 6);
        assert_eq!(code(Error::TimedOut { waited: Default::default(), redirect_uri: None, ignored: 0 }), 7);
        assert_eq!(code(StoreError::NoDirectory(String::new()).into()), 8);
        assert_eq!(Report::new(&Failure::Signal(2), "").code, 130);
        assert_eq!(Report::new(&Failure::Signal(15), "").code, 143);
        assert_eq!(Report::new(&Failure::Signal(1), "").code, 129);
    }

    #[test]
    fn p36_a_clock_that_is_known_to_be_wrong_is_nothing_to_report_to_the_server() {
        let hint = |skew| {
            let (ago, ahead) = (Duration::from_secs(3600), Duration::from_secs(3600));
            let expired = ServerMisbehaved::IdTokenExpired { ago, skew: Clone::clone(&skew) };
            let from_future = ServerMisbehaved::IdTokenFromFuture { ahead, skew };
            [expired, from_future].map(|rule| Report::new(&Failure::Library(rule.into()), "").hint.unwrap())
        };
        let skew = ClockSkew::Ahead { by: Duration::from_secs(3600), host: "login.example.com".to_owned() };
        assert!(hint(Some(skew)).iter().all(|hint| hint.starts_with("set this computer's clock")));
        assert!(hint(None).iter().all(|hint| hint.contains("report this to the operator of the server")));
    }
}
