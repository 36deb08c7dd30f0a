//! One request and its response over one connection (HTTP/1.1, RFC 9112).

use std::io;

use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use ureq_proto::http::{HeaderMap, Request, Response};
use ureq_proto::{BodyMode, Error};
use zeroize::{Zeroize, Zeroizing};

use super::connection::Stream;
use super::failure::{Failure, is_timeout, plain};
use super::{HttpResponse, MAX_BODY_BYTES, limits, trust};

const TOO_MANY_HEADERS: &str = "the headers of the response are too many or too large";

/// Room for the request line's and the headers' fixed parts.
const PRELUDE: usize = 1024;

/// Read at a time; more than [`limits::HEADERS`].
const INPUT: usize = limits::HEADERS + 8 * 1024;

/// Whether a connection can carry another request.
#[derive(PartialEq, Eq)]
pub(super) enum Reuse {
    Yes,
    No,
}

impl Reuse {
    fn unless(must_close: bool) -> Reuse {
        if must_close { Reuse::No } else { Reuse::Yes }
    }
}

/// The head of a response, with what is needed to read on.
pub(super) struct Head {
    pub(super) response: Response<()>,
    next: RecvResponseResult,
    input: Input,
}

/// Sends a request and reads its response.
pub(super) fn exchange(
    stream: &mut dyn Stream,
    request: Request<()>,
    body: &[u8],
) -> Result<(HttpResponse, Reuse), Failure> {
    let Head { response, next, mut input } = head(stream, request, body)?;
    let mut content = Content::new(response.headers());
    let reuse = match next {
        RecvResponseResult::RecvBody(call) => read_body(stream, call, &mut input, &mut content)?,
        RecvResponseResult::Redirect(call) => Reuse::unless(call.must_close_connection()),
        RecvResponseResult::Cleanup(call) => Reuse::unless(call.must_close_connection()),
    };
    let truncated = content.0.len() > MAX_BODY_BYTES;
    content.0.truncate(MAX_BODY_BYTES);
    let (status, headers) = (response.status().as_u16(), text_headers(response.headers()));
    let reuse = if input.is_empty() { reuse } else { Reuse::No };
    Ok((HttpResponse { status, headers, body: content.0, truncated }, reuse))
}

/// Sends a request and reads the head of its response.
pub(super) fn head(stream: &mut dyn Stream, request: Request<()>, body: &[u8]) -> Result<Head, Failure> {
    let (bytes, mut call) = written(request, body)?;
    stream.write_all(&bytes).and_then(|()| stream.flush()).map_err(|error| io_failure(&error))?;
    let mut input = Input::default();
    loop {
        let (used, response) =
            call.try_response(input.bytes(), false).map_err(|error| protocol_failure(&error))?;
        let size = if response.is_some() { used } else { input.bytes().len() };
        if size > limits::HEADERS {
            return Err(Failure::broken(TOO_MANY_HEADERS));
        }
        input.consume(used);
        if let Some(response) = response {
            let next = call.proceed().expect("the head is complete");
            return Ok(Head { response, next, input });
        }
        // An informational response was skipped if something was used: the final one may be here already.
        if used == 0 && input.fill(stream)? == 0 {
            return Err(ended_early());
        }
    }
}

/// Writes a request into one piece, head and body, so that it leaves in one packet.
fn written(request: Request<()>, body: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Call<RecvResponse>), Failure> {
    let headers: usize = request.headers().values().map(|value| value.len() + 64).sum();
    let room = PRELUDE + 2 * request.uri().to_string().len() + headers;
    let unwritable = |_: Error| Failure::unreachable("the request cannot be written as HTTP");
    let mut call = Call::new(request).map_err(unwritable)?.proceed();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + body.len()));
    bytes.resize(room, 0);
    let written = call.write(&mut bytes).map_err(unwritable)?;
    bytes.truncate(written);
    bytes.extend_from_slice(body);
    let call = match call.proceed().map_err(unwritable)? {
        Some(SendRequestResult::RecvResponse(call)) => Some(call),
        Some(SendRequestResult::SendBody(mut call)) => {
            call.consume_direct_write(body.len()).map_err(unwritable)?;
            call.proceed()
        }
        _ => None,
    };
    Ok((bytes, call.ok_or_else(|| Failure::unreachable("the request cannot be written as HTTP"))?))
}

/// Reads a body up to one byte beyond the limit. The connection of a body that goes on is closed, not drained.
fn read_body(
    stream: &mut dyn Stream,
    mut call: Call<RecvBody>,
    input: &mut Input,
    content: &mut Content,
) -> Result<Reuse, Failure> {
    let ends_with_connection = call.body_mode() == BodyMode::CloseDelimited;
    while !call.can_proceed() || ends_with_connection {
        let used = content.take(&mut call, input)?;
        if content.0.len() > MAX_BODY_BYTES {
            return Ok(Reuse::No);
        }
        if used == 0 && input.fill(stream)? == 0 {
            // Some servers close right after the last chunk, without the empty line behind it.
            let is_whole = ends_with_connection || call.is_ended_chunked();
            return if is_whole { Ok(Reuse::No) } else { Err(ended_early()) };
        }
    }
    Ok(match call.proceed() {
        Some(RecvBodyResult::Redirect(call)) => Reuse::unless(call.must_close_connection()),
        Some(RecvBodyResult::Cleanup(call)) => Reuse::unless(call.must_close_connection()),
        None => Reuse::No,
    })
}

