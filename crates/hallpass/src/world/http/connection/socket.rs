//! A TCP socket with a deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use url::Url;

use super::resolve;
use super::stream::{Stream, setup_failure};
use crate::world::http::failure::{Failure, plain};
use crate::world::http::limits;

/// Zero would be refused by the system.
const SHORTEST_LIMIT: Duration = Duration::from_millis(1);

/// Connects to a URL's host. Reads and writes share the limit of connecting until they get a deadline of their own.
pub(super) fn open(url: &Url, deadline: Instant) -> Result<Box<dyn Stream>, Failure> {
    let addresses = resolve::addresses(url, deadline.min(Instant::now() + limits::CONNECT))?;
    connect(&addresses, deadline.min(Instant::now() + limits::CONNECT))
}

/// Connects to the first address that accepts.
fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<Box<dyn Stream>, Failure> {
    let mut failure = Failure::unreachable(resolve::NO_ADDRESS);
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        // Half of what is left, so that one dead address doesn't use up the time; all of it for the last.
        let share = if index + 1 == addresses.len() { left } else { left / 2 };
        match TcpStream::connect_timeout(address, share.max(SHORTEST_LIMIT)) {
            Ok(stream) => return Ok(Box::new(Socket::new(stream, deadline))),
            Err(error) => failure = setup_failure(&error, plain(&error)),
        }
    }
    Err(failure)
}

struct Socket {
    stream: TcpStream,
    deadline: Instant,
}

impl Socket {
    fn new(stream: TcpStream, deadline: Instant) -> Socket {
        // A login is a few small requests: waiting to fill a packet only costs round trips.
        let _ = stream.set_nodelay(true);
        Socket { stream, deadline }
    }

    /// Repeats what a signal interrupted: a socket with a time limit is interrupted even by handlers that ask for a
    /// restart. It is tried once more after the deadline, since what came while the process was stopped is there.
    fn until_deadline<T>(&self, mut act: impl FnMut(&TcpStream, Duration) -> io::Result<T>) -> io::Result<T> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match act(&self.stream, left.max(SHORTEST_LIMIT)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                done => return done,
            }
        }
    }

    fn without_waiting<T>(&self, act: impl FnOnce(&TcpStream) -> io::Result<T>) -> io::Result<T> {
        self.stream.set_nonblocking(true)?;
        let done = act(&self.stream);
        self.stream.set_nonblocking(false)?;
        done
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until_deadline(|mut stream, left| {
            // A socket whose peer is gone may refuse the option; then the read says what is wrong.
            let _ = stream.set_read_timeout(Some(left));
            stream.read(buffer)
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_deadline(|mut stream, left| {
            let _ = stream.set_write_timeout(Some(left));
            stream.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Socket {
    fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.without_waiting(|mut stream| stream.read(buffer))
    }

    fn is_quiet(&mut self) -> bool {
        let peeked = self.without_waiting(|stream| stream.peek(&mut [0]));
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}
