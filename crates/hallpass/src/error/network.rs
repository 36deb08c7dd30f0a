//! Requests that got no usable response.

use std::fmt;
use std::time::Duration;

/// A request that got no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkError {
    /// The kind of failure.
    pub kind: NetworkErrorKind,
    /// Host and port of the request; never more of the URL.
    pub host: String,
    /// The cause as the transport or the server describes it, cleaned for display. May be empty.
    pub detail: String,
    /// How long the server asks clients to wait before the next request (`Retry-After`, RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
}

impl NetworkError {
    /// Creates an error from its kind, the host and the cause; host and cause are cleaned and shortened for display.
    pub fn new(kind: NetworkErrorKind, host: &str, detail: &str) -> NetworkError {
        NetworkError {
            kind,
            host: crate::sanitize::text(host),
            detail: crate::sanitize::text(detail),
            retry_after: None,
        }
    }

    /// Whether the same request may succeed later. An untrusted certificate, a refused client and a lifetime that is
    /// too short stay as they are until something is reconfigured.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            NetworkErrorKind::Tls
            | NetworkErrorKind::CaFile
            | NetworkErrorKind::LifetimeTooShort
            | NetworkErrorKind::RefusedRepeatedly(_) => false,
            NetworkErrorKind::Status(status) => status >= 500 || matches!(status, 408 | 425 | 429),
            _ => true,
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NetworkError { kind, host, detail, .. } = self;
        match kind {
            NetworkErrorKind::Unreachable => write!(f, "could not connect to {host}")?,
            NetworkErrorKind::TimedOut => write!(f, "{host} did not respond in time")?,
            NetworkErrorKind::Broken => write!(f, "the connection to {host} was lost")?,
            NetworkErrorKind::InvalidResponse => write!(f, "{host} sent an invalid response")?,
            NetworkErrorKind::Tls | NetworkErrorKind::CaFile => {
                write!(f, "could not establish a secure connection to {host}")?
            }
            NetworkErrorKind::Proxy => write!(f, "could not connect to {host} through the proxy")?,
            NetworkErrorKind::Status(status) => write!(f, "{host} responded with HTTP {status}")?,
            NetworkErrorKind::LoginFailed => write!(f, "{host} could not complete the sign-in")?,
            NetworkErrorKind::LifetimeTooShort => {
                write!(f, "access tokens from {host} expire sooner than requested")?
            }
            NetworkErrorKind::Busy => write!(f, "another process is using this session")?,
            NetworkErrorKind::FailedElsewhere => {
                write!(f, "another process just failed to refresh this session")?
            }
            NetworkErrorKind::RetryLater => write!(f, "{host} asked clients to wait before retrying")?,
            NetworkErrorKind::RefusedRepeatedly(times) => {
                write!(f, "{host} has refused to refresh this session {times} times in a row")?
            }
        }
        if !detail.is_empty() {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NetworkError {}

/// The ways in which a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkErrorKind {
    /// The host could not be resolved, or refused the connection. Nothing was sent.
    Unreachable,
    /// A time limit passed. The request may have reached the server.
    TimedOut,
    /// The connection closed before the response was complete. The request may have reached the server.
    Broken,
    /// A complete response that is not one of the protocol: for example, the sign-in page of a hotel's network.
    InvalidResponse,
    /// The certificate is not trusted, or the TLS handshake failed. Nothing was sent.
    Tls,
    /// A file with additional CA certificates can't be used. Nothing was sent.
    CaFile,
    /// The proxy refused the connection or is unreachable.
    Proxy,
    /// The server refreshed the token, but the new one expires sooner than the caller requires.
    LifetimeTooShort,
    /// The server responded with this HTTP status.
    Status(u16),
    /// The server sent the browser back with `server_error` or `temporarily_unavailable` (RFC 6749 §4.1.2.1).
    LoginFailed,
    /// Another process or thread held the session's lock for longer than the time limit.
    Busy,
    /// Another process tried to refresh the session while this one waited for it, and failed. Nothing was sent.
    FailedElsewhere,
    /// An earlier response asked all clients to wait (`Retry-After`), and that time is not over. Nothing was sent.
    RetryLater,
    /// The server refused to refresh the session this many times, for more than a minute. It did not say that the
    /// session has ended, but only a new sign-in may help.
    RefusedRepeatedly(u32),
}
