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

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::clock::ClockSkew;
use crate::world::keychain::KeychainError;

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
            error: crate::clean::text(error),
            error_description: error_description.map(crate::clean::text).filter(|text| !text.is_empty()),
            error_uri: error_uri.map(crate::clean::text).filter(|text| !text.is_empty()),
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

/// What the server lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerIncompatible {
    /// No metadata document was found, and no endpoints were given (OpenID Discovery §4, RFC 8414 §3).
    #[error("{issuer} publishes no usable metadata ({})", .tried.join("; "))]
    NoMetadata {
        /// The issuer that was asked.
        issuer: String,
        /// Each address with what it answered.
        tried: Vec<String>,
    },
    /// An endpoint that this verb needs is neither in the metadata nor in the settings.
    #[error("the server names no {0}")]
    NoEndpoint(&'static str),
    /// The server gave no ID token, or none that is still valid (OpenID Connect Core §12.2 lets it leave it out
    /// of a refresh).
    #[error("this session has no valid ID token; ask for the scope openid, and sign in again if it expired")]
    NoIdToken,
    /// `code_challenge_methods_supported` is there and does not list `S256` (RFC 7636 §4.2).
    #[error("the server supports no PKCE with S256")]
    NoS256,
    /// An endpoint is neither https nor http on loopback under an http loopback issuer.
    #[error("the server's {name} is not https: {url}")]
    InsecureEndpoint {
        /// The metadata member.
        name: &'static str,
        /// The value, cleaned.
        url: String,
    },
    /// A token of a type that cannot be sent as a bearer token (RFC 6749 §7.1).
    #[error("the server gave a token of type \"{0}\", which cannot be used as a bearer token")]
    TokenType(String),
}

