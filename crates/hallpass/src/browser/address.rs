//! What may be handed to another program.

use std::io;

use url::Url;

use crate::protocol::issuer::is_loopback;

/// The address, parsed and written anew: `https`, or `http` to this computer. A server's metadata may name anything, a
/// `file:` or an option of the program among it.
pub(super) fn judge(text: &str) -> io::Result<Url> {
    let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    if text.contains(char::is_control) {
        return refused("the address has control characters in it");
    }
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(url),
        Ok(url) if url.scheme() == "http" && is_loopback(&url) => Ok(url),
        Ok(_) => refused("the address is neither https nor on this computer"),
        Err(_) => refused("the address is no URL"),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn n18_p23_only_addresses_of_the_web_are_opened() {
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
            assert!(judge(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn n18_p23_an_address_keeps_its_bytes_and_loses_its_spaces() {
        let url = "https://a.example/x?a=1&b=%26%27;c=(d)^e&f=g+h%20i";
        assert_eq!(judge(url).unwrap().as_str(), url);
        assert_eq!(judge("https://a.example/a b?c d").unwrap().as_str(), "https://a.example/a%20b?c%20d");
        for ours in ["http://127.0.0.1:4000/x", "http://localhost:1/", "http://[::1]:9/"] {
            assert_eq!(judge(ours).unwrap().as_str(), ours);
        }
    }
}
