//! HTTP as Hallpass needs it: one request, one bounded response.

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

/// The most that is read of a response body: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Sends requests. The default, [`Client`], speaks HTTP/1.1 over rustls with the system's trust store. Implement it to
/// record requests, to block them, or to send them some other way.
///
/// An implementation must not follow redirects or send anything twice. It reads at most [`MAX_BODY_BYTES`] of a
/// body (and sets [`HttpResponse::truncated`] if there was more), and keeps [`HttpRequest::timeout`] for the whole
/// exchange.
pub trait Http: Send + Sync + 'static {
    /// Sends one request and reads the whole response, whatever its status.
    ///
    /// # Errors
    /// If there is no complete response: the kind of the error says why.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError>;

    /// Opens a connection for the next request to this origin, unless one that was used within the last four seconds
    /// is open. Sends no request, and a failure is ignored: the next request will report it. Does nothing by default.
    fn connect_ahead(&self, url: &Url) {
        let _ = url;
    }

    /// Returns how a request to this URL would be sent, as far as is known without sending it. By default, nothing is.
    ///
    /// # Errors
    /// The error such a request would fail with.
    fn route(&self, url: &Url) -> Result<Route, NetworkError> {
        let _ = url;
        Ok(Route::default())
    }
}

/// The route of a request. `None` means unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Route {
    /// The proxy, without its credentials; `Some(None)` is a direct connection.
    pub proxy: Option<Option<String>>,
    /// The trusted certificate authorities, in words; `None` without TLS.
    pub trust: Option<String>,
}

/// A request.
pub struct HttpRequest {
    /// The URL.
    pub url: Url,
    /// The body of a `POST`, encoded as `application/x-www-form-urlencoded`; `None` makes it a `GET`.
    pub form: Option<Zeroizing<String>>,
    /// The value of `Authorization`, if any.
    pub authorization: Option<Secret>,
    /// The limit for the whole exchange, connecting included. Defaults to 30 s; connecting alone may take 10 s.
    pub timeout: Duration,
}

impl HttpRequest {
    /// Creates a `GET` that asks for JSON.
    pub fn get(url: Url) -> HttpRequest {
        HttpRequest { url, form: None, authorization: None, timeout: Duration::from_secs(30) }
    }

    /// Creates a `POST` of an encoded form that asks for JSON.
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

/// A response. Its body may hold secrets: `Debug` shows only its size.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`MAX_BODY_BYTES`].
    pub body: Zeroizing<Vec<u8>>,
    /// Whether the body went on beyond the limit.
    pub truncated: bool,
}

impl HttpResponse {
    /// Returns the first value of a header. The name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the time by the server's clock (`Date`, RFC 9110 §6.6.1), plus the time a cache has kept the response
    /// (`Age`, RFC 9111 §5.1).
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
        let response = HttpResponse { status: 200, headers, body: Vec::new().into(), truncated: false };
        response.date().map(|date| date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn a_date_is_that_of_the_response_plus_its_time_in_a_cache() {
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
