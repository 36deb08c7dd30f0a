//! What a login shows, where it takes pasted answers from, and how a signal ends it.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use hallpass::{Hallpass, Keyboard, LoginEvent, LoginUi, Session, Terminal};

use crate::browser;
use crate::failure::Failure;
use crate::json_ui::JsonUi;
use crate::signals;

/// What is longer is nobody's answer.
const LONGEST: u64 = 1 << 20;

/// The person's side of a login.
pub(crate) struct Screen {
    shown: Box<dyn LoginUi>,
    keyboard: Option<Keyboard>,
    reads_stdin: bool,
}

impl Screen {
    /// Lines for people.
    pub(crate) fn words(terminal: Terminal) -> Screen {
        Screen { keyboard: terminal.keyboard(), shown: Box::new(terminal), reads_stdin: false }
    }

    /// Events for a program.
    pub(crate) fn json() -> Screen {
        Screen { keyboard: None, shown: Box::new(JsonUi::default()), reads_stdin: false }
    }

    /// Takes pasted answers from the standard input, whatever it is.
    pub(crate) fn with_paste(mut self) -> Screen {
        self.keyboard = self.keyboard.take().or_else(Keyboard::from_stdin);
        self.reads_stdin = self.keyboard.is_none();
        self
    }

    /// Signs in with a pass that is minded; the first signal ends that.
    pub(crate) fn sign_in(mut self, pass: &Hallpass) -> Result<Session, Failure> {
        browser::inherits_nothing();
        self.keyboard.iter().cloned().for_each(signals::give_back_first);
        signals::at_first(signals::end_when_saved)?;
        Ok(pass.login(&mut self)?)
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
        match &self.keyboard {
            Some(keyboard) => Some(keyboard.pasted()),
            None => self.reads_stdin.then(lines_from_stdin),
        }
    }

    fn pasting_is_over(&mut self) {
        self.keyboard.iter().for_each(Keyboard::release);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.pasting_is_over();
    }
}

/// One answer a line; its end ends the pasting and nothing else. The thread may stay behind in a read: the command ends
/// without it.
fn lines_from_stdin() -> Receiver<String> {
    // A file that never ends waits for each of its lines to be judged.
    let (send, lines) = mpsc::sync_channel(0);
    thread::spawn(move || hand_on(&mut io::stdin().lock(), &send));
    lines
}

fn hand_on(input: &mut impl BufRead, send: &SyncSender<String>) {
    let mut line = Vec::new();
    while input.by_ref().take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).trim().to_owned();
        if !text.is_empty() && send.send(text).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_on(input: &[u8]) -> Vec<String> {
        let (send, lines) = mpsc::sync_channel(9);
        hand_on(&mut &*input, &send);
        drop(send);
        lines.iter().collect()
    }

    #[test]
    fn each_line_that_is_not_blank_is_an_answer_the_last_one_without_an_end_too() {
        assert_eq!(handed_on(b"a\r\n\n \n\xffb\nc"), ["a", "\u{fffd}b", "c"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let pieces = handed_on(&vec![b'x'; LONGEST as usize + 1]);
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [LONGEST as usize, 1]);
    }
}
