//! The terminal that controls this process, and its modes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

/// What stands between a long paste and its reader, and between a code and other people's eyes. The signal keys are
/// not among it.
const UNWANTED: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO);

pub(super) struct Tty {
    /// Opened anew, so that only our reads do not block, and not those of all who share the standard input.
    terminal: File,
    /// The modes as they were, while ours are set.
    before: Option<Termios>,
}

impl Tty {
    /// Nothing where the standard input is another terminal than the one that controls this process: without job
    /// control nothing tells whose turn it is to read.
    pub(super) fn open() -> Option<Tty> {
        tcgetpgrp(io::stdin()).ok()?;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let terminal =
            OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open("/dev/tty").ok()?;
        Some(Tty { terminal, before: None })
    }

    /// Sets our modes where they are not set. Whether this worked: in the background a process that touches the terminal
    /// is stopped, and after `fg` the modes are the shell's.
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

    /// Keys that were not read yet stay where they are.
    pub(super) fn give_back(&mut self) {
        let Some(before) = self.before.take() else { return };
        let is_ours = |now: Termios| !now.local_modes.intersects(UNWANTED);
        if self.is_in_front().unwrap_or_default() && tcgetattr(&self.terminal).is_ok_and(is_ours) {
            // Nothing is left to be done for a terminal that does not take them.
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
