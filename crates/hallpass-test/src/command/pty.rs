//! A terminal for a command: its screen, keys and modes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::PATIENCE;
use crate::canary;

/// Marks the end of the output; no command writes it.
const MARK: u8 = 0;

pub const CTRL_C: &str = "\u{3}";
pub const CTRL_Z: &str = "\u{1a}";

/// The terminal. The test has the screen and the keys, the command the other side.
pub struct Pty {
    controller: File,
    side: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    pub fn new(columns: u16) -> Pty {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let no_ctty = OFlags::NOCTTY.bits().cast_signed();
        let side = OpenOptions::new().read(true).write(true).custom_flags(no_ctty).open(name).unwrap();
        tcsetwinsize(&side, Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let pty = Pty { controller: controller.into(), side, shown: Arc::default() };
        let (mut screen, shown) = (pty.controller.try_clone().unwrap(), pty.shown.clone());
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                shown.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        pty
    }

    /// Starts a command in a new session that this terminal controls.
    pub fn start(&self, command: &Command) -> OnPty<'_> {
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        session.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.get_current_dir().map(|dir| session.current_dir(dir));
        let side = || self.side.try_clone().unwrap();
        let child = session.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        OnPty { pty: self, child }
    }

    /// Waits until all output so far has arrived, by writing a mark after it.
    fn settle(&self) {
        (&self.side).write_all(&[MARK]).unwrap();
        let limit = Instant::now() + PATIENCE;
        while self.shown.lock().unwrap().last() != Some(&MARK) {
            assert!(Instant::now() < limit, "the screen is not read");
            thread::sleep(Duration::from_millis(1));
        }
        self.shown.lock().unwrap().retain(|byte| *byte != MARK);
    }

    /// Types or pastes.
    pub fn keys(&self, keys: &str) {
        (&self.controller).write_all(keys.as_bytes()).unwrap();
    }

    /// Returns all output so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Returns all modes.
    pub fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.side).unwrap())
    }

    /// Returns whether echo and line mode are on; a command changes both or neither.
    pub fn is_usual(&self) -> bool {
        let modes = tcgetattr(&self.side).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ISIG), "Ctrl-C always works");
        let (echo, lines) = (modes.contains(LocalModes::ECHO), modes.contains(LocalModes::ICANON));
        assert_eq!(echo, lines);
        echo
    }

    /// Returns the input that the next program on this terminal would read.
    pub fn left_over(&self) -> String {
        let mut side = self.side.try_clone().unwrap();
        let (found, text) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            let count = side.read(&mut bytes).unwrap();
            let _ = found.send(String::from_utf8_lossy(&bytes[..count]).into_owned());
        });
        text.recv_timeout(Duration::from_secs(1)).unwrap_or_default()
    }
}

/// Searches the output for secrets, unless the test has failed already.
impl Drop for Pty {
    fn drop(&mut self) {
        if !thread::panicking() {
            canary::assert_none_in("the terminal", &self.shown(), &[]);
        }
    }
}

/// A command that runs on the terminal.
pub struct OnPty<'a> {
    pty: &'a Pty,
    child: Child,
}

impl OnPty<'_> {
    pub fn wait_until(&mut self, what: &str, is_so: impl Fn(&Pty) -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !is_so(self.pty) {
            let is_over = self.child.try_wait().unwrap().is_some() && !is_so(self.pty);
            assert!(!is_over && Instant::now() < limit, "not {what:?}: {}", self.pty.shown());
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |pty| pty.shown().contains(text));
    }

    /// Waits for the authorization URL, which has its own line.
    pub fn url(&mut self) -> String {
        let line = |pty: &Pty| {
            let shown = pty.shown();
            let (_, rest) = shown.split_once("\r\n\r\nhttp")?;
            rest.split_once("\r\n").map(|(rest, _)| format!("http{rest}"))
        };
        self.wait_until("the URL", |pty| line(pty).is_some());
        line(self.pty).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, and returns the exit code and the time that took.
    pub fn end(mut self) -> (i32, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                let took = begun.elapsed();
                self.pty.settle();
                return (status.code().unwrap_or(-1), took);
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("the command hangs: {}", self.pty.shown());
    }
}

/// Ends a command that a failed test leaves behind.
impl Drop for OnPty<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
