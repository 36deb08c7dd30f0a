//! Redirect URIs of native apps (RFC 8252 §7.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Url;

use crate::error::Misuse;

/// A redirect URI on this machine: `http://`, then `127.0.0.1`, `[::1]` or `localhost`, and optionally a port and path.
///
/// Without a port, any free one is used. Servers should accept that for `127.0.0.1` and `[::1]` (RFC 8252 §7.3), but
/// rarely do for `localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    host: LoopbackHost,
    port: Option<u16>,
    path: String,
}

/// The host of a redirect URI on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `127.0.0.1`, the default. Unlike the others, it does not depend on the hosts file, HSTS or IPv6.
    V4,
    /// `[::1]`.
    V6,
    /// `localhost`, for servers at which only that is registered. Hallpass then listens on IPv4 and IPv6.
    Localhost,
}

impl Default for RedirectUri {
    /// `http://127.0.0.1/callback`, with any free port.
    fn default() -> RedirectUri {
        RedirectUri { host: LoopbackHost::V4, port: None, path: "/callback".to_owned() }
    }
}

impl RedirectUri {
    /// `http://[::1]/callback`, with any free port: the default on machines without IPv4.
    pub fn default_v6() -> RedirectUri {
        RedirectUri { host: LoopbackHost::V6, ..RedirectUri::default() }
    }

    /// Parses a redirect URI, exactly as it is registered, for example `http://localhost:9999/callback`.
    ///
    /// # Errors
    /// [`Misuse::Setting`] if it is not `http` on a loopback host, if it has a query or fragment, or if browsers would
    /// change its path.
    pub fn parse(text: &str) -> Result<RedirectUri, Misuse> {
        let problem = |what: &str| {
            Misuse::setting("redirect_uri", format!("\"{}\" {what}", crate::sanitize::text(text)))
        };
        let rest = text.strip_prefix("http://").ok_or_else(|| {
            problem("must be an http:// URL on this computer (127.0.0.1, [::1] or localhost)")
        })?;
        if rest.contains(['\\', ' ']) {
            return Err(problem("must not contain spaces or backslashes"));
        }
        if rest.contains(['?', '#', '@']) {
            return Err(problem("must not contain a query, a fragment or a user name"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority).ok_or_else(|| problem("has no usable port"))?;
        let host = LoopbackHost::parse(host).ok_or_else(|| {
            problem(
                "must point to 127.0.0.1, [::1] or localhost, because the browser has to return to this computer",
            )
        })?;
        let uri = RedirectUri { host, port, path: path.to_owned() };
        match Url::parse(text).map_err(|_| problem("is not a URL"))?.path() {
            normalized if normalized == uri.path() => Ok(uri),
            normalized => Err(problem(&format!("has a path that browsers change to {normalized}"))),
        }
    }

    /// The host.
    pub fn host(&self) -> LoopbackHost {
        self.host
    }

    /// The port, if it is fixed.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path; `/` if the URI has none.
    pub fn path(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }

    /// The URI with the port that this program listens on.
    pub fn on_port(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host.as_str(), self.path)
    }
}

/// A redirect URI of another host or port that is forwarded to this program: for example, the published port of a
/// container, or the URL of a cloud development environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedUri {
    text: String,
    authority: String,
    path: String,
}

impl ForwardedUri {
    /// Parses a redirect URI with any host.
    ///
    /// # Errors
    /// [`Misuse::Setting`] if it is neither `http` nor `https`, or has a user name, query or fragment.
    pub fn parse(text: &str) -> Result<ForwardedUri, Misuse> {
        let problem = |what: &str| {
            Misuse::setting("redirect_uri", format!("\"{}\" {what}", crate::sanitize::text(text)))
        };
        let url = Url::parse(text).map_err(|_| problem("is not a URL"))?;
        let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(problem("must start with http:// or https://"));
        }
        if !is_bare || url.password().is_some() {
            return Err(problem("must not contain a query, a fragment or a user name"));
        }
        Ok(ForwardedUri {
            text: text.to_owned(),
            authority: url.authority().to_owned(),
            path: url.path().to_owned(),
        })
    }

    /// The URI exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port as in the browser's `Host` header, without the default port of the scheme.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl LoopbackHost {
    /// The host as it is written in a URI.
    pub fn as_str(self) -> &'static str {
        match self {
            LoopbackHost::V4 => "127.0.0.1",
            LoopbackHost::V6 => "[::1]",
            LoopbackHost::Localhost => "localhost",
        }
    }

    /// The addresses to listen on.
    pub fn addresses(self) -> &'static [IpAddr] {
        const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
        const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
        match self {
            LoopbackHost::V4 => &[V4],
            LoopbackHost::V6 => &[V6],
            LoopbackHost::Localhost => &[V4, V6],
        }
    }

    fn parse(host: &str) -> Option<LoopbackHost> {
        [LoopbackHost::V4, LoopbackHost::V6, LoopbackHost::Localhost]
            .into_iter()
            .find(|known| known.as_str() == host)
    }
}

