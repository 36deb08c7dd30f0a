//! Ends a command by a signal: after some time or, where `strace` may be used, before an exact system call of its main
//! thread. Struck before each of them in turn, a command has no place left to die in.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::bench::skipped;

/// Where it falls.
#[derive(Clone, Debug)]
pub(crate) enum Blow {
    /// So long after the start.
    After(Duration),
    /// Before this system call.
    Before(SystemCall),
}

/// The first, second, … call of this name, as `strace` counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SystemCall {
    pub(crate) name: String,
    count: usize,
}

/// Blows spread over a time.
pub(crate) fn spread(over: Duration, count: u32) -> Vec<Blow> {
    (0..count).map(|number| Blow::After(over * number / count)).collect()
}

/// Starts the command, and lets the blow fall.
pub(crate) fn strike(command: Command, blow: &Blow, signal: Signal) -> Child {
    match blow {
        Blow::Before(call) => {
            let options = ["-o", "/dev/null", "-e", &injection(call, signal)];
            started(traced(&command, &options))
        }
        Blow::After(time) => {
            let (child, time) = (started(command), *time);
            // Unlike its number, this can never mean another process.
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
pub(crate) fn started(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn injection(call: &SystemCall, signal: Signal) -> String {
    format!("inject={}:signal={}:when={}", call.name, name(signal), call.count)
}

pub(crate) fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::INT => "INT",
        Signal::TERM => "TERM",
        _ => "KILL",
    }
}

/// The same command under `strace`, which sees the main thread alone: told of the others, it would send the signal once
/// for each that comes that far.
pub(crate) fn traced(command: &Command, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.arg("-qq").args(options).arg("--").arg(command.get_program()).args(command.get_args());
    traced.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.get_current_dir().map(|dir| traced.current_dir(dir));
    traced
}

/// The same command, which stops at the first system call of this name.
pub(crate) fn that_stops_at(command: &Command, call: &str, log: &Path) -> Command {
    let injection = format!("inject={call}:signal=STOP:when=1");
    traced(command, &["-o", log.to_str().unwrap(), "-e", &injection])
}

/// Waits until it has stopped; the process to be continued.
pub(crate) fn stopped(tracer: u32, log: &Path) -> Pid {
    let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
    let has_stopped = |_| fs::read_to_string(log).is_ok_and(|log| log.contains("stopped by SIGSTOP"));
    assert!((0..2000).inspect(pause).any(has_stopped), "it does not stop there");
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).unwrap();
    Pid::from_raw(children.trim().parse().unwrap()).unwrap()
}

/// Whether `strace` is there and may do its work; says so where not.
pub(crate) fn can_trace() -> bool {
    let trial = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let is_left_out = std::env::var_os("HALLPASS_ALL_TESTS").is_none();
    assert!(trial.is_ok() || is_left_out, "not installed: strace");
    let can = trial.is_ok_and(|output| output.status.success());
    if !can {
        skipped("strace is not here, or may not look into other programs");
    }
    can
}

/// The system calls that `strace -o` wrote down, in order.
pub(crate) fn system_calls(log: &str) -> Vec<SystemCall> {
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

/// Not a signal or an exit.
fn is_name(text: &&str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
