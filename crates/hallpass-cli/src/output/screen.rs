//! Shows the steps of a login, and reads pasted URLs.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use hallpass::{Keyboard, LoginEvent, LoginUi, Terminal};

use crate::output::json_ui::JsonUi;

/// Longest line that is read from stdin, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// The user interface of a login.
pub(crate) struct Screen {
    shown: Box<dyn LoginUi>,
    input: Input,
}

/// Source of pasted URLs.
enum Input {
    None,
    Keyboard(Keyboard),
    Stdin,
}

impl Screen {
    /// Text for users.
    pub(crate) fn text(terminal: Terminal) -> Screen {
        let input = match terminal.keyboard() {
            Some(keyboard) => Input::Keyboard(keyboard),
            None => Input::None,
        };
        Screen { shown: Box::new(terminal), input }
    }

    /// JSON events for a program.
    pub(crate) fn json() -> Screen {
        Screen { shown: Box::new(JsonUi::default()), input: Input::None }
    }

    /// Reads pasted URLs from stdin, be it a terminal, a pipe or a file.
    pub(crate) fn with_paste(mut self) -> Screen {
        if let Input::None = self.input {
            self.input = match Keyboard::from_stdin() {
                Some(keyboard) => Input::Keyboard(keyboard),
                None => Input::Stdin,
            };
        }
        self
    }

    /// The terminal that pasted URLs are read from.
    pub(crate) fn keyboard(&self) -> Option<&Keyboard> {
        match &self.input {
            Input::Keyboard(keyboard) => Some(keyboard),
            Input::None | Input::Stdin => None,
        }
    }
}

impl LoginUi for Screen {
    fn event(&mut self, event: LoginEvent) {
        self.shown.event(event);
    }

    fn can_unlock(&self) -> bool {
        self.shown.can_unlock()
    }

    fn pasted(&mut self) -> Option<Receiver<String>> {
        match &self.input {
            Input::None => None,
            Input::Keyboard(keyboard) => Some(keyboard.pasted()),
            Input::Stdin => {
                // Without a buffer, an endless file is read no faster than its lines are looked at.
                let (sender, lines) = mpsc::sync_channel(0);
                thread::spawn(move || send_lines(&mut io::stdin().lock(), &sender));
                Some(lines)
            }
        }
    }

    fn pasting_is_over(&mut self) {
        if let Some(keyboard) = self.keyboard() {
            keyboard.release();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.pasting_is_over();
    }
}

/// Sends each line that is not blank. The end of the input ends this, and so does a receiver that is gone.
fn send_lines(input: &mut impl BufRead, sender: &SyncSender<String>) {
    let mut line = Vec::new();
    while input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).trim().to_owned();
        if !text.is_empty() && sender.send(text).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_lines(input: &[u8]) -> Vec<String> {
        let (sender, lines) = mpsc::sync_channel(9);
        send_lines(&mut &*input, &sender);
        drop(sender);
        lines.iter().collect()
    }

    #[test]
    fn each_line_that_is_not_blank_is_sent_the_last_one_without_an_end_too() {
        assert_eq!(sent_lines(b"a\r\n\n \n\xffb\nc"), ["a", "\u{fffd}b", "c"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let pieces = sent_lines(&vec![b'x'; MAX_LINE as usize + 1]);
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE as usize, 1]);
    }
}
