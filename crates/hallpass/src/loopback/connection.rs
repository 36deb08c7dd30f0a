//! One connection: a request in, a page out, closed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::page::Page;

/// A reader that takes longer keeps the rest waiting in the system's buffer, not us.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// How long the browser may take to close its side.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// Sends the whole page and says that it was the last thing.
pub(super) fn send(mut stream: &TcpStream, page: &Page) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_LIMIT))?;
    stream.write_all(&page.to_http())?;
    stream.flush()?;
    stream.shutdown(Shutdown::Write)
}

/// Reads what the browser may still send: closing a socket with unread data would throw away the page
/// that is on its way.
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
