//! One run of the command.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{CommandSandbox, Outcome, PATIENCE};
use crate::canary;

/// A run of the command that has not started.
pub struct Invocation<'a> {
    sandbox: &'a CommandSandbox,
    command: Command,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(sandbox: &'a CommandSandbox, command: Command) -> Invocation<'a> {
        Invocation { sandbox, command }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// Sets another home directory, whose path need not be UTF-8.
    pub fn at_home(mut self, home: &Path) -> Self {
        self.command.env("HOME", home);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Returns the command, for a test that starts it by itself.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Starts it. Its standard input is empty, and neither output is a terminal.
    pub fn start(self) -> Running<'a> {
        self.start_reading(Stdio::null())
    }

    /// Starts it with something on the standard input.
    pub fn start_reading(mut self, input: impl Into<Stdio>) -> Running<'a> {
        self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let call = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let words =
            self.command.get_args().flat_map(|arg| arg.to_str().into_iter().flat_map(str::split_whitespace));
        let is_asked_for_a_token =
            words.into_iter().any(|word| ["token", "exec", "credential"].contains(&word));
        let (known, opened_before) = (self.sandbox.secrets(), self.sandbox.opened().len());
        let started = Instant::now();
        let child = self.command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (done, end) = mpsc::channel();
        thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            let _ = done.send((output, started.elapsed()));
        });
        let sandbox = self.sandbox;
        Running {
            sandbox,
            call,
            is_asked_for_a_token,
            known,
            pid,
            opened_before,
            end,
            ended: None,
            is_over: false,
        }
    }

    /// Waits for the end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Plays the user once the browser opens, and waits for the end.
    pub fn play<T>(self, user: impl FnOnce(&str) -> T) -> (Outcome, T) {
        let mut running = self.start();
        let url = running.url();
        let seen = user(&url);
        (running.finish(), seen)
    }
}

type End = (std::process::Output, Duration);

/// A run of the command that has started.
pub struct Running<'a> {
    sandbox: &'a CommandSandbox,
    call: String,
    is_asked_for_a_token: bool,
    /// The known secrets when it started.
    known: Vec<String>,
    pid: Pid,
    opened_before: usize,
    end: Receiver<End>,
    ended: Option<End>,
    is_over: bool,
}

impl Running<'_> {
    /// Waits for the URL that the browser is asked to open.
    pub fn url(&mut self) -> String {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit {
            if let Some(url) = self.sandbox.opened().get(self.opened_before) {
                return url.clone();
            }
            if self.has_ended(Duration::from_millis(5)) {
                break;
            }
        }
        panic!("no browser was opened by {}: {:?}", self.call, self.ended.as_ref().map(|(output, _)| output));
    }

    fn has_ended(&mut self, limit: Duration) -> bool {
        if !self.is_over {
            self.ended = self.end.recv_timeout(limit).ok();
            self.is_over = self.ended.is_some();
        }
        self.is_over
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits for the end.
    pub fn finish(self) -> Outcome {
        self.finish_within(PATIENCE)
    }

    /// Waits for the end, for this long at most.
    pub fn finish_within(mut self, limit: Duration) -> Outcome {
        if !self.has_ended(limit) {
            self.signal(Signal::KILL);
            self.is_over = true;
            panic!("{} hangs: {:?}", self.call, self.end.recv());
        }
        let (output, took) = self.ended.take().unwrap();
        self.known.extend(self.sandbox.secrets());
        let shown = if self.is_asked_for_a_token {
            &output.stderr
        } else {
            &[&output.stdout[..], &output.stderr].concat()
        };
        canary::assert_none_in(&self.call, &String::from_utf8_lossy(shown), &self.known);
        Outcome {
            code: exit_code(output.status),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took,
            call: std::mem::take(&mut self.call),
        }
    }
}

/// Ends a command that a failed test leaves behind.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.has_ended(Duration::ZERO) {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// Returns the exit code as a shell reports it.
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
}
