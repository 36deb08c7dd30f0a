//! The head of one HTTP request, bounded in size and time.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Fits callbacks with long codes and a forwarding proxy's headers.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// A browser sends its head at once; what takes longer is a preconnect or not a browser.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// Method, path, query and host of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) host: Option<String>,
    /// From `Sec-Purpose: prefetch` and the older `Purpose`: the user has not navigated yet.
    pub(super) is_prefetch: bool,
}

/// The first bytes of a connection, classified.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Request(Request),
    /// The browser speaks TLS: it insists on https for this host.
    TlsHello,
    /// Nothing, too much, too slow, or not HTTP.
    Noise,
}

pub(super) fn read(stream: &TcpStream) -> Incoming {
    let deadline = Instant::now() + READ_LIMIT;
    let mut head = Vec::with_capacity(2048);
    let mut buffer = [0; 4096];
    while head.len() < MAX_HEAD_BYTES {
        let Ok(count @ 1..) = read_some(stream, &mut buffer, deadline) else { return Incoming::Noise };
        head.extend_from_slice(&buffer[..count]);
        if head[0] == 0x16 {
            return Incoming::TlsHello;
        }
        match parse(&head) {
            Ok(Some(request)) => return Incoming::Request(request),
            Ok(None) => {}
            Err(_) => return Incoming::Noise,
        }
    }
    Incoming::Noise
}

/// Returns the query of a complete head.
#[cfg(any(test, fuzzing))]
pub(crate) fn query_of(head: &[u8]) -> Option<String> {
    parse(head).ok()??.query
}

fn read_some(mut stream: &TcpStream, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.read(buffer)
}

/// Parses a head; `None` while it is incomplete.
fn parse(head: &[u8]) -> Result<Option<Request>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut headers);
    if parsed.parse(head)?.is_partial() {
        return Ok(None);
    }
    let target = parsed.path.unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let header = |name: &str| {
        let mut found = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        found
            .next()
            .filter(|_| found.next().is_none())
            .and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let purpose = header("sec-purpose").or(header("purpose")).unwrap_or_default().to_ascii_lowercase();
    Ok(Some(Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        host: header("host").map(str::to_owned),
        is_prefetch: purpose.contains("prefetch") || purpose.contains("preview"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request {
        parse(head.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn path_query_and_host_are_split() {
        let request = request("GET /callback?code=a&x=b?c HTTP/1.1\r\nHOST: 127.0.0.1:5\r\n\r\n");
        assert_eq!((request.path.as_str(), request.query.as_deref()), ("/callback", Some("code=a&x=b?c")));
        assert_eq!(request.host.as_deref(), Some("127.0.0.1:5"));
    }

    #[test]
    fn two_hosts_count_as_none() {
        assert_eq!(request("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").host, None);
    }

    #[test]
    fn p03_a_prefetch_is_recognized() {
        assert!(request("GET / HTTP/1.1\r\nSec-Purpose: prefetch;prerender\r\n\r\n").is_prefetch);
        assert!(!request("GET / HTTP/1.1\r\n\r\n").is_prefetch);
    }

    #[test]
    fn half_a_head_is_incomplete_and_binary_is_an_error() {
        assert!(parse(b"GET / HTTP/1.1\r\nHost: a").unwrap().is_none());
        assert!(parse(b"\x00\x01\x02\r\n\r\n").is_err());
    }
}
