//! The proxy of a request, from the usual variables.
//!
//! A URL that leads to this computer never goes through a proxy, whatever the variables say: otherwise a proxy would
//! see the requests of a sign-in on loopback.

pub(crate) mod loopback;
mod no_proxy;

use std::fmt;

use url::Url;

use no_proxy::NoProxy;

/// The proxies of this process, one per scheme, and the hosts reached without one.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    https: Option<ProxyUrl>,
    http: Option<ProxyUrl>,
    all: Option<ProxyUrl>,
    no_proxy: NoProxy,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` through `lookup`, usually
    /// `|name| std::env::var(name).ok()`.
    ///
    /// The lower-case name wins; an empty value counts as unset. `HTTP_PROXY` in upper case is ignored if
    /// `REQUEST_METHOD` is set: in a CGI program it comes from a request header (CVE-2016-5385). A value that is not a
    /// usable proxy is an error only once a request would go through it.
    ///
    /// ```
    /// use hallpass::world::http::proxy::Proxies;
    ///
    /// let proxies = Proxies::from_lookup(|name| match name {
    ///     "HTTPS_PROXY" => Some("http://user:pass@proxy.example:3128".to_owned()),
    ///     "NO_PROXY" => Some(".corp.example,10.0.0.0/8".to_owned()),
    ///     _ => None,
    /// });
    /// let for_url = |url: &str| proxies.for_url(&url.parse().unwrap());
    /// assert_eq!(for_url("https://idp.example").unwrap().to_string(), "http://proxy.example:3128");
    /// assert!(for_url("https://idp.corp.example").is_none());
    /// assert!(for_url("https://10.1.2.3").is_none());
    /// ```
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Proxies {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let either = |lower: &str, upper: &str| get(lower).or_else(|| get(upper));
        let http = match get("REQUEST_METHOD") {
            Some(_) => get("http_proxy"),
            None => either("http_proxy", "HTTP_PROXY"),
        };
        let proxy = |name, value: Option<String>| value.map(|value| ProxyUrl::parse(name, &value));
        Proxies {
            https: proxy("HTTPS_PROXY", either("https_proxy", "HTTPS_PROXY")),
            http: proxy("HTTP_PROXY", http),
            all: proxy("ALL_PROXY", either("all_proxy", "ALL_PROXY")),
            no_proxy: NoProxy::parse(&either("no_proxy", "NO_PROXY").unwrap_or_default()),
        }
    }

    /// Returns the proxy for a request to `url`; `None` is a direct connection.
    pub fn for_url(&self, url: &Url) -> Option<&ProxyUrl> {
        if loopback::is_loopback(url) || self.no_proxy.contains(url) {
            return None;
        }
        let of_scheme = match url.scheme() {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        };
        of_scheme.or(self.all.as_ref())
    }
}

/// A proxy. Its user name and password are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    variable: &'static str,
    address: Result<Url, &'static str>,
}

impl ProxyUrl {
    fn parse(variable: &'static str, value: &str) -> ProxyUrl {
        ProxyUrl { variable, address: address(value.trim()) }
    }

    /// Returns the URL with its credentials, or why there is none (without quoting the value).
    pub(super) fn address(&self) -> Result<&Url, String> {
        self.address.as_ref().map_err(|problem| format!("{} {problem}", self.variable))
    }
}

/// Parses a value; `proxy.example:3128` means `http://proxy.example:3128`.
fn address(value: &str) -> Result<Url, &'static str> {
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&with_scheme).map_err(|_| "is not a URL")?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err("is not an http:// or https:// proxy; other kinds are not supported"),
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Ok(url) => f.write_str(&url.origin().ascii_serialization()),
            Err(_) => f.write_str(self.variable),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_lookup(|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn chosen(variables: &[(&str, &str)], url: &str) -> String {
        proxies(variables)
            .for_url(&url.parse().unwrap())
            .map_or_else(|| "direct".to_owned(), ToString::to_string)
    }

    #[test]
    fn p56_the_variables_choose_by_scheme_and_case() {
        let p = "http://p.example:3128";
        let q = "http://q.example:8080";
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let rows: &[Row] = &[
            (&[], "https://idp.example", "direct"),
            (&[("HTTPS_PROXY", p)], "https://idp.example", p),
            (&[("https_proxy", p)], "https://idp.example", p),
            (&[("https_proxy", q), ("HTTPS_PROXY", p)], "https://idp.example", q),
            (&[("https_proxy", ""), ("HTTPS_PROXY", p)], "https://idp.example", p),
            (&[("HTTPS_PROXY", p)], "http://idp.example", "direct"),
            (&[("HTTP_PROXY", p)], "https://idp.example", "direct"),
            (&[("HTTP_PROXY", p)], "http://idp.example", p),
            (&[("http_proxy", p)], "http://idp.example", p),
            (&[("HTTP_PROXY", p), ("REQUEST_METHOD", "GET")], "http://idp.example", "direct"),
            (&[("http_proxy", p), ("REQUEST_METHOD", "GET")], "http://idp.example", p),
            (&[("ALL_PROXY", p)], "https://idp.example", p),
            (&[("all_proxy", p)], "http://idp.example", p),
            (&[("ALL_PROXY", p), ("HTTPS_PROXY", q)], "https://idp.example", q),
            (&[("ALL_PROXY", p), ("NO_PROXY", "idp.example")], "https://idp.example", "direct"),
            (&[("HTTPS_PROXY", p), ("no_proxy", "a"), ("NO_PROXY", "*")], "https://idp.example", p),
            (&[("HTTPS_PROXY", "p.example:3128")], "https://idp.example", p),
            (&[("HTTPS_PROXY", " p.example:3128 ")], "https://idp.example", p),
            (&[("HTTPS_PROXY", "http://u:p%40ss@p.example:3128/")], "https://idp.example", p),
            (&[("HTTPS_PROXY", "https://p.example")], "https://idp.example", "https://p.example"),
        ];
        for (variables, url, expected) in rows {
            assert_eq!(chosen(variables, url), *expected, "{variables:?} {url}");
        }
    }

    #[test]
    fn p56_loopback_never_goes_through_a_proxy() {
        let all = &[("ALL_PROXY", "http://p.example:3128")];
        for host in [
            "127.0.0.1",
            "127.9.8.7",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0x7f.1",
        ] {
            assert_eq!(chosen(all, &format!("http://{host}:8080/x")), "direct", "{host}");
        }
        for host in ["localhost.example", "notlocalhost", "128.0.0.1", "[::2]", "[fe80::1]"] {
            assert_eq!(chosen(all, &format!("https://{host}")), "http://p.example:3128", "{host}");
        }
    }

    #[test]
    fn p56_credentials_are_never_shown() {
        let proxies = proxies(&[("HTTPS_PROXY", "http://name:s3cret@p.example:3128")]);
        let shown = format!("{proxies:?} {}", proxies.https.as_ref().unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("name"), "{shown}");
    }

    #[test]
    fn p56_a_value_that_is_not_a_proxy_is_an_error_when_used() {
        for (value, problem) in [
            ("socks5://p.example:1080", "ALL_PROXY is not an http"),
            ("http://", "ALL_PROXY is not a URL"),
            ("http://p.example:99999", "ALL_PROXY is not a URL"),
        ] {
            let proxies = proxies(&[("ALL_PROXY", value)]);
            let proxy = proxies.for_url(&"https://idp.example".parse().unwrap()).unwrap();
            assert!(proxy.address().unwrap_err().starts_with(problem), "{value}");
        }
    }
}
