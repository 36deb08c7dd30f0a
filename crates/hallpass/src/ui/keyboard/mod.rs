//! Reads pasted text from the terminal.

mod lines;
#[cfg(not(unix))]
mod no_tty;
#[cfg(unix)]
mod tty;

use std::io::{self, ErrorKind, IsTerminal};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use zeroize::Zeroizing;

use crate::interrupt::TICK;
use lines::Lines;
#[cfg(not(unix))]
use no_tty::Tty;
#[cfg(unix)]
use tty::Tty;

/// The controlling terminal of this process, as a source of pasted text for your own [`LoginUi`](super::LoginUi).
/// [`Terminal`](super::Terminal) has one already.
///
/// From [`pasted`](Keyboard::pasted) to [`release`](Keyboard::release), the terminal doesn't echo and passes keys on one
/// by one: in its usual mode it would cut a line at 4,096 bytes (1,024 on macOS), and show the code to everyone who
/// watches. Ctrl-C and Ctrl-Z work as usual. In the background, nothing is read or changed; after Ctrl-Z and `fg`, reading
/// goes on.
///
/// If a signal ends the process, the terminal's modes stay as they are. Interactive shells reset them; another caller may
/// not. To be sure, catch SIGINT and similar signals, and call `release` or cancel the login with a
/// [`Canceller`](crate::Canceller).
#[derive(Clone)]
pub struct Keyboard(Arc<Mutex<Reader>>);

struct Reader {
    tty: Tty,
    /// Counts the reads that were started and released; a reading thread whose number has passed ends.
    turn: u32,
    /// Bytes since the end of the last line.
    pending: usize,
}

impl Keyboard {
    /// Opens the terminal on standard input. Returns `None` if that is not a terminal, or not the one that controls this
    /// process, and on Windows, where a read of the console can't be taken back.
    pub fn from_stdin() -> Option<Keyboard> {
        let tty = Some(io::stdin()).filter(IsTerminal::is_terminal).and_then(|_| Tty::open())?;
        Some(Keyboard(Arc::new(Mutex::new(Reader { tty, turn: 0, pending: 0 }))))
    }

    /// Starts reading; each line that was typed or pasted is sent.
    pub fn pasted(&self) -> Receiver<String> {
        let (send, lines) = mpsc::channel();
        let (keyboard, turn) = (self.clone(), self.reader().begin());
        thread::spawn(move || keyboard.read_on(turn, &send));
        lines
    }

    /// Whether keys are being read at the moment.
    pub fn is_reading(&self) -> bool {
        self.reader().tty.is_taken()
    }

    /// Returns how many bytes arrived since the end of the last line, to show that a paste arrived.
    pub fn pending(&self) -> usize {
        self.reader().pending
    }

    /// Stops reading and restores the terminal's modes. Unread input is left for the next reader. May be called from any
    /// thread, and more than once.
    pub fn release(&self) {
        self.reader().end();
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls instead of blocking in a read: a blocked thread would take the shell's next line.
    fn read_on(&self, turn: u32, send: &Sender<String>) {
        let mut keys = Zeroizing::new([0; 4096]);
        let mut lines = Lines::default();
        loop {
            let read = self.reader().read(turn, &mut keys[..]);
            let Some(count) = read else { return };
            for line in keys[..count].iter().filter_map(|key| lines.take(*key)) {
                let _ = send.send(line); // the wait may be over
            }
            self.reader().pending = lines.pending();
            if count == 0 {
                thread::sleep(TICK);
            }
        }
    }
}

impl Reader {
    fn begin(&mut self) -> u32 {
        self.turn += 1;
        let _ = self.tty.take(); // the first read meets the same error
        self.turn
    }

    fn end(&mut self) {
        self.turn += 1;
        self.pending = 0;
        self.tty.give_back();
    }

    /// Returns how many keys were read; `None` when the read was released or the terminal is gone.
    fn read(&mut self, turn: u32, keys: &mut [u8]) -> Option<usize> {
        if self.turn != turn {
            return None;
        }
        match self.keys(keys) {
            Ok(count) => Some(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Some(0),
            Err(_) => None,
        }
    }

    fn keys(&mut self, keys: &mut [u8]) -> io::Result<usize> {
        if !self.tty.take()? {
            return Err(ErrorKind::WouldBlock.into());
        }
        match self.tty.read(keys)? {
            0 => Err(ErrorKind::UnexpectedEof.into()), // the terminal was closed
            count => Ok(count),
        }
    }
}
