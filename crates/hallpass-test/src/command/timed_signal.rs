//! Sends a signal to a command: after some time or, if `strace` works, before an exact system call of its main thread. A
//! test that goes through all system calls covers every point at which a command can be killed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::skipped;

/// The moment at which a signal is sent.
#[derive(Clone, Debug)]
pub enum Moment {
    /// This long after the start.
    After(Duration),
    /// Before this system call.
    Before(SystemCall),
}

/// The first, second, … system call of this name, as `strace` counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SystemCall {
    pub name: String,
    count: usize,
}

/// Returns moments that are spread over a time.
pub fn spread(over: Duration, count: u32) -> Vec<Moment> {
    (0..count).map(|number| Moment::After(over * number / count)).collect()
}

/// Starts the command, and sends the signal at this moment.
pub fn start_and_signal(command: Command, moment: &Moment, signal: Signal) -> Child {
    match moment {
        Moment::Before(call) => {
            let options = ["-o", "/dev/null", "-e", &injection(call, signal)];
            start(traced(&command, &options))
        }
        Moment::After(time) => {
            let (child, time) = (start(command), *time);
            // Unlike its number, this can never refer to another process.
            let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
            thread::spawn(move || {
                thread::sleep(time);
                let _ = pidfd_send_signal(process, signal); // it may have ended by itself
            });
            child
        }
    }
}

/// Starts the command with no stream but stderr.
pub fn start(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn injection(call: &SystemCall, signal: Signal) -> String {
    format!("inject={}:signal={}:when={}", call.name, signal_name(signal), call.count)
}

pub fn signal_name(signal: Signal) -> &'static str {
    match signal {
        Signal::INT => "INT",
        Signal::TERM => "TERM",
        _ => "KILL",
    }
}

/// Returns the command under `strace`. It traces the main thread only; otherwise it would send the signal once for each
/// thread that gets that far.
pub fn traced(command: &Command, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.arg("-qq").args(options).arg("--").arg(command.get_program()).args(command.get_args());
    traced.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.get_current_dir().map(|dir| traced.current_dir(dir));
    traced
}

/// Returns the command under `strace`, stopped at its first system call of this name.
pub fn stopping_at(command: &Command, call: &str, log: &Path) -> Command {
    let injection = format!("inject={call}:signal=STOP:when=1");
    traced(command, &["-o", log.to_str().unwrap(), "-e", &injection])
}

/// Waits until the command has stopped, and returns its process.
pub fn wait_until_stopped(tracer: u32, log: &Path) -> Pid {
    let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
    let has_stopped = |_| fs::read_to_string(log).is_ok_and(|log| log.contains("stopped by SIGSTOP"));
    assert!((0..2000).inspect(pause).any(has_stopped), "the command does not stop");
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).unwrap();
    Pid::from_raw(children.trim().parse().unwrap()).unwrap()
}

/// Returns whether `strace` works here, and reports if not.
pub fn can_trace() -> bool {
    let trial = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let is_left_out = std::env::var_os("HALLPASS_ALL_TESTS").is_none();
    assert!(trial.is_ok() || is_left_out, "not installed: strace");
    let can = trial.is_ok_and(|output| output.status.success());
    if !can {
        skipped("strace is not installed, or may not trace other programs");
    }
    can
}

/// Parses the system calls in a log of `strace -o`, in order.
pub fn system_calls(log: &str) -> Vec<SystemCall> {
    let mut counts = HashMap::<&str, usize>::new();
    let names = log.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name).filter(is_name);
    names
        .map(|name| {
            let count = counts.entry(name).or_default();
            *count += 1;
            SystemCall { name: name.to_owned(), count: *count }
        })
        .collect()
}

/// Excludes signals and exits.
fn is_name(text: &&str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
