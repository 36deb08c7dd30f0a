//! A buffer that is wiped when it is dropped and whenever it grows.

use std::io;

use zeroize::Zeroizing;

/// Enough for a record with tokens of the usual length.
const INITIAL_CAPACITY: usize = 8 * 1024;

/// A byte buffer for secrets. Unlike a plain vector, it leaves no copy behind when it is dropped or grows.
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
            let mut larger = Zeroizing::new(Vec::with_capacity((2 * needed).max(INITIAL_CAPACITY)));
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
    fn bytes_are_kept_in_order_while_the_buffer_grows() {
        let mut bytes = WipedBytes::default();
        let written: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
        written.chunks(7).for_each(|chunk| bytes.write_all(chunk).unwrap());
        assert_eq!(*bytes.into_inner(), written);
    }
}
