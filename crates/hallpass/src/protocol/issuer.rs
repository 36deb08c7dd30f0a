//! The issuer: who the server says it is.

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
            |what: &str| Misuse::setting("issuer", format!("\"{}\" {what}", crate::clean::text(literal)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_http_on_loopback_are_issuers() {
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
    fn anything_else_is_refused() {
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
    fn one_slash_is_the_only_difference_that_counts_as_none() {
        let issuer = Issuer::parse("https://a.example/t").unwrap();
        assert!(issuer.differs_by_slash("https://a.example/t/"));
        assert!(!issuer.differs_by_slash("https://a.example/t//"));
        assert!(!issuer.differs_by_slash("https://A.example/t/"));
        assert!(!issuer.differs_by_slash("https://a.example/t"));
    }
}
