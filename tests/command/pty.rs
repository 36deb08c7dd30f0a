//! A terminal of its own for a command: what the command shows there, keys, modes.

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

use crate::canary;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// No command writes it.
const MARK: u8 = 0;

pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_Z: &str = "\u{1a}";

/// The terminal. The test holds the screen and the keys, the command the other side.
pub(crate) struct Pty {
    controller: File,
    side: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    pub(crate) fn new(columns: u16) -> Pty {
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

    /// Starts a command in a session of its own, which this terminal controls.
    pub(crate) fn start(&self, command: &Command) -> OnPty<'_> {
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        session.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.get_current_dir().map(|dir| session.current_dir(dir));
        let side = || self.side.try_clone().unwrap();
        let child = session.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        OnPty { pty: self, child }
    }

    /// Waits until all is seen that was written so far: a mark goes the same way behind it.
    fn settle(&self) {
        (&self.side).write_all(&[MARK]).unwrap();
        let limit = Instant::now() + PATIENCE;
        while self.shown.lock().unwrap().last() != Some(&MARK) {
            assert!(Instant::now() < limit, "nobody looks at the screen");
            thread::sleep(Duration::from_millis(1));
        }
        self.shown.lock().unwrap().retain(|byte| *byte != MARK);
    }

    /// Types, or pastes.
    pub(crate) fn keys(&self, keys: &str) {
        (&self.controller).write_all(keys.as_bytes()).unwrap();
    }

    /// All that was shown, as the bytes came.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// The modes in full.
    pub(crate) fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.side).unwrap())
    }

    /// Whether keys are shown and come as lines; both or none of it.
    pub(crate) fn is_usual(&self) -> bool {
        let modes = tcgetattr(&self.side).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ISIG), "Ctrl-C always works");
        let (echo, lines) = (modes.contains(LocalModes::ECHO), modes.contains(LocalModes::ICANON));
        assert_eq!(echo, lines);
        echo
    }

    /// What is there to be read for whoever has the terminal next.
    pub(crate) fn left_over(&self) -> String {
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

/// Whatever was shown, typed and pasted, no secret is to be seen.
impl Drop for Pty {
    fn drop(&mut self) {
        if !thread::panicking() {
            canary::assert_none_in("the terminal", &self.shown(), &[]);
        }
    }
}

/// A command that runs there.
pub(crate) struct OnPty<'a> {
    pty: &'a Pty,
    child: Child,
}

impl OnPty<'_> {
    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&Pty) -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !is_so(self.pty) {
            let is_over = self.child.try_wait().unwrap().is_some() && !is_so(self.pty);
            assert!(!is_over && Instant::now() < limit, "not {what:?}: {}", self.pty.shown());
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |pty| pty.shown().contains(text));
    }

    /// The sign-in's address, from the line that it has for itself.
    pub(crate) fn url(&mut self) -> String {
        let line = |pty: &Pty| {
            let shown = pty.shown();
            let (_, rest) = shown.split_once("\r\n\r\nhttp")?;
            rest.split_once("\r\n").map(|(rest, _)| format!("http{rest}"))
        };
        self.wait_until("the address", |pty| line(pty).is_some());
        line(self.pty).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its exit code, and how long that took.
    pub(crate) fn end(mut self) -> (i32, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                let took = begun.elapsed();
                self.pty.settle();
                return (status.code().unwrap_or(-1), took);
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("it hangs: {}", self.pty.shown());
    }
}

/// A test that fails leaves nothing behind that waits for keys.
impl Drop for OnPty<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
