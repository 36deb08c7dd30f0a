//! Redirect URIs: which can be registered, and which match (RFC 9700 §2.1, RFC 8252 §7.3).

use url::Url;

/// The loopback IP literals, for which any port matches (RFC 8252 §7.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// The redirect URIs that can be registered, for error messages.
pub(crate) const ALLOWED: &str = "http://127.0.0.1 or http://[::1] (any port), http://localhost:PORT, https://HOST, \
                                  or a scheme with a dot (com.example.app:/…), without a fragment";

/// Returns whether `requested` equals `registered`. For loopback IP literals the port may differ.
///
/// Compares the text, not parsed URLs: a parser turns `127.1`, `0x7f.1` and `HTTP://127.0.0.1` into the registered
/// value, and a client that relies on that fails at every other server.
pub(crate) fn matches(registered: &str, requested: &str) -> bool {
    let differ_in_port = |origin: &&str| {
        let path = after_origin(origin, registered);
        path.is_some() && path == after_origin(origin, requested)
    };
    registered == requested || LOOPBACK.iter().any(differ_in_port)
}

/// Returns the path and query that follow `origin` and an optional port.
fn after_origin<'a>(origin: &str, uri: &'a str) -> Option<&'a str> {
    let mut rest = uri.strip_prefix(origin)?;
    if let Some(port) = rest.strip_prefix(':') {
        let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
        let (digits, after) = port.split_at(end);
        if digits.starts_with('0') || digits.parse::<u16>().is_err() {
            return None;
        }
        rest = after;
    }
    if rest.is_empty() || rest.starts_with(['/', '?']) { Some(rest) } else { None }
}

/// Returns whether a URI can be registered: printable ASCII without a fragment (RFC 6749 §3.1.2), leading back to the
/// client that registered it.
///
/// Like [`matches`], it looks at the text: `http://127.1` would never match.
pub(crate) fn can_be_registered(uri: &str) -> bool {
    if uri.contains('#') || !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return false;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    match url.scheme() {
        // Without TLS a code may only travel within one machine (RFC 9700 §2.6, RFC 8252 §8.3).
        "http" => {
            let mut origins = LOOPBACK.into_iter().chain(["http://localhost"]);
            origins.any(|origin| after_origin(origin, uri).is_some())
        }
        "https" => uri.starts_with("https://"),
        // A domain in reverse order, so it has a dot (RFC 8252 §7.1, §8.4). This rules out `javascript:` as well.
        scheme => scheme.contains('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str = "http://127.0.0.1/callback";
    const V6: &str = "http://[::1]/callback";
    const FIXED: &str = "http://localhost:9999/callback";

    #[test]
    fn s02_any_port_of_a_loopback_literal_matches() {
        for port in ["", ":1", ":80", ":8080", ":65535"] {
            assert!(matches(V4, &format!("http://127.0.0.1{port}/callback")), "{port}");
            assert!(matches(V6, &format!("http://[::1]{port}/callback")), "{port}");
        }
        assert!(matches("http://127.0.0.1:7777/callback", "http://127.0.0.1:8888/callback"));
    }

    #[test]
    fn s02_localhost_matches_exactly_or_not_at_all() {
        assert!(matches(FIXED, FIXED));
        for other in
            ["http://localhost:9998/callback", "http://localhost/callback", "http://127.0.0.1:9999/cb"]
        {
            assert!(!matches(FIXED, other), "{other}");
        }
    }

    #[test]
    fn s01_everything_but_the_port_is_compared_character_for_character() {
        for other in [
            "http://127.0.0.1:8080/callback/",
            "http://127.0.0.1:8080/Callback",
            "http://127.0.0.1:8080/other",
            "http://127.0.0.1:8080/callback?a=b",
            "http://127.0.0.1:8080/callback?",
            "http://127.0.0.1:8080/callback#top",
            "http://127.0.0.1:8080/./callback",
            "http://127.0.0.1:8080/%63allback",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:08080/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:80@evil.test/callback",
            "http://user@127.0.0.1:8080/callback",
            "http://user:pw@127.0.0.1:8080/callback",
            "http://127.0.0.1.evil.test/callback",
            "http://127.0.0.1.:8080/callback",
            "http://127.0.0.2:8080/callback",
            "http://127.1:8080/callback",
            "http://0x7f.1:8080/callback",
            "http://2130706433:8080/callback",
            "http://0177.0.0.1:8080/callback",
            "http://[::ffff:127.0.0.1]:8080/callback",
            "http://[0:0:0:0:0:0:0:1]:8080/callback",
            "http://[::1%25lo]:8080/callback",
            "https://127.0.0.1:8080/callback",
            "HTTP://127.0.0.1:8080/callback",
            "http:/127.0.0.1:8080/callback",
            "http:\\\\127.0.0.1:8080\\callback",
            " http://127.0.0.1:8080/callback",
            "http://127.0.0.1:8080/callback ",
            "http://localhost:8080/callback",
            "",
        ] {
            assert!(!matches(V4, other), "{other}");
            assert!(!matches(V6, other), "{other}");
        }
    }

    #[test]
    fn ipv4_and_ipv6_loopback_do_not_match_each_other() {
        assert!(!matches(V4, "http://[::1]:8080/callback"));
        assert!(!matches(V6, "http://127.0.0.1:8080/callback"));
    }

    #[test]
    fn a_redirect_uri_that_leads_back_to_its_client_can_be_registered() {
        for right in [
            V4,
            V6,
            FIXED,
            "http://127.0.0.1",
            "http://127.0.0.1:7777/callback",
            "http://[::1]:7777?x=1",
            "http://localhost/callback",
            "https://tool.example/cb?x=1",
            "https://127.0.0.1:8443/cb",
            "com.example.tool:/callback",
            "com.example.tool://callback",
        ] {
            assert!(can_be_registered(right), "{right}");
        }
    }

    #[test]
    fn a_host_that_only_a_parser_takes_for_loopback_cannot_be_registered() {
        for wrong in [
            "http://127.1/cb",
            "http://0x7f.1/cb",
            "http://2130706433/cb",
            "http://0177.0.0.1/cb",
            "http://127.0.0.2/cb",
            "http://127.0.0.1./cb",
            "http://127.0.0.1.evil.test/cb",
            "http://127.0.0.1:80@evil.test/cb",
            "http://user@127.0.0.1/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:99999/cb",
            "http://[::ffff:127.0.0.1]/cb",
            "http://[0:0:0:0:0:0:0:1]/cb",
            "http://localhost.evil.test/cb",
            "http://LOCALHOST/cb",
            "HTTP://127.0.0.1/cb",
            "http:/127.0.0.1/cb",
            "http:127.0.0.1/cb",
            "http:\\\\127.0.0.1\\cb",
        ] {
            assert!(!can_be_registered(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_redirect_uri_that_does_not_lead_back_to_its_client_cannot_be_registered() {
        for wrong in [
            "http://tool.example/cb",
            "http://192.168.0.7/cb",
            "https:tool.example/cb",
            "https://",
            "https://tool.example/#x",
            "http://127.0.0.1/#",
            "com.example.tool:/callback#x",
            "mytool:/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///tmp/x",
            "urn:ietf:wg:oauth:2.0:oob",
            "ws://127.0.0.1/cb",
            "/callback",
            "127.0.0.1/callback",
            "http://a b/",
            "https://ä/",
            " http://127.0.0.1/callback",
            "",
        ] {
            assert!(!can_be_registered(wrong), "{wrong}");
        }
    }
}
