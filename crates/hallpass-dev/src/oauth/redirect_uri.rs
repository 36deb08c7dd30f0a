//! Which redirect URIs a client may ask for (RFC 9700 §2.1, RFC 8252 §7.3).

/// Whether `requested` is `registered`, character for character, or differs from it in nothing but
/// the port of an `http` loopback literal.
///
/// Only the text is judged. A URL parser would turn `127.1`, `0x7f.1` and `HTTP://127.0.0.1` into
/// the registered value, and a client that relies on that fails at every other server.
pub(crate) fn matches(registered: &str, requested: &str) -> bool {
    registered == requested || LOOPBACK.iter().any(|literal| same_but_port(literal, registered, requested))
}

const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

fn same_but_port(literal: &str, registered: &str, requested: &str) -> bool {
    let tail = |uri| after_port(str::strip_prefix(uri, literal)?);
    tail(registered).is_some_and(|registered| tail(requested) == Some(registered))
}

/// What follows an optional, well-formed port: the path and query. `None` where the host goes on.
fn after_port(rest: &str) -> Option<&str> {
    let tail = match rest.strip_prefix(':') {
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            is_port(&rest[..end]).then(|| &rest[end..])?
        }
        None => rest,
    };
    (tail.is_empty() || tail.starts_with(['/', '?'])).then_some(tail)
}

fn is_port(digits: &str) -> bool {
    !digits.starts_with('0') && digits.parse::<u16>().is_ok()
}

/// What may be registered, for whoever gave something else.
pub(crate) const ALLOWED: &str = "http://127.0.0.1 or http://[::1] (any port), http://localhost:PORT, https://HOST, \
                                  or a scheme with a dot (com.example.app:/…), without fragment";

/// Whether a URI may be registered: printable ASCII without fragment (RFC 6749 §3.1.2), and one that could get a
/// code back to its client. As in [`matches`] the text is judged: `http://127.1` would never match, and what a
/// client has to write differently elsewhere shall not work here.
pub(crate) fn may_be_registered(uri: &str) -> bool {
    let printable = uri.bytes().all(|b| b.is_ascii_graphic());
    let scheme = url::Url::parse(uri).ok().map(|url| url.scheme().to_owned());
    let leads_to_its_client = match scheme.as_deref() {
        Some("http") => is_this_computer(uri),
        Some("https") => uri.starts_with("https://"),
        Some(scheme) => is_private_use(scheme),
        None => false,
    };
    printable && !uri.contains('#') && leads_to_its_client
}

/// Codes do not travel in the clear (RFC 9700 §2.6), except within one computer (RFC 8252 §7.3, §8.3).
fn is_this_computer(uri: &str) -> bool {
    let hosts = LOOPBACK.into_iter().chain(["http://localhost"]);
    hosts.filter_map(|host| uri.strip_prefix(host)).any(|rest| after_port(rest).is_some())
}

/// A domain in reverse order, so with a dot at least (RFC 8252 §7.1, §8.4); that leaves out `javascript:` and its
/// kind as well.
fn is_private_use(scheme: &str) -> bool {
    scheme.contains('.')
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
    fn the_two_families_do_not_stand_for_each_other() {
        assert!(!matches(V4, "http://[::1]:8080/callback"));
        assert!(!matches(V6, "http://127.0.0.1:8080/callback"));
    }

    #[test]
    fn a_redirect_uri_that_could_get_a_code_to_its_client_can_be_registered() {
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
            assert!(may_be_registered(right), "{right}");
        }
    }

    #[test]
    fn a_host_that_only_a_parser_takes_for_this_computer_cannot_be_registered() {
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
            assert!(!may_be_registered(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_redirect_uri_that_leads_to_nobody_or_to_anybody_cannot_be_registered() {
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
            assert!(!may_be_registered(wrong), "{wrong}");
        }
    }
}
