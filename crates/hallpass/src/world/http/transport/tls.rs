//! TLS over any transport, with a probe that understands what a server may say unasked.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, NextTimeout, Transport, TransportAdapter, time::Duration,
};

use super::buffers::WipedBuffers;
use crate::error::NetworkErrorKind;
use crate::world::http::failure::Failure;
use crate::world::http::trust;

/// A server may send some session tickets after the handshake; one that goes on is not idle.
const MAX_PROBE_READS: usize = 16;

/// A TLS connection. ureq's own takes a waiting session ticket for a closed connection, and every
/// TLS 1.3 server sends one right after the handshake: no connection prepared ahead would survive.
pub(super) struct TlsLink {
    tls: ClientConnection,
    inner: TransportAdapter,
    buffers: WipedBuffers,
}

impl TlsLink {
    /// The handshake, within what is left of the time for connecting.
    pub(super) fn handshake(
        inner: Box<dyn Transport>,
        config: Arc<ClientConfig>,
        details: &ConnectionDetails,
    ) -> Result<TlsLink, ureq::Error> {
        let mut tls =
            ClientConnection::new(config, server_name(details)?).map_err(|error| trust::failure(&error))?;
        let mut inner = TransportAdapter::new(inner, details.current_time.clone());
        inner.set_timeout(super::time_left(details));
        tls.complete_io(&mut inner).map_err(|error| handshake_error(error.into()))?;
        Ok(TlsLink { tls, inner, buffers: WipedBuffers::default() })
    }

    /// Reads once and lets TLS digest it; `false` at the end of the stream.
    fn pull(&mut self) -> Result<bool, ureq::Error> {
        let amount = self.tls.read_tls(&mut self.inner)?;
        let digested = self.tls.process_new_packets();
        // An answer to a key update, or the alert that says why we give up.
        let flushed = self.flush();
        digested.map_err(|error| trust::failure(&error))?;
        flushed?;
        Ok(amount > 0)
    }

    fn flush(&mut self) -> Result<(), ureq::Error> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.inner)?;
        }
        Ok(())
    }

    /// Whether the server has said anything but tickets: data, goodbye.
    fn has_spoken(&mut self) -> bool {
        let state = self.tls.process_new_packets();
        state.map_or(true, |state| state.plaintext_bytes_to_read() > 0 || state.peer_has_closed())
    }
}

impl Transport for TlsLink {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.inner.set_timeout(timeout);
        let taken = self.tls.writer().write_all(&self.buffers.output()[..amount]);
        self.buffers.sent(amount);
        taken?;
        self.flush()
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.set_timeout(timeout);
        loop {
            match self.tls.reader().read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.pull()?,
                Err(error) => return Err(read_error(error)),
            };
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.set_timeout(at_once());
        for _ in 0..MAX_PROBE_READS {
            if self.has_spoken() {
                return false;
            }
            match self.pull() {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => return matches!(error, ureq::Error::Timeout(_)),
            }
        }
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsLink({:?})", self.inner.get_ref())
    }
}

/// No time to wait: [`Wire`](super::Wire) takes what is there.
fn at_once() -> NextTimeout {
    NextTimeout { after: Duration::from_secs(0), ..NextTimeout::default() }
}

fn server_name(details: &ConnectionDetails) -> Result<ServerName<'static>, Failure> {
    let host = details.uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    ServerName::try_from(host.to_owned()).map_err(|_| Failure::tls("no certificate can be for this name"))
}

/// Nothing of the request was sent yet, so a connection that ends here was never there.
fn handshake_error(error: ureq::Error) -> ureq::Error {
    if let ureq::Error::Io(error) = &error
        && let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return trust::failure(error).into();
    }
    match Failure::from(error) {
        Failure { kind: NetworkErrorKind::Broken, .. } => {
            Failure::unreachable("it closed the connection while TLS was set up").into()
        }
        failure => failure.into(),
    }
}

/// ureq takes an end without TLS's goodbye for the end of a body that has no length; an attacker
/// can make one, so it is an error here.
fn read_error(error: std::io::Error) -> ureq::Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Failure::broken("it ended before the whole answer was there").into()
        }
        _ => error.into(),
    }
}
