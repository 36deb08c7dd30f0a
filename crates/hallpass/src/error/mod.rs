//! The library's error type, sorted by who must act.
//!
//! | variant | who must act | is the stored session kept? |
//! |---|---|---|
//! | [`LoginRequired`](Error::LoginRequired) | the user: sign in | there is none, or the server ended it |
//! | [`Denied`](Error::Denied) | the user or the server's operator: the sign-in was refused | yes |
//! | [`ServerIncompatible`](Error::ServerIncompatible) | the server's operator: a required feature is missing | yes |
//! | [`ServerMisbehaved`](Error::ServerMisbehaved) | the server's operator: a response violates the protocol | yes |
//! | [`Network`](Error::Network) | usually no one: try again later | yes |
//! | [`Store`](Error::Store) | the user: the disk or the keychain has a problem | yes |
//! | [`TimedOut`](Error::TimedOut), [`Cancelled`](Error::Cancelled) | the user: sign in again | yes |
//! | [`Misuse`](Error::Misuse) | the caller: a setting is wrong | yes |
//!
//! No error holds a secret or the raw body of a response, in any of its texts. Text from a server is cleaned of
//! control characters and shortened before it gets into an error.

mod clock_skew;
mod network;
mod oauth_error;
mod server;
mod store;

use std::time::Duration;

pub use clock_skew::ClockSkew;
pub use network::{NetworkError, NetworkErrorKind};
pub use oauth_error::OAuthError;
pub use server::{ServerIncompatible, ServerMisbehaved};
pub use store::{KeychainError, StoreError};

/// The result of the library's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why an operation failed. The [module page](crate::error) says who must act on each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user isn't signed in, or the server ended the session. Only a new sign-in helps.
    #[error(transparent)]
    LoginRequired(LoginRequired),
    /// The user or the server refused the sign-in.
    #[error("sign-in was refused: {0}")]
    Denied(Denied),
    /// The server follows its standards but lacks a feature that a safe sign-in needs.
    #[error(transparent)]
    ServerIncompatible(ServerIncompatible),
    /// The server violated the protocol. Nothing of its response was stored.
    #[error(transparent)]
    ServerMisbehaved(ServerMisbehaved),
    /// No usable response arrived; a later attempt may succeed. The session is kept.
    #[error(transparent)]
    Network(NetworkError),
    /// Reading or writing the stored session failed.
    #[error(transparent)]
    Store(StoreError),
    /// The user did not finish the sign-in within the time limit.
    #[error("timed out after {} waiting for the sign-in", humantime::format_duration(*.waited))]
    TimedOut {
        /// How long the login waited.
        waited: Duration,
        /// The redirect URI of the sign-in. A server at which exactly this URI is not registered shows an error in
        /// the browser and never redirects. `None` if no redirect was expected: in the device flow, or while waiting
        /// for another process to sign in.
        redirect_uri: Option<String>,
        /// The number of callbacks that belonged to another sign-in and were ignored.
        ignored: u32,
    },
    /// The operation was cancelled through a [`Canceller`](crate::Canceller).
    #[error("cancelled")]
    Cancelled,
    /// A setting or an argument is wrong. Never caused by a server's response.
    #[error(transparent)]
    Misuse(Misuse),
}

impl Error {
    /// Whether the same call may succeed later without any change on this machine.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Network(error) if error.is_retryable())
    }
}

macro_rules! error_from {
    ($($cause:ident => $variant:ident),* $(,)?) => {$(
        impl From<$cause> for Error {
            fn from(cause: $cause) -> Error {
                Error::$variant(cause)
            }
        }
    )*};
}
error_from! {
    LoginRequired => LoginRequired,
    Denied => Denied,
    ServerIncompatible => ServerIncompatible,
    ServerMisbehaved => ServerMisbehaved,
    NetworkError => Network,
    StoreError => Store,
    Misuse => Misuse,
}

/// The reason why the user has to sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRequired {
    /// Nothing is stored for this profile.
    // The default profile is not named: most programs have no other, and their users have never heard of it.
    #[error("not signed in{}", if .profile == "default" { String::new() } else { format!(" (profile \"{}\")", .profile) })]
    NotSignedIn {
        /// The requested profile.
        profile: String,
    },
    /// The stored session belongs to another issuer or client than the configured one.
    #[error("signed in to {stored}, not {asked}")]
    OtherServer {
        /// Issuer and client of the stored session.
        stored: String,
        /// Issuer and client of the configuration.
        asked: String,
    },
    /// The access token expired, and the server issued no refresh token.
    #[error("the access token has expired and cannot be refreshed (the server issued no refresh token)")]
    Expired,
    /// A new access token was requested, and the server issued no refresh token.
    #[error("this session cannot be refreshed (the server issued no refresh token)")]
    NoRefreshToken,
    /// The token endpoint rejected the stored refresh token with `invalid_grant` (RFC 6749 §5.2).
    #[error("the server ended this session{}", .0.as_ref().map(|error| format!(": {error}")).unwrap_or_default())]
    Ended(Option<OAuthError>),
    /// The token endpoint rejected the stored refresh token with `invalid_grant`, and the response to an earlier refresh
    /// with that token never arrived: the server had already replaced the token.
    #[error(
        "the server ended this session: {error}; the response to a refresh at {} was lost, and the server accepts each \
         refresh token only once", humantime::format_rfc3339_seconds(*.lost_at)
    )]
    ResponseLost {
        /// The server's error now.
        error: OAuthError,
        /// When the refresh was sent whose response was lost.
        lost_at: std::time::SystemTime,
    },
}

/// The reason why a sign-in was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The authorization or token endpoint sent an error response (RFC 6749 §4.1.2.1, §5.2).
    #[error("{0}")]
    ByServer(OAuthError),
    /// Another account than the required one signed in. Nothing was stored.
    #[error("{found} signed in, but {asked} is required")]
    OtherAccount {
        /// The required account.
        asked: String,
        /// The account that signed in.
        found: String,
    },
}

/// An error in the settings or arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// A setting has an invalid value.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting's name, as the builder and the command spell it.
        setting: &'static str,
        /// The problem, with the invalid value unless it is secret.
        problem: String,
    },
    /// The stored session belongs to another issuer or client than the given one.
    #[error("profile \"{profile}\" is signed in to {stored}, not {asked}")]
    OtherSession {
        /// The profile.
        profile: String,
        /// Issuer and client of the stored session.
        stored: String,
        /// Issuer and client that were given.
        asked: String,
    },
    /// None of the configured redirect URIs has a port that is free.
    #[error("cannot listen for the callback: {0}")]
    PortTaken(String),
}

impl Misuse {
    /// Creates an error about a setting.
    pub fn setting(setting: &'static str, problem: impl Into<String>) -> Misuse {
        Misuse::Setting { setting, problem: problem.into() }
    }
}