/// Bytes that arrived and are not used yet. Responses carry tokens: all of it is wiped.
#[derive(Default)]
struct Input {
    buffer: Zeroizing<Vec<u8>>,
    used: usize,
    filled: usize,
}

impl Input {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.used..self.filled]
    }

    fn is_empty(&self) -> bool {
        self.used == self.filled
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount;
    }

    /// Reads once; 0 at the end of the stream.
    fn fill(&mut self, stream: &mut dyn Stream) -> Result<usize, Failure> {
        self.buffer.resize(INPUT, 0);
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        self.buffer[self.filled..].zeroize();
        let amount = stream.read(&mut self.buffer[self.filled..]).map_err(|error| io_failure(&error))?;
        self.filled += amount;
        Ok(amount)
    }
}

/// The decoded body.
struct Content(Zeroizing<Vec<u8>>);

impl Content {
    fn new(headers: &HeaderMap) -> Content {
        let announced = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let room: usize = announced.unwrap_or(limits::UNANNOUNCED_BODY);
        Content(Zeroizing::new(Vec::with_capacity(room.min(MAX_BODY_BYTES + 1))))
    }

    /// Decodes what has arrived. Returns how much of it was used.
    fn take(&mut self, call: &mut Call<RecvBody>, input: &mut Input) -> Result<usize, Failure> {
        let start = self.0.len();
        self.reserve(input.bytes().len());
        self.0.resize(start + input.bytes().len(), 0);
        let (used, decoded) =
            call.read(input.bytes(), &mut self.0[start..]).map_err(|error| protocol_failure(&error))?;
        self.0.truncate(start + decoded);
        input.consume(used);
        Ok(used)
    }

    /// Grows without leaving a copy behind.
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(2 * self.0.capacity()));
            larger.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(larger);
        }
    }
}

fn text_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn ended_early() -> Failure {
    Failure::broken(plain(&io::ErrorKind::UnexpectedEof.into()))
}

fn io_failure(error: &io::Error) -> Failure {
    match trust::tls_failure(error) {
        Some(failure) => failure,
        None if is_timeout(error) => Failure::slow("the exchange"),
        None => Failure::broken(plain(error)),
    }
}

/// Its own texts are not used: some quote the server's bytes.
fn protocol_failure(error: &Error) -> Failure {
    match error {
        Error::HttpParseTooManyHeaders => Failure::broken(TOO_MANY_HEADERS),
        _ => Failure::broken("the response is not HTTP/1.1"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Instant;

    use super::*;

    /// A stream that delivers one piece at each read.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Pieces {
        fn set_deadline(&mut self, _deadline: Instant) {}

        fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.read(buffer)
        }

        fn is_quiet(&mut self) -> bool {
            true
        }
    }

    fn get(pieces: &[&'static [u8]]) -> Result<(HttpResponse, Reuse), Failure> {
        let request = Request::get("http://a.example/").body(()).unwrap();
        exchange(&mut Pieces(pieces.to_vec()), request, &[])
    }

    #[test]
    fn input_is_read_in_order_and_wiped_once_it_is_used() {
        let (mut input, mut stream) =
            (Input::default(), Pieces(vec![b"secret response", b" and more", b"!"]));
        input.fill(&mut stream).unwrap();
        input.consume(7);
        assert_eq!(input.bytes(), b"response");
        input.fill(&mut stream).unwrap();
        assert_eq!(input.bytes(), b"response and more");
        input.consume(17);
        assert!(input.is_empty());
        input.fill(&mut stream).unwrap();
        assert_eq!(input.bytes(), b"!");
        assert!(!input.buffer.windows(4).any(|window| window == b"more" || window == b"resp"));
    }

    #[test]
    fn unused_input_stays() {
        let (mut input, mut stream) = (Input::default(), Pieces(vec![b"half", b" and half"]));
        input.fill(&mut stream).unwrap();
        input.consume(0);
        input.fill(&mut stream).unwrap();
        assert_eq!(input.bytes(), b"half and half");
        assert_eq!(input.fill(&mut stream).unwrap(), 0);
        assert_eq!(input.bytes(), b"half and half");
    }

    #[test]
    fn a_response_in_any_pieces_is_the_same() {
        let whole: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        for at in 1..whole.len() {
            let (response, reuse) = get(&[&whole[..at], &whole[at..]]).unwrap();
            assert_eq!((response.status, response.body.as_slice()), (200, b"abcde".as_slice()), "{at}");
            assert!(reuse == Reuse::Yes, "{at}");
        }
    }

    #[test]
    fn a_connection_is_kept_only_after_a_whole_response_and_nothing_else() {
        let head = "HTTP/1.1 200 OK\r\n";
        for (rest, kept) in [
            ("Content-Length: 2\r\n\r\n{}", true),
            ("Content-Length: 0\r\n\r\n", true),
            ("Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK", false),
            ("Connection: close\r\nContent-Length: 2\r\n\r\n{}", false),
            ("\r\n{}", false),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", false),
        ] {
            let text: &'static [u8] = format!("{head}{rest}").leak().as_bytes();
            let (_, reuse) = get(&[text]).unwrap();
            assert_eq!(reuse == Reuse::Yes, kept, "{rest}");
        }
    }
}
