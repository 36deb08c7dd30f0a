//! The listening socket, which counts its connections.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io;
use tokio::net::{TcpListener, TcpStream};

/// The number of a TCP connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection(pub(crate) u64);

/// A listener that counts connections, so that a test can tell how many a client opened.
pub(crate) struct CountingListener {
    inner: TcpListener,
    accepted: u64,
}

impl CountingListener {
    pub(crate) fn new(inner: TcpListener) -> CountingListener {
        CountingListener { inner, accepted: 0 }
    }
}

impl Listener for CountingListener {
    type Io = TcpStream;
    type Addr = Connection;

    async fn accept(&mut self) -> (TcpStream, Connection) {
        let (stream, _) = Listener::accept(&mut self.inner).await;
        // Responses are small. Waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        self.accepted += 1;
        (stream, Connection(self.accepted))
    }

    fn local_addr(&self) -> io::Result<Connection> {
        Ok(Connection(0))
    }
}

impl Connected<IncomingStream<'_, CountingListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, CountingListener>) -> Connection {
        *stream.remote_addr()
    }
}
