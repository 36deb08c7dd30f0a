//! The reason a request got no response.

use std::fmt;
use std::io;
use std::time::Duration;

use super::limits;
use crate::error::{NetworkError, NetworkErrorKind};

/// A failed request, before it is known which host it is reported for.
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

    /// The limit of the whole request passed.
    pub(super) fn timed_out(limit: Duration) -> Failure {
        let detail = format!("the limit is {}", humantime::format_duration(limit));
        Failure::new(NetworkErrorKind::TimedOut, detail)
    }

    /// The limit of one step before the request passed.
    pub(super) fn slow(step: &str) -> Failure {
        let limit = humantime::format_duration(limits::CONNECT);
        Failure::new(NetworkErrorKind::TimedOut, format!("{step} took more than {limit}"))
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

/// Whether a read or write ended at its deadline.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// An I/O error in plain words, without "(os error 111)".
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ended before the whole response was there".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "the server closed it".to_owned()
        }
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::Other => error.to_string(),
        kind if error.raw_os_error().is_some() && kind.to_string() == "uncategorized error" => {
            error.to_string()
        }
        kind => kind.to_string(),
    }
}
