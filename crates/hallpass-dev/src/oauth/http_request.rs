//! An HTTP request with its body, read once for the journal, the log and the endpoint.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use crate::oauth::params::Params;

/// A request that has been read completely.
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Params,
    /// The parameters of an `application/x-www-form-urlencoded` body. `None` for any other body.
    pub(crate) form: Option<Params>,
    headers: HeaderMap,
    /// The authority of a request target in absolute form.
    authority: Option<String>,
}

impl HttpRequest {
    pub(crate) fn new(parts: &Parts, body: &Bytes) -> HttpRequest {
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        HttpRequest {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: Params::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            form: if is_form { Some(Params::parse(body)) } else { None },
            headers: parts.headers.clone(),
            authority: parts.uri.authority().map(|authority| authority.as_str().to_owned()),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns whether the only `Host` header is `authority`, and a request target in absolute form agrees (RFC 9112
    /// §3.2).
    pub(crate) fn is_for(&self, authority: &str) -> bool {
        let hosts: Vec<_> = self.headers.get_all(header::HOST).iter().collect();
        let target = self.authority.as_deref().unwrap_or(authority);
        hosts == [authority] && target == authority
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
        cookies.find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Returns the credentials of the `Authorization` header, if it uses `scheme` (RFC 9110 §11.4).
    pub(crate) fn credentials(&self, scheme: &str) -> Option<&str> {
        match self.header("authorization")?.split_once(' ') {
            Some((found, credentials)) if found.eq_ignore_ascii_case(scheme) => {
                Some(credentials.trim_start())
            }
            _ => None,
        }
    }
}
