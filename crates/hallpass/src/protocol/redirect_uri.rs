//! The redirect URI of a native app: a loopback address (RFC 8252 §7.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Url;

use crate::error::Misuse;

/// Where the browser brings the answer: `http`, a loopback literal or `localhost`, a path.
///
/// Without a port, any free one is taken, which servers accept for the literals `127.0.0.1` and
/// `[::1]` (RFC 8252 §7.3) and seldom for `localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    host: LoopbackHost,
    port: Option<u16>,
    path: String,
}

/// How the redirect URI spells the loopback interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `127.0.0.1`: the default, and the only one that no hosts file, no HSTS rule and no IPv6 switch touches.
    V4,
    /// `[::1]`.
    V6,
    /// `localhost`, for registrations that insist on it; both families are served.
    Localhost,
}

impl Default for RedirectUri {
    /// `http://127.0.0.1/callback` on any free port.
    fn default() -> RedirectUri {
        RedirectUri { host: LoopbackHost::V4, port: None, path: "/callback".to_owned() }
    }
}

impl RedirectUri {
    /// `http://[::1]/callback` on any free port: the default of a computer that has no IPv4 (RFC 8252 §7.3 makes no
    /// assumption about the family).
    pub fn default_v6() -> RedirectUri {
        RedirectUri { host: LoopbackHost::V6, ..RedirectUri::default() }
    }

    /// Reads a redirect URI exactly as it is registered, for example `http://localhost:9999/callback`.
    ///
    /// # Errors
    /// [`Misuse::Setting`] where it is not plain http to a loopback host, has a query or fragment, or a path that a
    /// browser would ask for by another spelling.
    pub fn parse(text: &str) -> Result<RedirectUri, Misuse> {
        let problem = |what: &str| {
            Misuse::setting("redirect_uri", format!("\"{}\" {what}", crate::sanitize::text(text)))
        };
        let rest = text
            .strip_prefix("http://")
            .ok_or_else(|| problem("must start with http:// (a loopback address has no certificate)"))?;
        if rest.contains(['?', '#', '@', '\\', ' ']) {
            return Err(problem("must have no query, no fragment and no user name"));
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (host, port) = split_port(authority).ok_or_else(|| problem("has no usable port"))?;
        let host = LoopbackHost::parse(host).ok_or_else(|| {
            problem(
                "must point to 127.0.0.1, [::1] or localhost: the answer has to come back to this computer",
            )
        })?;
        let uri = RedirectUri { host, port, path: path.to_owned() };
        match Url::parse(text).map_err(|_| problem("is not a URL"))?.path() {
            asked_for if asked_for == uri.path() => Ok(uri),
            asked_for => Err(problem(&format!("has a path that browsers ask for as {asked_for}"))),
        }
    }

    /// How the host is spelled.
    pub fn host(&self) -> LoopbackHost {
        self.host
    }

    /// The port, if it is fixed.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path that the answer must come on; `/` where the URI has none.
    pub fn path(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }

    /// The URI with the port that was bound.
    pub fn on_port(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host.as_str(), self.path)
    }
}

/// A redirect URI that something forwards to where this program listens: a published port of a container, a
/// development environment's address. Sent exactly as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedUri {
    text: String,
    authority: String,
    path: String,
}

impl ForwardedUri {
    /// Reads a redirect URI of any host.
    ///
    /// # Errors
    /// [`Misuse::Setting`] where it is neither http nor https, or has a user name, query or fragment.
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
            return Err(problem("must have no query, no fragment and no user name"));
        }
        Ok(ForwardedUri {
            text: text.to_owned(),
            authority: url.authority().to_owned(),
            path: url.path().to_owned(),
        })
    }

    /// As it is registered and sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port as a browser names them, the scheme's own port left out.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path that the answer must come on.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl LoopbackHost {
    /// As it stands in a URI.
    pub fn as_str(self) -> &'static str {
        match self {
            LoopbackHost::V4 => "127.0.0.1",
            LoopbackHost::V6 => "[::1]",
            LoopbackHost::Localhost => "localhost",
        }
    }

    /// The addresses to listen on, as far as this machine has them.
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

/// `host` and `host:port`; port 0 means any, like no port at all.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_bracket = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[after_bracket..].rfind(':') {
        None => Some((authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at(after_bracket + colon);
            let port: u16 = port[1..].parse().ok()?;
            Some((host, (port != 0).then_some(port)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::issuer::is_loopback;

    #[test]
    fn p24_a_forwarded_uri_may_have_any_host_and_nothing_behind_its_path() {
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
    fn a_registered_uri_is_used_to_the_letter() {
        let uri = RedirectUri::parse("http://localhost:9999/callback").unwrap();
        assert_eq!((uri.host(), uri.port(), uri.path()), (LoopbackHost::Localhost, Some(9999), "/callback"));
        assert_eq!(uri.on_port(9999), "http://localhost:9999/callback");
    }

    #[test]
    fn without_a_port_or_path_the_bound_port_is_added_and_no_path_invented() {
        assert_eq!(RedirectUri::parse("http://127.0.0.1").unwrap().on_port(5), "http://127.0.0.1:5");
        assert_eq!(RedirectUri::parse("http://127.0.0.1:0/callback").unwrap().port(), None);
        assert_eq!(RedirectUri::parse("http://[::1]/cb").unwrap().on_port(7), "http://[::1]:7/cb");
        assert_eq!(RedirectUri::default().on_port(8), "http://127.0.0.1:8/callback");
    }

    #[test]
    fn nothing_but_the_loopback_interface_is_accepted() {
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
    fn a_path_that_browsers_spell_otherwise_is_refused() {
        for path in ["/a/../callback", "/./callback", "/rückruf", "/call\tback", "/a\"b", "/<a>"] {
            assert!(RedirectUri::parse(&format!("http://127.0.0.1{path}")).is_err(), "{path}");
        }
        for path in ["/a//b", "/a%20b", "/%C3%BC", "/a/", "/a;b=c:d,e'f(g)!$&*+~"] {
            assert_eq!(RedirectUri::parse(&format!("http://[::1]:7{path}")).unwrap().path(), path);
        }
    }

    proptest! {
        /// Whatever is configured: what is sent is absolute, has no fragment (RFC 6749 §3.1.2), and is where a browser
        /// that is sent there comes back to, to the letter.
        #[test]
        fn n28_every_uri_that_is_accepted_is_absolute_and_has_nothing_behind_its_path(
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
