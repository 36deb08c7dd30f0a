//! A TCP connection as ureq's transport, with an honest answer to "is it still open?".

mod buffers;
pub(super) mod origin;
mod prepared;
pub(super) mod resolve;
pub(super) mod tcp;
mod tls;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, NextTimeout, Transport, time::Instant as MaybeInstant,
};

use super::failure::{Failure, plain};
use buffers::WipedBuffers;

/// The transport over one socket. A read with no time left takes what is there and does not wait:
/// that is how the layers above probe, through TLS and tunnels alike.
pub(super) struct Wire {
    socket: Arc<Socket>,
    buffers: WipedBuffers,
}

impl Wire {
    /// Connects to the first of the resolved addresses that accepts.
    pub(super) fn connect(details: &ConnectionDetails, origin: String) -> Result<Wire, ureq::Error> {
        let stream = connect_any(&details.addrs, deadline(details))?;
        // A login is a few small requests: waiting to fill a packet only costs round trips.
        let _ = stream.set_nodelay(true);
        Ok(Wire { socket: Arc::new(Socket::new(origin, stream)), buffers: WipedBuffers::default() })
    }

    pub(super) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        let output = &self.buffers.output()[..amount];
        let written = self.socket.write(output, *timeout.after);
        self.buffers.sent(amount);
        written.map_err(|error| transport_error(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        let input = self.buffers.input_append_buf();
        let read = if timeout.after.is_zero() {
            self.socket.read_at_once(input)
        } else {
            self.socket.read(input, *timeout.after)
        };
        let amount = read.map_err(|error| transport_error(error, timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_quiet(self.socket.lock())
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.socket.origin)
    }
}

/// The socket of a [`Wire`], shared with those who want to know whether the origin has a live one.
pub(super) struct Socket {
    pub(super) origin: String,
    stream: TcpStream,
    /// When bytes last went either way. Held during input and output, so that a probe, which makes
    /// the socket nonblocking for a moment, never meets a waiting read.
    last_used: Mutex<Instant>,
    superseded: AtomicBool,
}

impl Socket {
    fn new(origin: String, stream: TcpStream) -> Socket {
        Socket { origin, stream, last_used: Mutex::new(Instant::now()), superseded: AtomicBool::new(false) }
    }

    /// From now on the connection counts as closed once its present request is done.
    pub(super) fn supersede(&self) {
        self.superseded.store(true, Ordering::Relaxed);
    }

    /// In use this moment, or used within `age` and still open.
    pub(super) fn is_fresher_than(&self, age: Duration) -> bool {
        match self.last_used.try_lock() {
            Ok(last_used) => last_used.elapsed() < age && self.is_quiet(last_used),
            Err(TryLockError::Poisoned(poisoned)) => self.is_quiet(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => true,
        }
    }

    /// Open, and the server has said nothing that nobody asked for.
    fn is_quiet(&self, _held: MutexGuard<'_, Instant>) -> bool {
        if self.superseded.load(Ordering::Relaxed) {
            return false;
        }
        let peeked = without_waiting(&self.stream, |stream| stream.peek(&mut [0]));
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_at_once(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let _held = self.lock();
        if self.superseded.load(Ordering::Relaxed) {
            return Ok(0);
        }
        without_waiting(&self.stream, |mut stream| stream.read(buffer))
    }

    fn read(&self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let mut last_used = self.lock();
        let amount = until(limit, |left| {
            // A socket whose peer is gone may refuse the option; then the read says what is wrong.
            let _ = self.stream.set_read_timeout(left);
            (&self.stream).read(buffer)
        })?;
        *last_used = Instant::now();
        Ok(amount)
    }

    fn write(&self, mut output: &[u8], limit: Duration) -> io::Result<()> {
        let mut last_used = self.lock();
        let started = Instant::now();
        while !output.is_empty() {
            let amount = until(limit.saturating_sub(started.elapsed()), |left| {
                let _ = self.stream.set_write_timeout(left);
                (&self.stream).write(output)
            })?;
            if amount == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            output = &output[amount..];
        }
        *last_used = Instant::now();
        Ok(())
    }
}

fn without_waiting<T>(stream: &TcpStream, act: impl FnOnce(&TcpStream) -> io::Result<T>) -> io::Result<T> {
    stream.set_nonblocking(true)?;
    let done = act(stream);
    stream.set_nonblocking(false)?;
    done
}

/// Repeats what a signal interrupted, with the time that is left. A socket with a time limit is
/// interrupted even by handlers that ask for a restart. With no time left it is tried once more: what came while
/// the process was stopped is there.
fn until<T>(limit: Duration, mut act: impl FnMut(Option<Duration>) -> io::Result<T>) -> io::Result<T> {
    let started = Instant::now();
    loop {
        let left = limit.saturating_sub(started.elapsed());
        match act(socket_limit(left)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            done => return done,
        }
    }
}

/// More than a day is no limit (some systems cannot hold it); zero would be refused.
fn socket_limit(left: Duration) -> Option<Duration> {
    (left < Duration::from_secs(86_400)).then(|| left.max(Duration::from_millis(1)))
}

/// ureq takes a reset within a body that ends with the connection for its end. It is not: a form
/// cut in the middle of a token would look whole. So a reset gets a name that ureq does not know.
fn transport_error(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Failure::broken("the other side closed it").into()
        }
        _ => ureq::Error::Io(error),
    }
}

/// When connecting must be done, all layers together.
fn deadline(details: &ConnectionDetails) -> Option<Instant> {
    let MaybeInstant::Exact(started) = details.now else { return None };
    started.checked_add(*details.timeout.after)
}

/// What is left of the time for connecting.
pub(super) fn time_left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let Some(deadline) = deadline(details) {
        timeout.after = deadline.saturating_duration_since(Instant::now()).into();
    }
    timeout
}

fn connect_any(addrs: &[SocketAddr], deadline: Option<Instant>) -> Result<TcpStream, ureq::Error> {
    let mut failed = ureq::Error::HostNotFound;
    for (index, addr) in addrs.iter().enumerate() {
        let is_last = index + 1 == addrs.len();
        match connect_one(addr, share(deadline, is_last)) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = connect_error(&error),
        }
    }
    Err(failed)
}

/// Half of what is left, all of it for the last: one dead address does not use up the time.
fn share(deadline: Option<Instant>, is_last: bool) -> Option<Duration> {
    let left = deadline?.saturating_duration_since(Instant::now());
    let share = if is_last { left } else { left / 2 };
    Some(share.max(Duration::from_millis(1)))
}

fn connect_one(addr: &SocketAddr, limit: Option<Duration>) -> io::Result<TcpStream> {
    match limit {
        Some(limit) => TcpStream::connect_timeout(addr, limit),
        None => TcpStream::connect(addr),
    }
}

fn connect_error(error: &io::Error) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ureq::Error::Timeout(Timeout::Connect),
        _ => Failure::unreachable(plain(error)).into(),
    }
}
