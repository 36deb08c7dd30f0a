//! Buffers that leave nothing behind: requests and answers carry tokens, and a connection outlives both.

use ureq::unversioned::transport::Buffers;
use zeroize::{Zeroize, Zeroizing};

use crate::world::http::limits;

/// What was sent and what was read further is wiped at once, the rest when the connection is dropped.
#[derive(Default)]
pub(super) struct WipedBuffers {
    input: Zeroizing<Vec<u8>>,
    /// Of `input`, what was read further.
    consumed: usize,
    /// Of `input`, what came.
    filled: usize,
    output: Zeroizing<Vec<u8>>,
    has_progressed: bool,
}

impl WipedBuffers {
    /// So much of the output is on its way. What it was made from lay in the free part of the input.
    pub(super) fn sent(&mut self, amount: usize) {
        self.output[..amount].zeroize();
        self.input[self.filled..].zeroize();
    }

    /// Nothing is allocated for a connection that is only prepared.
    fn allocate(&mut self) {
        if self.input.is_empty() {
            self.input.resize(limits::INPUT_BUFFER, 0);
            self.output.resize(limits::OUTPUT_BUFFER, 0);
        }
    }

    /// Moves what nobody has read yet to the front.
    fn make_room(&mut self) {
        let end = self.filled - self.consumed;
        self.input.copy_within(self.consumed..self.filled, 0);
        self.input[end..self.filled].zeroize();
        (self.consumed, self.filled) = (0, end);
    }

    fn free(&mut self) -> &mut [u8] {
        self.allocate();
        self.make_room();
        &mut self.input[self.filled..]
    }
}

impl Buffers for WipedBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.allocate();
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.consumed..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.free()
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        let end = self.consumed + amount;
        self.input[self.consumed..end].zeroize();
        self.consumed = end;
        self.has_progressed = amount > 0;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.allocate();
        self.make_room();
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.consumed < self.filled && self.has_progressed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(buffers: &mut WipedBuffers, bytes: &[u8]) {
        buffers.input_append_buf()[..bytes.len()].copy_from_slice(bytes);
        buffers.input_appended(bytes.len());
    }

    #[test]
    fn what_comes_is_read_in_order_and_gone_once_it_was_read() {
        let mut buffers = WipedBuffers::default();
        append(&mut buffers, b"secret answer");
        buffers.input_consume(7);
        assert_eq!(buffers.input(), b"answer");
        assert!(buffers.can_use_input());
        append(&mut buffers, b" and more");
        assert_eq!(buffers.input(), b"answer and more");
        buffers.input_consume(15);
        assert!(!buffers.can_use_input() && buffers.input().is_empty());
        assert_eq!(buffers.input_append_buf().len(), limits::INPUT_BUFFER);
        buffers.output()[..6].copy_from_slice(b"secret");
        buffers.sent(6);
        assert!(!buffers.input.windows(6).any(|window| window == b"secret"));
        assert_eq!(buffers.output()[..6], [0; 6]);
    }

    #[test]
    fn what_nobody_read_stays_until_it_was() {
        let mut buffers = WipedBuffers::default();
        append(&mut buffers, b"half");
        buffers.input_consume(0);
        assert!(!buffers.can_use_input(), "the same again helps nobody");
        let (scratch, output) = buffers.tmp_and_output();
        assert_eq!((scratch.len(), output.len()), (limits::INPUT_BUFFER - 4, limits::OUTPUT_BUFFER));
        assert_eq!(buffers.input(), b"half");
    }
}
