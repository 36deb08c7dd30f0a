//! The controlling terminal of this process, and its modes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

/// Modes that cut long lines and show what is pasted. Signal keys stay on.
const UNWANTED: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO);

pub(super) struct Tty {
    /// Opened separately: making standard input non-blocking would affect everyone who shares it.
    terminal: File,
    /// The modes to restore, while ours are set.
    before: Option<Termios>,
}

impl Tty {
    /// Returns `None` if standard input is not the controlling terminal: without job control, we can't tell whether it is
    /// our turn to read.
    pub(super) fn open() -> Option<Tty> {
        tcgetpgrp(io::stdin()).ok()?;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let terminal =
            OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open("/dev/tty").ok()?;
        Some(Tty { terminal, before: None })
    }

    /// Sets our modes if they are not set. Returns `false` in the background, where touching the terminal would stop this
    /// process. After `fg`, the modes are the shell's and are set again.
    pub(super) fn take(&mut self) -> io::Result<bool> {
        if !self.is_in_front()? {
            return Ok(false);
        }
        let now = tcgetattr(&self.terminal)?;
        if self.before.is_none() || now.local_modes.intersects(UNWANTED) {
            tcsetattr(&self.terminal, OptionalActions::Now, &without_lines(now.clone()))?;
            self.before = Some(now);
        }
        Ok(true)
    }

    pub(super) fn is_taken(&self) -> bool {
        self.before.is_some() && self.is_in_front().unwrap_or_default()
    }

    /// Restores the modes. Unread keys stay in the terminal.
    pub(super) fn give_back(&mut self) {
        let Some(before) = self.before.take() else { return };
        let is_ours = |now: Termios| !now.local_modes.intersects(UNWANTED);
        if self.is_in_front().unwrap_or_default() && tcgetattr(&self.terminal).is_ok_and(is_ours) {
            // Nothing more can be done for a terminal that refuses them.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &before);
        }
    }

    pub(super) fn read(&mut self, keys: &mut [u8]) -> io::Result<usize> {
        self.terminal.read(keys)
    }

    fn is_in_front(&self) -> io::Result<bool> {
        Ok(tcgetpgrp(&self.terminal)? == getpgrp())
    }
}

fn without_lines(mut modes: Termios) -> Termios {
    modes.local_modes.remove(UNWANTED);
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    modes
}
