//! The streams that connections are made of.

use std::io::{self, Read, Write};
use std::time::Instant;

use crate::world::http::failure::{Failure, is_timeout};

/// A byte stream whose reads and writes have a deadline.
pub(in crate::world::http) trait Stream: Read + Write + Send {
    /// Ends every read and write that isn't done by then with `TimedOut`.
    fn set_deadline(&mut self, deadline: Instant);

    /// Reads what has arrived, without waiting; `WouldBlock` if that is nothing.
    fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Whether the connection is open and the server has sent nothing we didn't ask for.
    fn is_quiet(&mut self) -> bool;
}

/// A failure while a connection is set up: nothing of the request was sent.
pub(super) fn setup_failure(error: &io::Error, reason: impl Into<String>) -> Failure {
    if is_timeout(error) { Failure::slow("connecting") } else { Failure::unreachable(reason) }
}
