//! Assembles lines from keys, for a terminal that leaves line editing to its reader.

use zeroize::{Zeroize, Zeroizing};

/// The most bytes of a line; more can't be a redirect URL.
const LONGEST: usize = 1 << 20;

const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const CTRL_U: u8 = 0x15;
const ESCAPE: u8 = 0x1b;

/// Collects a line. It may hold an authorization code, so it is wiped.
#[derive(Default)]
pub(super) struct Lines {
    line: Zeroizing<Vec<u8>>,
    sequence: Sequence,
    /// Within a bracketed paste, the end of a line belongs to the paste.
    is_bracketed: bool,
}

/// The position of the last key in an escape sequence.
#[derive(Default)]
enum Sequence {
    #[default]
    Outside,
    Begun,
    /// With its parameter so far.
    Inside(u32),
}

impl Lines {
    /// Takes a key. Returns the line that it ends, unless that is empty.
    pub(super) fn take(&mut self, key: u8) -> Option<String> {
        match std::mem::take(&mut self.sequence) {
            Sequence::Outside => self.outside(key),
            Sequence::Begun => {
                self.sequence = if key == b'[' { Sequence::Inside(0) } else { Sequence::Outside };
                None
            }
            Sequence::Inside(parameter) => self.inside(parameter, key),
        }
    }

    /// Bytes since the end of the last line.
    pub(super) fn pending(&self) -> usize {
        self.line.len()
    }

    fn outside(&mut self, key: u8) -> Option<String> {
        match key {
            b'\r' | b'\n' if self.is_bracketed => {}
            b'\r' | b'\n' => return self.end(),
            CTRL_U => self.line.zeroize(),
            ESCAPE => self.sequence = Sequence::Begun,
            key if BACKSPACE.contains(&key) => self.delete_last(),
            0..0x20 => {}
            key => self.push(key),
        }
        None
    }

    /// `ESC [ 200 ~` and `ESC [ 201 ~` enclose a paste; arrow keys and others are ignored.
    fn inside(&mut self, parameter: u32, key: u8) -> Option<String> {
        match key {
            b'0'..=b'9' => {
                self.sequence =
                    Sequence::Inside(parameter.saturating_mul(10).saturating_add(u32::from(key - b'0')));
            }
            b'~' if parameter == 200 => self.is_bracketed = true,
            b'~' if parameter == 201 => {
                self.is_bracketed = false;
                return self.end();
            }
            0x20..=0x3f => self.sequence = Sequence::Inside(parameter),
            _ => {}
        }
        None
    }

    fn end(&mut self) -> Option<String> {
        let line = std::mem::take(&mut *self.line);
        let text = String::from_utf8(line).unwrap_or_else(|error| {
            let bytes = Zeroizing::new(error.into_bytes());
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Some(text).filter(|text| !text.is_empty())
    }

    /// Removes the last character, of however many bytes.
    fn delete_last(&mut self) {
        while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
    }

    /// Grows the line by hand: a vector that grows by itself leaves a copy behind.
    fn push(&mut self, key: u8) {
        if self.line.len() == self.line.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity((2 * self.line.len()).max(4096)));
            larger.extend_from_slice(&self.line);
            self.line = larger;
        }
        if self.line.len() < LONGEST {
            self.line.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(keys: impl AsRef<[u8]>) -> Vec<String> {
        let mut lines = Lines::default();
        keys.as_ref().iter().filter_map(|key| lines.take(*key)).collect()
    }

    #[test]
    fn a_line_ends_with_return_line_feed_or_both_and_empty_lines_are_skipped() {
        assert_eq!(lines("a\rb\nc\r\n\n\r\nd"), ["a", "b", "c"]);
    }

    #[test]
    fn p17_a_line_of_a_hundred_thousand_bytes_is_whole() {
        let long = "0123456789".repeat(10_000);
        assert_eq!(lines(format!("{long}\n")), [long]);
    }

    #[test]
    fn an_endless_line_does_not_fill_memory() {
        let mut lines = Lines::default();
        assert!((0..2 * LONGEST).all(|_| lines.take(b'x').is_none()));
        assert_eq!(lines.pending(), LONGEST);
    }

    #[test]
    fn p17_a_bracketed_paste_is_one_line_without_its_marks() {
        assert_eq!(lines("\u{1b}[200~http://a/\r\n?x\u{1b}[201~"), ["http://a/?x"]);
        assert_eq!(lines("\u{1b}[200~abc\u{1b}[201~\rd\r"), ["abc", "d"]);
    }

    #[test]
    fn backspace_and_ctrl_u_delete_and_other_keys_do_nothing() {
        assert_eq!(lines("ab\u{e4}\u{7f}\u{8}c\r"), ["ac"]);
        assert_eq!(lines("\u{7f}\u{7f}a\r"), ["a"]);
        assert_eq!(lines("wrong\u{15}right\r"), ["right"]);
        assert_eq!(lines("a\u{1b}[A\u{1b}[1;5C\u{1b}Ob\u{4}\0\t\r"), ["ab"]);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(lines(b"a\xffb\n"), ["a\u{fffd}b"]);
    }

    #[test]
    fn pending_counts_the_unfinished_line() {
        let mut lines = Lines::default();
        assert!(b"abc\ndefgh".iter().filter_map(|key| lines.take(*key)).eq(["abc"]));
        assert_eq!(lines.pending(), 5);
    }
}
