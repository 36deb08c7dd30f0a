//! The issuer: who the server says it is.

use std::borrow::Cow;

use serde_json::{Map, Value};
use url::{Host, Url};

use crate::error::Misuse;

/// An issuer identifier, kept byte for byte: issuers are compared as strings (RFC 8414 §3.3).
///
/// It is `https`, or `http` on a loopback host for a server on this machine; it has no query, no
/// fragment and no user name (RFC 8414 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    literal: String,
    url: Url,
}

impl Issuer {
    /// Checks and keeps an issuer.
    ///
    /// # Errors
    /// [`Misuse::Setting`] names what is wrong with it.
    pub fn parse(literal: &str) -> Result<Issuer, Misuse> {
        let problem =
            |what: &str| Misuse::setting("issuer", format!("\"{}\" {what}", crate::sanitize::text(literal)));
        let url =
            Url::parse(literal).map_err(|_| problem("is not a URL (example: https://login.example.com)"))?;
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(problem("must have no query, no fragment and no user name"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(problem("must be https (http is accepted on a loopback address only)")),
            _ => return Err(problem("must be https")),
        }
        Ok(Issuer { literal: literal.to_owned(), url })
    }

    /// The issuer exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.literal
    }

    /// The issuer as a URL, for building addresses from it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host, for a profile's name and for messages.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether this is a server on this machine without TLS: only then may its endpoints be http.
    pub fn is_http_on_loopback(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether two issuers differ by one trailing slash only, a difference that servers and their
    /// guides cannot agree on (Auth0, Authentik, Okta).
    pub fn differs_by_slash(&self, other: &str) -> bool {
        self.literal.strip_suffix('/') == Some(other) || other.strip_suffix('/') == Some(&self.literal)
    }
}

/// Whether a URL's host is a loopback address, judged after parsing and never by how it is spelled.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// An issuer that is not ours, for a message that names ours beside it: what cannot be seen, or only looks like another
/// letter, is spelled out, so that the two never look the same.
pub(crate) fn escaped(found: &str) -> String {
    let spelled = found.chars().take(300).map(|c| match c {
        c if c.is_ascii_graphic() => c.to_string(),
        c => c.escape_unicode().to_string(),
    });
    crate::sanitize::text(&spelled.collect::<String>())
}

/// The part of a metadata document's issuer that stands for the tenant, where one document serves all of them
/// (Microsoft Entra ID); the claim `tid` of each ID token fills it in.
const TENANT: &str = "{tenantid}";

/// The issuer that an ID token with these claims has to name. It is what was asked for, but for the tenant.
pub(crate) fn for_tenant<'a>(issuer: &'a str, claims: &Map<String, Value>) -> Cow<'a, str> {
    let tenant = claims.get("tid").and_then(Value::as_str).filter(|tenant| is_tenant(tenant));
    match tenant.filter(|_| issuer.contains(TENANT)) {
        Some(tenant) => Cow::Owned(issuer.replace(TENANT, tenant)),
        None => Cow::Borrowed(issuer),
    }
}

fn is_tenant(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_of_an_id_token_fills_in_the_issuer_and_nothing_else_does() {
        let claims = |tid: Value| Map::from_iter([("tid".to_owned(), tid)]);
        let of_all = "https://login.example.com/{tenantid}/v2.0";
        let filled = |tid: &str| for_tenant(of_all, &claims(tid.into())).into_owned();
        assert_eq!(filled("9188040d-6c67"), "https://login.example.com/9188040d-6c67/v2.0");
        for tid in ["", "a/b", "../x", "a.b", "{tenantid}", &"a".repeat(65)] {
            assert_eq!(filled(tid), of_all, "{tid}");
        }
        assert_eq!(for_tenant(of_all, &claims(7.into())), of_all);
        assert_eq!(for_tenant("https://a.example", &claims("t".into())), "https://a.example");
    }

    #[test]
    fn n35_https_and_http_on_loopback_are_issuers() {
        for good in [
            "https://login.example.com",
            "https://a.example/t/1/",
            "http://127.0.0.1:4000",
            "http://[::1]:1/x",
        ] {
            assert_eq!(Issuer::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn n35_plain_http_to_anywhere_else_and_all_that_is_no_address_are_refused() {
        for bad in [
            "login.example.com",
            "",
            "http://example.com",
            "http://127.0.0.1.evil.test",
            "http://localhost.evil.test",
            "ftp://a.example",
            "https://a.example/?x",
            "https://a.example/#f",
            "https://user@a.example",
            "file:///etc/passwd",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn p59_two_issuers_that_are_not_the_same_never_look_the_same() {
        for (found, shown) in [
            ("https://a.example/", "https://a.example/"),
            ("https://a.example ", "https://a.example\\u{20}"),
            ("https://a\u{200b}.example", "https://a\\u{200b}.example"),
            ("https://\u{430}.example", "https://\\u{430}.example"),
            ("https://a.example\u{1b}[31m\n", "https://a.example\\u{1b}[31m\\u{a}"),
        ] {
            assert_eq!(escaped(found), shown);
        }
        assert_eq!(escaped(&"\n".repeat(1 << 20)).chars().count(), 301);
    }

    #[test]
    fn one_slash_is_the_only_difference_that_counts_as_none() {
        let issuer = Issuer::parse("https://a.example/t").unwrap();
        assert!(issuer.differs_by_slash("https://a.example/t/"));
        assert!(!issuer.differs_by_slash("https://a.example/t//"));
        assert!(!issuer.differs_by_slash("https://A.example/t/"));
        assert!(!issuer.differs_by_slash("https://a.example/t"));
    }
}
