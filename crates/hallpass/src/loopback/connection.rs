//! One connection: a request, a page, closed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::page::Page;

/// How long a write may take; the rest is left to the system's buffer.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// How long the browser may take to close its side.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// Sends the whole page and closes our side.
pub(super) fn send(mut stream: &TcpStream, page: &Page) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_LIMIT))?;
    stream.write_all(&page.to_http())?;
    stream.flush()?;
    stream.shutdown(Shutdown::Write)
}

/// Reads what the browser may still send: closing a socket with unread data would discard the page on its way.
pub(super) fn drain(mut stream: &TcpStream) {
    let mut rest = [0; 1024];
    let _ = stream.set_read_timeout(Some(DRAIN_LIMIT));
    for _ in 0..64 {
        match stream.read(&mut rest) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
