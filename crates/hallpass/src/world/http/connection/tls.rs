//! TLS over any stream.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use url::{Host, Url};

use super::stream::{Stream, setup_failure};
use crate::world::http::failure::Failure;
use crate::world::http::trust;

/// A server may send some session tickets after the handshake; one that goes on isn't idle.
const MAX_TICKETS: usize = 16;

/// Sets up TLS. None of the request has been sent yet, so a connection that ends here was never usable.
pub(super) fn handshake(
    mut stream: Box<dyn Stream>,
    config: Arc<ClientConfig>,
    url: &Url,
) -> Result<Box<dyn Stream>, Failure> {
    let mut tls = ClientConnection::new(config, server_name(url)?).map_err(|error| trust::failure(&error))?;
    match tls.complete_io(&mut stream) {
        Ok(_) => Ok(Box::new(Tls(StreamOwned::new(tls, stream)))),
        Err(error) => Err(trust::tls_failure(&error)
            .unwrap_or_else(|| setup_failure(&error, "it closed the connection during the TLS handshake"))),
    }
}

fn server_name(url: &Url) -> Result<ServerName<'static>, Failure> {
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(ServerName::from(std::net::IpAddr::from(ip))),
        Some(Host::Ipv6(ip)) => Ok(ServerName::from(std::net::IpAddr::from(ip))),
        Some(Host::Domain(name)) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| Failure::tls("no certificate can be valid for this name")),
        None => Err(Failure::unreachable("the URL has no host")),
    }
}

struct Tls(StreamOwned<ClientConnection, Box<dyn Stream>>);

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Tls {
    fn set_deadline(&mut self, deadline: Instant) {
        self.0.sock.set_deadline(deadline);
    }

    fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.conn.reader().read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        self.0.conn.read_tls(&mut Arrived(&mut *self.0.sock))?;
        self.0.conn.process_new_packets().map_err(io::Error::other)?;
        self.0.conn.reader().read(buffer)
    }

    /// Every TLS 1.3 server sends session tickets right after the handshake. They are taken in; anything else is
    /// data we didn't ask for, or the end.
    fn is_quiet(&mut self) -> bool {
        for _ in 0..MAX_TICKETS {
            match self.0.conn.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            }
            match self.0.conn.read_tls(&mut Arrived(&mut *self.0.sock)) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        false
    }
}

/// Reads from a stream what has arrived.
struct Arrived<'a>(&'a mut dyn Stream);

impl Read for Arrived<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_arrived(buffer)
    }
}
