//! A request with its body, read once and shared by journal, log and endpoint.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use crate::oauth::params::Params;

pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The authority of a request in absolute form.
    authority: Option<String>,
    headers: HeaderMap,
    pub(crate) query: Params,
    /// `None` unless the body is `application/x-www-form-urlencoded`.
    pub(crate) form: Option<Params>,
}

impl Received {
    pub(crate) fn new(parts: &Parts, body: &Bytes) -> Received {
        Received {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            authority: parts.uri.authority().map(|authority| authority.as_str().to_owned()),
            headers: parts.headers.clone(),
            query: Params::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            form: is_form(&parts.headers).then(|| Params::parse(body)),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether there is exactly one `Host`, it is `authority`, and an absolute form says the same (RFC 9112 §3.2).
    pub(crate) fn is_for(&self, authority: &str) -> bool {
        let mut hosts = self.headers.get_all(header::HOST).iter();
        hosts.next().is_some_and(|host| host == authority)
            && hosts.next().is_none()
            && self.authority.as_deref().is_none_or(|named| named == authority)
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The credentials of an `Authorization` header of this scheme (RFC 9110 §11.4).
    pub(crate) fn credentials(&self, scheme: &str) -> Option<&str> {
        let (found, credentials) = self.header("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then_some(credentials.trim_start())
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
