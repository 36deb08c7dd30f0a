//! A request without a usable response.

use std::fmt;
use std::time::Duration;

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
            host: crate::sanitize::text(host),
            detail: crate::sanitize::text(detail),
            retry_after: None,
        }
    }

    /// Whether the same request may succeed later. A certificate that is not trusted and a client
    /// that the server does not know stay as they are until somebody changes something.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            NetworkErrorKind::Tls
            | NetworkErrorKind::CaFile
            | NetworkErrorKind::ShortLived
            | NetworkErrorKind::KeepsRefusing(_) => false,
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
            NetworkErrorKind::Tls | NetworkErrorKind::CaFile => write!(f, "no trusted connection to {host}")?,
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
    /// A file with additional CA certificates cannot be used: nothing was sent.
    CaFile,
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
