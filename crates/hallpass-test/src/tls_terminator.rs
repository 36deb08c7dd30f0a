//! Terminates TLS in terminator of a server.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Accepts TLS connections and forwards their data to a server without TLS.
pub struct TlsTerminator {
    pub addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl TlsTerminator {
    pub fn start(config: Arc<ServerConfig>, server: SocketAddr) -> TlsTerminator {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let terminator = TlsTerminator { addr: listener.local_addr().unwrap(), connections: Arc::default() };
        let connections = terminator.connections.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let config = config.clone();
                thread::spawn(move || forward(config, client, server));
            }
        });
        terminator
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn forward(config: Arc<ServerConfig>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    let pause = Some(Duration::from_millis(10));
    client.sock.set_read_timeout(pause)?;
    server.set_read_timeout(pause)?;
    let mut buffer = [0; 16 * 1024];
    loop {
        let amount = bytes_read(client.read(&mut buffer))?;
        server.write_all(&buffer[..amount])?;
        let amount = bytes_read(server.read(&mut buffer))?;
        client.write_all(&buffer[..amount])?;
        client.flush()?;
    }
}

/// Returns the number of bytes read; 0 if there are none yet, and an error at the end.
fn bytes_read(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(0),
        read => read,
    }
}
