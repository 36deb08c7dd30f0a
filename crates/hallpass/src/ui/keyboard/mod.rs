//! Reads pasted answers from the terminal.

mod lines;
#[cfg(not(unix))]
mod nowhere;
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
use nowhere::Tty;
#[cfg(unix)]
use tty::Tty;

/// The terminal that controls this process, as a source of pasted answers for a [`LoginUi`](super::LoginUi) of your
/// own. [`Terminal`](super::Terminal) has one already.
///
/// From [`pasted`](Keyboard::pasted) to [`release`](Keyboard::release) the terminal shows no keys and hands them on one
/// by one: in its usual mode it would cut a line at 4,096 bytes (1,024 on macOS), and a code that is shown is a code
/// that somebody else can read. Ctrl-C and Ctrl-Z work as ever. Nothing is read and nothing is changed while this
/// process is in the background; after Ctrl-Z and `fg` it goes on.
///
/// Where a signal ends the process, the modes stay. Shells put their terminal right after that; who calls your program
/// in between and lives on may not. To be sure, catch SIGINT and its like, and call `release` or cancel the login by a
/// [`Canceller`](crate::Canceller).
#[derive(Clone)]
pub struct Keyboard(Arc<Mutex<Desk>>);

struct Desk {
    tty: Tty,
    /// Which reader's turn it is: each that begins, and each release, ends the turn of the one before.
    turn: u32,
    /// Bytes since the last line's end.
    pending: usize,
}

impl Keyboard {
    /// The terminal on the standard input. Nothing where that is another thing, or a terminal that does not control
    /// this process, or on Windows, whose console hands a thread the next line even if nobody wants it any more.
    pub fn of_stdin() -> Option<Keyboard> {
        let tty = Some(io::stdin()).filter(IsTerminal::is_terminal).and_then(|_| Tty::open())?;
        Some(Keyboard(Arc::new(Mutex::new(Desk { tty, turn: 0, pending: 0 }))))
    }

    /// Begins to read; a line's end sends what was typed or pasted before it.
    pub fn pasted(&self) -> Receiver<String> {
        let (send, lines) = mpsc::channel();
        let (keyboard, turn) = (self.clone(), self.desk().begin());
        thread::spawn(move || keyboard.read_on(turn, &send));
        lines
    }

    /// Whether keys come here at the moment.
    pub fn is_reading(&self) -> bool {
        self.desk().tty.is_taken()
    }

    /// How many bytes came since the last line's end: nothing else shows that a paste arrived.
    pub fn pending(&self) -> usize {
        self.desk().pending
    }

    /// Reads no more and gives the terminal its modes back. What was not read yet is left to whoever reads next. May be
    /// called from any thread, and more than once.
    pub fn release(&self) {
        self.desk().end();
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks from time to time and never waits in a read: a thread that does would take the shell's next line.
    fn read_on(&self, turn: u32, send: &Sender<String>) {
        let mut keys = Zeroizing::new([0; 4096]);
        let mut lines = Lines::default();
        loop {
            let read = self.desk().read(turn, &mut keys[..]);
            let Some(count) = read else { return };
            for line in keys[..count].iter().filter_map(|key| lines.take(*key)) {
                let _ = send.send(line); // the wait may have ended meanwhile
            }
            self.desk().pending = lines.pending();
            if count == 0 {
                thread::sleep(TICK);
            }
        }
    }
}

impl Desk {
    fn begin(&mut self) -> u32 {
        self.turn += 1;
        let _ = self.tty.take(); // what stands in the way is met again by the first read
        self.turn
    }

    fn end(&mut self) {
        self.turn += 1;
        self.pending = 0;
        self.tty.give_back();
    }

    /// How many keys were there; nothing at the end of the turn, or of the terminal.
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
            0 => Err(ErrorKind::UnexpectedEof.into()), // the window was closed
            count => Ok(count),
        }
    }
}
