//! Why no answer came: said where it is known, carried through ureq, turned into our error at the end.

use std::fmt;
use std::io;

use ureq::Timeout;

use super::limits;
use crate::error::{NetworkError, NetworkErrorKind};

const TOO_MANY_HEADERS: &str = "the headers of the answer are too many or too large";

/// A failed exchange, still without the host. Travels through ureq as [`ureq::Error::Other`].
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: NetworkErrorKind,
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn new(kind: NetworkErrorKind, detail: impl Into<String>) -> Failure {
        Failure { kind, detail: detail.into() }
    }

    pub(super) fn unreachable(detail: impl Into<String>) -> Failure {
        Failure::new(NetworkErrorKind::Unreachable, detail)
    }

    pub(super) fn broken(detail: impl Into<String>) -> Failure {
        Failure::new(NetworkErrorKind::Broken, detail)
    }

    pub(super) fn tls(detail: impl Into<String>) -> Failure {
        Failure::new(NetworkErrorKind::Tls, detail)
    }

    pub(super) fn proxy(detail: impl Into<String>) -> Failure {
        Failure::new(NetworkErrorKind::Proxy, detail)
    }

    pub(super) fn at(self, host: &str) -> NetworkError {
        NetworkError::new(self.kind, host, &self.detail)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for ureq::Error {
    fn from(failure: Failure) -> ureq::Error {
        ureq::Error::Other(Box::new(failure))
    }
}

impl From<ureq::Error> for Failure {
    /// Everything before the first byte of the request is a [`Failure`] already when it gets here,
    /// so what is left happened during the exchange. The texts of ureq's errors are not used: some
    /// quote the server's or the proxy's bytes.
    fn from(error: ureq::Error) -> Failure {
        match error {
            ureq::Error::Other(inner) => inner
                .downcast::<Failure>()
                .map_or_else(|_| Failure::broken("the exchange failed"), |failure| *failure),
            ureq::Error::Timeout(phase) => timed_out(phase),
            ureq::Error::Io(error) => Failure::broken(plain(&error)),
            ureq::Error::ConnectProxyFailed(reason) => Failure::proxy(proxy_refusal(&reason)),
            ureq::Error::HostNotFound => Failure::unreachable("its name has no address"),
            ureq::Error::BadUri(_) => Failure::unreachable("the address cannot be used"),
            ureq::Error::Http(_) => Failure::unreachable("the request cannot be written as HTTP"),
            ureq::Error::LargeResponseHeader(..) => Failure::broken(TOO_MANY_HEADERS),
            ureq::Error::Protocol(error) if error.to_string().contains("too many headers") => {
                Failure::broken(TOO_MANY_HEADERS)
            }
            _ => Failure::broken("the answer is not HTTP/1.1"),
        }
    }
}

fn timed_out(phase: Timeout) -> Failure {
    let limit = humantime::format_duration(limits::CONNECT);
    let detail = match phase {
        Timeout::Resolve => format!("looking up its name took more than {limit}"),
        Timeout::Connect => format!("connecting took more than {limit}"),
        _ => String::new(),
    };
    Failure::new(NetworkErrorKind::TimedOut, detail)
}

/// ureq says "proxy server responded 407/407".
fn proxy_refusal(reason: &str) -> String {
    let status: String =
        reason.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| c.is_ascii_digit()).collect();
    match status.as_str() {
        "407" => "it wants a user name and password, or other ones (407)".to_owned(),
        "" => "it did not answer the CONNECT request".to_owned(),
        status => format!("it answered {status}"),
    }
}

/// An I/O error in the words of its kind, without "(os error 111)".
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ended before the whole answer was there".to_owned(),
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::Other => error.to_string(),
        kind if error.raw_os_error().is_some() && kind.to_string() == "uncategorized error" => {
            error.to_string()
        }
        kind => kind.to_string(),
    }
}
