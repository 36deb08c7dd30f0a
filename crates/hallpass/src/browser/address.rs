//! URLs that may be passed to another program.

use std::io;

use url::Url;

use crate::protocol::issuer::is_loopback;

/// Parses a URL that is `https`, or `http` on this computer. A server's metadata may name anything, such as a `file:` URL or
/// an option of the program.
pub(super) fn check(text: &str) -> io::Result<Url> {
    let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    if text.contains(char::is_control) {
        return refused("the URL contains control characters");
    }
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(url),
        Ok(url) if url.scheme() == "http" && is_loopback(&url) => Ok(url),
        Ok(_) => refused("the URL is neither https nor on this computer"),
        Err(_) => refused("not a valid URL"),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn n18_p23_only_web_urls_are_opened() {
        for bad in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "--help",
            "-https://a.example",
            "\";touch x;\"",
            "https://a.example/\r\n--help",
            "http://a.example/",
            "http://localhost.example/",
            "ftp://a.example",
            "data:text/html,x",
            "https:",
            "vbscript:x",
            "smb://198.51.100.7/share",
            "calculator:",
            "$(id)",
            "'https://a.example'",
            "https://a b",
            "https://a.example/\n-x",
            "http://127.0.0.1.a.example/",
            " ",
            "",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn n18_p23_a_url_keeps_its_bytes_and_loses_its_spaces() {
        let url = "https://a.example/x?a=1&b=%26%27;c=(d)^e&f=g+h%20i";
        assert_eq!(check(url).unwrap().as_str(), url);
        assert_eq!(check("https://a.example/a b?c d").unwrap().as_str(), "https://a.example/a%20b?c%20d");
        for ours in ["http://127.0.0.1:4000/x", "http://localhost:1/", "http://[::1]:9/"] {
            assert_eq!(check(ours).unwrap().as_str(), ours);
        }
    }
}
