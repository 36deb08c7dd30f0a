//! HTTP as the journeys need it: one request, one bounded answer.

mod client;
mod connection;
mod exchange;
mod failure;
mod limits;
mod origin;
mod pool;
pub mod proxy;
mod trust;

use std::time::{Duration, SystemTime};

pub use client::{Client, ClientSettings};
use url::Url;
use zeroize::Zeroizing;

use crate::error::NetworkError;
use crate::secret::Secret;

/// No answer is read further than this: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How requests are sent. The default speaks HTTP/1.1 over rustls with the system's trust store;
/// bring your own to record, to forbid, or to go through something else.
///
/// An implementation follows no redirect, sends nothing twice, reads at most [`MAX_BODY_BYTES`] of a
/// body (and says so in [`HttpResponse::truncated`]), and keeps to [`HttpRequest::timeout`] over all.
pub trait Http: Send + Sync + 'static {
    /// Sends one request and reads the whole answer, whatever its status.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError>;

    /// Opens a connection that the next request to this origin can use, unless one that was used
    /// within the last four seconds is open. Sends no request; a failure is nobody's concern.
    fn connect_ahead(&self, url: &Url) {
        let _ = url;
    }

    /// How a request to this address would go, as far as that can be said without sending it. Defaults to nothing.
    ///
    /// # Errors
    /// What such a request would fail with.
    fn route(&self, url: &Url) -> Result<Route, NetworkError> {
        let _ = url;
        Ok(Route::default())
    }
}

/// The way of a request. What is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Route {
    /// The proxy, without its credentials; `Some(None)` is a direct connection.
    pub proxy: Option<Option<String>>,
    /// Whose certificates are believed, in words; `None` also where nobody shows any.
    pub trust: Option<String>,
}

/// One request.
pub struct HttpRequest {
    /// Where to.
    pub url: Url,
    /// The form of a `POST` (already encoded, `application/x-www-form-urlencoded`); `None` is a `GET`.
    pub form: Option<Zeroizing<String>>,
    /// The value of `Authorization`, if any.
    pub authorization: Option<Secret>,
    /// Limit for the whole exchange, connecting included. Defaults to 30 s; connecting alone gets 10 s.
    pub timeout: Duration,
}

impl HttpRequest {
    /// A `GET` that asks for JSON.
    pub fn get(url: Url) -> HttpRequest {
        HttpRequest { url, form: None, authorization: None, timeout: Duration::from_secs(30) }
    }

    /// A `POST` of an encoded form that asks for JSON.
    pub fn post(url: Url, form: Zeroizing<String>) -> HttpRequest {
        HttpRequest { form: Some(form), ..HttpRequest::get(url) }
    }
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = if self.form.is_some() { "POST" } else { "GET" };
        write!(f, "{method} {}{}", self.url.origin().ascii_serialization(), self.url.path())
    }
}

/// One answer. Its body may hold secrets: `Debug` shows only its size.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with values that are text.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`MAX_BODY_BYTES`].
    pub body: Zeroizing<Vec<u8>>,
    /// The body went on beyond the limit.
    pub truncated: bool,
}

impl HttpResponse {
    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// What the server's clock shows (RFC 9110 §6.6.1). The time that a cache kept the answer for is counted in
    /// (RFC 9111 §5.1).
    pub fn date(&self) -> Option<SystemTime> {
        let date = httpdate::parse_http_date(self.header("date")?).ok()?;
        let age = self.header("age").and_then(|age| age.trim().parse().ok()).unwrap_or_default();
        date.checked_add(Duration::from_secs(age))
    }
}

impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(headers: &[(&str, &str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let answer = HttpResponse { status: 200, headers, body: Vec::new().into(), truncated: false };
        answer.date().map(|date| date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn a_date_is_that_of_the_answer_and_of_its_time_in_a_cache() {
        let of_2023 = ("date", "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(date(&[of_2023]), Some(1_700_000_000));
        assert_eq!(date(&[of_2023, ("age", " 600")]), Some(1_700_000_600));
        assert_eq!(date(&[of_2023, ("age", "old")]), Some(1_700_000_000));
        assert_eq!(date(&[of_2023, ("age", "18446744073709551615")]), None);
        for headers in [&[][..], &[("date", "today")], &[("date", "")], &[("age", "600")]] {
            assert_eq!(date(headers), None, "{headers:?}");
        }
    }
}