/// The rule that the server broke: one variant per rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerMisbehaved {
    /// The metadata is of another issuer (RFC 8414 §3.3, OpenID Discovery §4.3).
    #[error("the metadata names another issuer: asked {expected}, found {found}")]
    MetadataIssuer {
        /// The issuer that was asked.
        expected: String,
        /// What the document says.
        found: String,
    },
    /// A metadata member is not a usable URL (RFC 8414 §2).
    #[error("the server's metadata has an unusable {0}")]
    MetadataMember(&'static str),
    /// The callback came from another issuer (RFC 9207 §2.4).
    #[error("the answer came from another issuer: expected {expected}, got {found}")]
    AuthorizationIss {
        /// The issuer that the browser was sent to.
        expected: String,
        /// The `iss` parameter.
        found: String,
    },
    /// `iss` is missing beside a code although the metadata promises it (RFC 9207 §2.4).
    #[error("the answer lacks \"iss\", which this server's metadata promises")]
    AuthorizationIssMissing,
    /// Neither `code` nor `error` came back with our state (RFC 6749 §4.1.2).
    #[error("the answer has no authorization code")]
    CodeMissing,
    /// A parameter came twice (RFC 6749 §3.1).
    #[error("the answer has \"{0}\" twice")]
    ParameterDoubled(&'static str),

    /// The token endpoint sent something that is neither JSON nor form-encoded (RFC 6749 §5.1).
    #[error("the token endpoint's answer cannot be read ({0})")]
    TokenResponse(String),
    /// The device authorization endpoint sent something that lacks what is required (RFC 8628 §3.2).
    #[error("the device authorization endpoint's answer cannot be used ({0})")]
    DeviceResponse(String),
    /// `access_token` is missing, empty, no string, or not of printable ASCII (RFC 6749 §5.1, appendix A.12).
    #[error("the token endpoint's answer has no usable access_token")]
    AccessTokenMissing,
    /// An endpoint answered with a redirect, which is never followed with a secret.
    #[error("the {0} answered with a redirect")]
    Redirected(&'static str),
    /// An answer is larger than 1 MiB.
    #[error("the {0} sent more than 1 MiB")]
    TooLarge(&'static str),

    /// The ID token is no JWS in compact form with JSON parts (RFC 7515 §7.1).
    #[error("the ID token cannot be read: {0}")]
    IdTokenMalformed(&'static str),
    /// `alg` is `none`, symmetric or unknown (RFC 8725 §3.1).
    #[error("the ID token is signed with \"{0}\", which is not accepted")]
    IdTokenAlg(String),
    /// `typ` names another kind of token, or `crit` a header that is not understood (RFC 8725 §3.11, RFC 7515 §4.1.11).
    #[error("the ID token's header is not that of an ID token ({0})")]
    IdTokenHeader(&'static str),
    /// No key of the server's JWKS fits (OpenID Connect Core §10.1).
    #[error("the server publishes no key for its ID token's signature")]
    IdTokenKey,
    /// The signature does not verify (OpenID Connect Core §3.1.3.7, 6).
    #[error("the ID token's signature is wrong")]
    IdTokenSignature,
    /// A claim is missing or of the wrong type (OpenID Connect Core §2).
    #[error("the ID token has no usable \"{0}\"")]
    IdTokenClaim(&'static str),
    /// `iss` is not the issuer (OpenID Connect Core §3.1.3.7, 2).
    #[error("the ID token is of another issuer: expected {expected}, got {found}")]
    IdTokenIss {
        /// The issuer that was asked.
        expected: String,
        /// The `iss` claim, cleaned.
        found: String,
    },
    /// `aud` is not this client, or names another one beside it (OpenID Connect Core §3.1.3.7, 3).
    #[error("the ID token is for another client")]
    IdTokenAud,
    /// `azp` is missing with several audiences, or is not this client (OpenID Connect Core §3.1.3.7, 4 and 5).
    #[error("the ID token was issued to another client")]
    IdTokenAzp,
    /// `exp` has passed (OpenID Connect Core §3.1.3.7, 9).
    #[error("the ID token expired {} ago by this computer's clock{}", humantime::format_duration(*.ago), told(.skew))]
    IdTokenExpired {
        /// For how long by now.
        ago: Duration,
        /// How far that clock is from the server's, as far as its `Date` tells.
        skew: Option<ClockSkew>,
    },
    /// `iat` or `nbf` lies in the future (OpenID Connect Core §3.1.3.7, 10).
    #[error("the ID token is from {} in the future by this computer's clock{}", humantime::format_duration(*.ahead), told(.skew))]
    IdTokenFromFuture {
        /// How far.
        ahead: Duration,
        /// How far that clock is from the server's, as far as its `Date` tells.
        skew: Option<ClockSkew>,
    },
    /// `nonce` is missing or not the one sent (OpenID Connect Core §3.1.3.7, 11).
    #[error("the ID token does not belong to this sign-in (nonce)")]
    IdTokenNonce,
    /// `auth_time` is older than the `max_age` that was asked for (OpenID Connect Core §3.1.3.7, 13).
    #[error("the user signed in {} before the server issued the ID token, longer than max_age allows", humantime::format_duration(*.0))]
    IdTokenAuthTime(Duration),
    /// `at_hash` does not match the access token (OpenID Connect Core §3.1.3.8).
    #[error("the ID token belongs to another access token (at_hash)")]
    IdTokenAtHash,
    /// After a refresh, the ID token names another user (OpenID Connect Core §12.2).
    #[error("the refreshed ID token is of another user")]
    IdTokenSub,

    /// The JWKS is no JSON object with a list of keys (RFC 7517 §5).
    #[error("the server's keys cannot be read")]
    Jwks,
    /// Userinfo is no JSON object (OpenID Connect Core §5.3.2).
    #[error("the userinfo answer cannot be read ({0})")]
    Userinfo(String),
    /// Userinfo's `sub` is missing or not the ID token's (OpenID Connect Core §5.3.2).
    #[error("the userinfo answer is about another user")]
    UserinfoSub,
}

impl ServerMisbehaved {
    /// The same, with what is known of the clock that times were judged by.
    pub(crate) fn with_skew(mut self, measured: Option<ClockSkew>) -> ServerMisbehaved {
        use ServerMisbehaved::{IdTokenExpired, IdTokenFromFuture};
        if let IdTokenExpired { skew, .. } | IdTokenFromFuture { skew, .. } = &mut self {
            *skew = measured;
        }
        self
    }
}

fn told(skew: &Option<ClockSkew>) -> String {
    skew.as_ref().map(|skew| format!(", which is {skew}")).unwrap_or_default()
}

/// A request that got no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkError {
    /// What went wrong.
    pub kind: NetworkErrorKind,
    /// Host and port that were asked, never more of the URL.
    pub host: String,
    /// Cause in the transport's or the server's words, cleaned.
    pub detail: String,
    /// How long the server asks to wait (`Retry-After`, RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
}

impl NetworkError {
    /// A failure at `host` with its cause; the cause is cleaned and shortened.
    pub fn new(kind: NetworkErrorKind, host: &str, detail: &str) -> NetworkError {
        NetworkError {
            kind,
            host: crate::clean::text(host),
            detail: crate::clean::text(detail),
            retry_after: None,
        }
    }

    /// Whether the same request may succeed later. A certificate that is not trusted and a client
    /// that the server does not know stay as they are until somebody changes something.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            NetworkErrorKind::Tls | NetworkErrorKind::ShortLived | NetworkErrorKind::KeepsRefusing(_) => {
                false
            }
            NetworkErrorKind::Status(status) => status >= 500 || matches!(status, 408 | 425 | 429),
            _ => true,
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NetworkError { kind, host, detail, .. } = self;
        match kind {
            NetworkErrorKind::Unreachable => write!(f, "cannot reach {host}")?,
            NetworkErrorKind::TimedOut => write!(f, "{host} did not answer in time")?,
            NetworkErrorKind::Broken => write!(f, "the connection to {host} broke")?,
            NetworkErrorKind::NoAnswer => write!(f, "what {host} sent is no answer")?,
            NetworkErrorKind::Tls => write!(f, "no trusted connection to {host}")?,
            NetworkErrorKind::Proxy => write!(f, "the proxy did not let us reach {host}")?,
            NetworkErrorKind::Status(status) => write!(f, "{host} answered {status}")?,
            NetworkErrorKind::ShortLived => {
                write!(f, "the tokens of {host} do not live as long as was asked for")?
            }
            NetworkErrorKind::Busy => write!(f, "another process is still refreshing this session")?,
            NetworkErrorKind::Elsewhere => write!(f, "another process just failed to renew this session")?,
            NetworkErrorKind::Paused => write!(f, "{host} asked to wait")?,
            NetworkErrorKind::KeepsRefusing(times) => {
                write!(f, "{host} has refused to renew this session {times} times in a row")?
            }
        }
        if !detail.is_empty() {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NetworkError {}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkErrorKind {
    /// No address, or nobody listens: nothing was sent.
    Unreachable,
    /// A time limit passed; the request may have arrived.
    TimedOut,
    /// The connection ended before the whole answer was there; the request may have arrived.
    Broken,
    /// A whole answer came, and it makes no sense: the page of a hotel's network, say.
    NoAnswer,
    /// The certificate is not trusted, or TLS failed: nothing was sent.
    Tls,
    /// The proxy refused or is unreachable.
    Proxy,
    /// The server renewed the token, but not for as long as the caller insists on.
    ShortLived,
    /// The server answered, with this status.
    Status(u16),
    /// The lock of this session was held longer than the limit.
    Busy,
    /// Another process tried while this one waited for it, and failed: nothing was sent.
    Elsewhere,
    /// An earlier answer asked all processes to wait (`Retry-After`), and that time is not over: nothing was sent.
    Paused,
    /// The server answered, and refused as it did so many times before, for more than a minute. It does not say that
    /// the session is over, but only a new login may help.
    KeepsRefusing(u32),
}

/// What is wrong with the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("cannot {action} {}: {cause}", .path.display())]
    Io {
        /// `read`, `write`, `create`, `lock`, `remove`.
        action: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The record is sealed, and its key cannot be had just now. The record is kept.
    #[error("the sign-in record {} is sealed, and its key cannot be had: {cause}", .path.display())]
    Keychain {
        /// The record's file.
        path: PathBuf,
        /// What the keychain said.
        cause: KeychainError,
    },
    /// The keychain was asked for and cannot be used, so nothing was begun.
    #[error("the sign-in cannot be kept in the keychain: {0}")]
    NoKeychain(KeychainError),
    /// The record is sealed, and its key does not open it: something else than Hallpass changed one of the two.
    #[error("the sign-in record {} was changed since it was sealed, or the keychain gives another key for it", .path.display())]
    SealBroken {
        /// The record's file.
        path: PathBuf,
    },
    /// The record cannot be parsed. It is left as it is (a login sets it aside and keeps it).
    #[error("the sign-in record {} cannot be read ({cause})", .path.display())]
    Corrupt {
        /// The record's file.
        path: PathBuf,
        /// Where the parser stopped.
        cause: String,
    },
    /// A newer Hallpass wrote this record; it is not touched.
    #[error("the sign-in record {} was written by a newer version (format {version})", .path.display())]
    Newer {
        /// The record's file.
        path: PathBuf,
        /// Its format.
        version: u64,
    },
    /// The file or its directory belongs to somebody else, or others may write to it.
    #[error("{} is not safe to use: {cause}", .path.display())]
    Unsafe {
        /// Which file or directory.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// No usable directory is known to keep the record in.
    #[error("no directory to keep the sign-in in: {0}")]
    NoDirectory(String),
    /// What was written did not read back equal.
    #[error("the sign-in record {} did not read back as written", .path.display())]
    ReadBack {
        /// The record's file.
        path: PathBuf,
    },
}

impl StoreError {
    /// A failure at a path, in the system's words.
    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> StoreError {
        let cause = match error.kind() {
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            io::ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
            _ => error.to_string(),
        };
        StoreError::Io { action, path: path.to_owned(), cause }
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
