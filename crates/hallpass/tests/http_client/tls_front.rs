//! Takes TLS off connections and hands on what is in them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Stands before a server that speaks no TLS.
pub(crate) struct TlsFront {
    pub(crate) addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl TlsFront {
    pub(crate) fn start(config: Arc<ServerConfig>, server: SocketAddr) -> TlsFront {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = TlsFront { addr: listener.local_addr().unwrap(), connections: Arc::default() };
        let connections = front.connections.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let config = config.clone();
                thread::spawn(move || hand_on(config, client, server));
            }
        });
        front
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn hand_on(config: Arc<ServerConfig>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    let pause = Some(Duration::from_millis(10));
    client.sock.set_read_timeout(pause)?;
    server.set_read_timeout(pause)?;
    let mut buffer = [0; 16 * 1024];
    loop {
        let amount = what_is_there(client.read(&mut buffer))?;
        server.write_all(&buffer[..amount])?;
        let amount = what_is_there(server.read(&mut buffer))?;
        client.write_all(&buffer[..amount])?;
        client.flush()?;
    }
}

/// How much came; an error where nothing comes any more.
fn what_is_there(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(0),
        read => read,
    }
}
