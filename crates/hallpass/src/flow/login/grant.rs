//! The grant that a login waits for.

use crate::error::{Denied, Error, NetworkError, NetworkErrorKind, OAuthError};
use crate::loopback::Arrival;
use crate::protocol::authorization::VerifiedCode;
use crate::protocol::token::Tokens;

/// The user's consent, in the form it came.
pub(super) enum Grant {
    /// A code, still to be exchanged.
    Code(VerifiedCode),
    /// Tokens of a device grant, still to be checked.
    Device(Tokens),
}

/// A grant, with the browser that waits for the outcome.
pub(super) struct Answer {
    pub(super) grant: Grant,
    pub(super) arrival: Option<Arrival>,
}

/// Whether an error code stands for a server in trouble (RFC 6749 §4.1.2.1).
pub(super) fn is_temporary(error: &str) -> bool {
    matches!(error, "server_error" | "temporarily_unavailable")
}

/// The error of a callback that carries an error response.
pub(super) fn callback_error(host: &str, error: OAuthError) -> Error {
    if is_temporary(&error.error) {
        NetworkError::new(NetworkErrorKind::LoginFailed, host, &error.to_string()).into()
    } else {
        Denied::ByServer(error).into()
    }
}
