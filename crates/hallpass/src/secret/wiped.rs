//! Bytes that leave nothing behind, also while they grow.

use std::io;

use zeroize::Zeroizing;

/// Room for a record with tokens of the usual length.
const FIRST_ROOM: usize = 8 * 1024;

/// What is written here is wiped when it is dropped. A vector that grows by itself leaves what it held behind.
#[derive(Default)]
pub(crate) struct WipedBytes(Zeroizing<Vec<u8>>);

impl WipedBytes {
    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl io::Write for WipedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity((2 * needed).max(FIRST_ROOM)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_is_there_in_order_however_much_it_is() {
        let mut bytes = WipedBytes::default();
        let written: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
        written.chunks(7).for_each(|chunk| bytes.write_all(chunk).unwrap());
        assert_eq!(*bytes.into_inner(), written);
    }
}
