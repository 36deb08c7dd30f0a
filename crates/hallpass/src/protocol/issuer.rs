//! Issuer identifiers (RFC 8414 §2).

use std::borrow::Cow;

use serde_json::{Map, Value};
use url::{Host, Url};

use crate::error::Misuse;

/// An issuer identifier, the URL by which an authorization server identifies itself. Issuers are compared byte for byte
/// (RFC 8414 §3.3).
///
/// The URL is `https`, or `http` on a loopback host for a server on this machine. It has no query, fragment or user name
/// (RFC 8414 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    literal: String,
    url: Url,
}

impl Issuer {
    /// Parses an issuer.
    ///
    /// # Errors
    /// [`Misuse::Setting`] says what is wrong with it.
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
            return Err(problem("must not contain a query, a fragment or a user name"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(problem("must be https (http is accepted only on a loopback address)")),
            _ => return Err(problem("must be https")),
        }
        Ok(Issuer { literal: literal.to_owned(), url })
    }

    /// The issuer exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.literal
    }

    /// The issuer as a URL, to derive other URLs from.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host, for profile names and messages.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether this is a server on this machine without TLS. Only then may its endpoints be `http`.
    pub fn is_http_on_loopback(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether two issuers differ only by a trailing slash. Servers and their documentation disagree about it (Auth0,
    /// Authentik, Okta).
    pub fn differs_by_slash(&self, other: &str) -> bool {
        self.literal.strip_suffix('/') == Some(other) || other.strip_suffix('/') == Some(&self.literal)
    }
}

/// Whether a URL's host is a loopback address or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Returns an unexpected issuer for an error message, with everything but visible ASCII escaped: invisible characters and
/// look-alike letters must not make it look like the expected one.
pub(crate) fn escaped(found: &str) -> String {
    let mut text = String::new();
    for c in found.chars().take(300) {
        if c.is_ascii_graphic() {
            text.push(c);
        } else {
            text.extend(c.escape_unicode());
        }
    }
    crate::sanitize::text(&text)
}

/// The placeholder for the tenant in the issuer of a metadata document that serves all tenants (Microsoft Entra ID). The
/// claim `tid` of each ID token replaces it.
const TENANT: &str = "{tenantid}";

/// Returns the issuer that an ID token with these claims must have: `issuer`, with the tenant filled in.
pub(crate) fn for_tenant<'a>(issuer: &'a str, claims: &Map<String, Value>) -> Cow<'a, str> {
    let Some(tenant) = claims.get("tid").and_then(Value::as_str) else { return Cow::Borrowed(issuer) };
    let is_valid = (1..=64).contains(&tenant.len())
        && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_valid && issuer.contains(TENANT) {
        Cow::Owned(issuer.replace(TENANT, tenant))
    } else {
        Cow::Borrowed(issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_tenant_is_filled_into_the_issuer() {
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
    fn n35_https_and_http_on_loopback_are_accepted() {
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
    fn n35_http_to_other_hosts_and_malformed_issuers_are_refused() {
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
    fn p59_different_issuers_never_look_the_same() {
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
    fn issuers_may_differ_only_by_one_trailing_slash() {
        let issuer = Issuer::parse("https://a.example/t").unwrap();
        assert!(issuer.differs_by_slash("https://a.example/t/"));
        assert!(!issuer.differs_by_slash("https://a.example/t//"));
        assert!(!issuer.differs_by_slash("https://A.example/t/"));
        assert!(!issuer.differs_by_slash("https://a.example/t"));
    }
}
