//! The one error, sorted by who must act.
//!
//! | variant | who must act | is the stored sign-in kept? |
//! |---|---|---|
//! | [`LoginRequired`](Error::LoginRequired) | the user: sign in | there is none, or the server ended it |
//! | [`Denied`](Error::Denied) | the user or the server's owner: the sign-in was refused | yes |
//! | [`ServerIncompatible`](Error::ServerIncompatible) | the server's owner: it lacks something needed | yes |
//! | [`ServerMisbehaved`](Error::ServerMisbehaved) | the server's owner: it broke a rule of the protocol | yes |
//! | [`Network`](Error::Network) | nobody, or the network's owner: try again | yes |
//! | [`Store`](Error::Store) | the user: the disk or the keychain | yes |
//! | [`TimedOut`](Error::TimedOut), [`Cancelled`](Error::Cancelled) | the user | yes |
//! | [`Misuse`](Error::Misuse) | the caller: a setting is wrong | yes |
//!
//! No error holds a secret or the raw body of an answer, in any of its texts. Text that a server
//! sent was cleaned of control characters and shortened before it came here.

mod clock_skew;
mod network;
mod server;
mod store;

use std::fmt;
use std::time::Duration;

pub use clock_skew::ClockSkew;
pub use network::{NetworkError, NetworkErrorKind};
pub use server::{ServerIncompatible, ServerMisbehaved};
pub use store::{KeychainError, StoreError};

/// What a verb answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a verb did not do what it was asked. See the [module page](crate::error) for who must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody is signed in here, or the server ended the session: only a new login helps.
    #[error(transparent)]
    LoginRequired(LoginRequired),
    /// The sign-in was refused by the user or by the server.
    #[error("sign-in was refused: {0}")]
    Denied(Denied),
    /// The server keeps to its standards but lacks something that a safe sign-in needs.
    #[error(transparent)]
    ServerIncompatible(ServerIncompatible),
    /// The server broke a rule. Nothing of its answer was kept.
    #[error(transparent)]
    ServerMisbehaved(ServerMisbehaved),
    /// The answer did not come, or was one that may be better next time. The session is kept.
    #[error(transparent)]
    Network(NetworkError),
    /// The record could not be read or written.
    #[error(transparent)]
    Store(StoreError),
    /// Nobody finished the sign-in in the browser within the time limit.
    #[error("timed out after {} waiting for the sign-in", humantime::format_duration(*.waited))]
    TimedOut {
        /// How long the login waited.
        waited: Duration,
        /// Where the browser was expected. A server that does not have exactly this URI registered
        /// shows its error in the browser and never comes back. `None` where nothing was to come back: a device
        /// grant, or a wait for another process's sign-in.
        redirect_uri: Option<String>,
        /// Callbacks that belonged to another sign-in and were ignored.
        ignored: u32,
    },
    /// The caller's [`Canceller`](crate::Canceller) ended the wait.
    #[error("cancelled")]
    Cancelled,
    /// A setting or an argument is wrong; never caused by what a server sent.
    #[error(transparent)]
    Misuse(Misuse),
}

impl Error {
    /// Whether the same call may succeed later with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Network(error) if error.is_retryable())
    }
}

macro_rules! error_from {
    ($($part:ident),*) => {$(
        impl From<$part> for Error {
            fn from(part: $part) -> Error {
                Error::$part(part)
            }
        }
    )*};
}
error_from!(LoginRequired, Denied, ServerIncompatible, ServerMisbehaved, Misuse);

impl From<NetworkError> for Error {
    fn from(error: NetworkError) -> Error {
        Error::Network(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        Error::Store(error)
    }
}

/// Why a new login is the only way on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRequired {
    /// Nothing is stored under this profile.
    #[error("not signed in{}", of_profile(.profile))]
    NotSignedIn {
        /// The profile that was asked for.
        profile: String,
    },
    /// The record belongs to another issuer or client than the one that this pass was built for.
    #[error("signed in at {stored}, not at {asked}")]
    OtherServer {
        /// Issuer and client of the record.
        stored: String,
        /// Issuer and client that were given.
        asked: String,
    },
    /// The access token expired, and the server never gave a refresh token.
    #[error("the sign-in has expired and cannot renew itself (the server gave no refresh token)")]
    Expired,
    /// A newer access token was insisted on, and the server never gave a refresh token.
    #[error("this sign-in cannot renew itself (the server gave no refresh token)")]
    NotRenewable,
    /// The token endpoint answered `invalid_grant` to exactly the stored refresh token (RFC 6749 §5.2).
    #[error("the server ended this session{}", .0.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    Ended(Option<OAuthError>),
    /// The same, and the answer to an earlier renewal with that token never arrived: the server had replaced it.
    #[error(
        "the server ended this session: {error}. Its answer to a renewal at {} was lost on the way, and it takes each \
         refresh token only once", humantime::format_rfc3339_seconds(*.lost_at)
    )]
    AnswerLost {
        /// What the server says now.
        error: OAuthError,
        /// When the renewal was sent whose answer was lost.
        lost_at: std::time::SystemTime,
    },
}

/// Most programs have one profile and their users never heard of it.
fn of_profile(profile: &str) -> String {
    if profile == "default" { String::new() } else { format!(" (profile \"{profile}\")") }
}

/// Who refused the sign-in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// An error response of the authorization or token endpoint (RFC 6749 §4.1.2.1, §5.2).
    #[error("{0}")]
    ByServer(OAuthError),
    /// Another account than the one that was asked for signed in. Nothing of it was kept.
    #[error("{found} signed in, not {asked}")]
    OtherAccount {
        /// Who was meant.
        asked: String,
        /// Who came.
        found: String,
    },
}

/// The three fields of an OAuth error response (RFC 6749 §4.1.2.1 and §5.2), cleaned for display.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthError {
    /// The registered code, for example `access_denied`.
    pub error: String,
    /// The server's words for a developer.
    pub error_description: Option<String>,
    /// Never opened; shown only.
    pub error_uri: Option<String>,
    /// The server's own number for this failure, where it sends one (Clerk's `clerk_trace_id`).
    pub trace_id: Option<String>,
}

impl OAuthError {
    /// Builds an error from what a server sent: every field is cleaned and shortened.
    pub fn new(error: &str, error_description: Option<&str>, error_uri: Option<&str>) -> OAuthError {
        OAuthError {
            error: crate::sanitize::text(error),
            error_description: error_description.map(crate::sanitize::text).filter(|text| !text.is_empty()),
            error_uri: error_uri.map(crate::sanitize::text).filter(|text| !text.is_empty()),
            trace_id: None,
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        if let Some(description) = &self.error_description {
            write!(f, " ({description})")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(f, " [trace {trace_id}]")?;
        }
        Ok(())
    }
}

/// What the caller got wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// A setting has a value that cannot work.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting's name as the builder and the command spell it.
        setting: &'static str,
        /// What is wrong, with the offending value where it is not secret.
        problem: String,
    },
    /// The record belongs to another issuer or client than the one asked for.
    #[error("profile \"{profile}\" is signed in at {stored}, not at {asked}")]
    OtherSession {
        /// The profile.
        profile: String,
        /// Issuer and client of the record.
        stored: String,
        /// Issuer and client that were given.
        asked: String,
    },
    /// No listed redirect URI could be bound, and they are fixed.
    #[error("cannot listen for the callback: {0}")]
    PortTaken(String),
}

impl Misuse {
    /// A wrong setting and why.
    pub fn setting(setting: &'static str, problem: impl Into<String>) -> Misuse {
        Misuse::Setting { setting, problem: problem.into() }
    }
}