/// Splits `host` or `host:port`. Port 0 means any port, like no port at all.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    // The colons of an IPv6 address are inside the brackets.
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let port: u16 = port.parse().ok()?;
            Some((host, Some(port).filter(|port| *port != 0)))
        }
        _ => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::issuer::is_loopback;

    #[test]
    fn p24_a_forwarded_uri_has_any_host_and_nothing_after_its_path() {
        let uri = ForwardedUri::parse("https://box-8080.dev.example/callback").unwrap();
        assert_eq!((uri.authority(), uri.path()), ("box-8080.dev.example", "/callback"));
        assert_eq!(
            ForwardedUri::parse("http://localhost:9999/callback").unwrap().authority(),
            "localhost:9999"
        );
        for text in [
            "box/callback",
            "ftp://a/b",
            "https://a/b?c",
            "https://a/b#c",
            "https://u@a/b",
            "https://u:p@a/b",
        ] {
            assert!(ForwardedUri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_registered_uri_is_used_unchanged() {
        let uri = RedirectUri::parse("http://localhost:9999/callback").unwrap();
        assert_eq!((uri.host(), uri.port(), uri.path()), (LoopbackHost::Localhost, Some(9999), "/callback"));
        assert_eq!(uri.on_port(9999), "http://localhost:9999/callback");
    }

    #[test]
    fn a_missing_port_is_added_and_a_missing_path_is_not() {
        assert_eq!(RedirectUri::parse("http://127.0.0.1").unwrap().on_port(5), "http://127.0.0.1:5");
        assert_eq!(RedirectUri::parse("http://127.0.0.1:0/callback").unwrap().port(), None);
        assert_eq!(RedirectUri::parse("http://[::1]/cb").unwrap().on_port(7), "http://[::1]:7/cb");
        assert_eq!(RedirectUri::default().on_port(8), "http://127.0.0.1:8/callback");
    }

    #[test]
    fn only_loopback_hosts_are_accepted() {
        for bad in [
            "https://127.0.0.1/callback",
            "http://example.com/callback",
            "http://0.0.0.0:9/cb",
            "http://127.0.0.1.evil.test/",
            "http://localhost.evil.test:1/",
            "http://127.1/cb",
            "http://user@127.0.0.1/",
            "http://127.0.0.1/cb?x=1",
            "http://127.0.0.1/cb#f",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:x/",
            "myapp://callback",
            "",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_that_browsers_change_is_refused() {
        for path in ["/a/../callback", "/./callback", "/rückruf", "/call\tback", "/a\"b", "/<a>"] {
            assert!(RedirectUri::parse(&format!("http://127.0.0.1{path}")).is_err(), "{path}");
        }
        for path in ["/a//b", "/a%20b", "/%C3%BC", "/a/", "/a;b=c:d,e'f(g)!$&*+~"] {
            assert_eq!(RedirectUri::parse(&format!("http://[::1]:7{path}")).unwrap().path(), path);
        }
    }

    proptest! {
        /// Every accepted URI is absolute and without a fragment (RFC 6749 §3.1.2), and a browser requests exactly its path.
        #[test]
        fn n28_every_accepted_uri_is_absolute_and_has_nothing_after_its_path(
            host in "127\\.0\\.0\\.1|\\[::1\\]|localhost|\\PC{0,20}", port in "|:[0-9]{1,6}", path in "|/\\PC{0,30}|[/a-z.?#%@\\\\ ]{0,30}", bound: u16,
        ) {
            if let Ok(uri) = RedirectUri::parse(&format!("http://{host}{port}{path}")) {
                let sent = uri.on_port(bound.max(1));
                let url = Url::parse(&sent).unwrap();
                prop_assert!(sent.starts_with("http://") && url.fragment().is_none() && url.query().is_none(), "{sent}");
                prop_assert!(url.username().is_empty() && url.password().is_none() && is_loopback(&url), "{sent}");
                prop_assert_eq!((url.path(), url.port_or_known_default()), (uri.path(), Some(bound.max(1))));
            }
        }
    }
}
