//! Programs that are waited for, but not for ever: one that is stuck fails its test and says where it was.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than the limit of anything that is run here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const GLANCE: Duration = Duration::from_millis(5);

/// Runs a program to its end. Its output goes to files, since a pipe would be open for as long as any of its children.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn()?;
    let stuck = end(&mut child)?;
    let mut output = Output { status: child.wait()?, stdout: all(stdout)?, stderr: all(stderr)? };
    output.stderr.extend(stuck.unwrap_or_default().bytes());
    Ok(output)
}

/// Waits for its end. A program that is stuck is killed, and what its threads were doing is told.
pub(crate) fn end(child: &mut Child) -> io::Result<Option<String>> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if child.try_wait()?.is_some() {
            return Ok(None);
        }
        thread::sleep(GLANCE);
    }
    let told = format!("\nkilled after {PATIENCE:?}; its threads: {}", threads(child.id()).join(", "));
    child.kill()?;
    Ok(Some(told))
}

/// Returns the output of a program as it arrives.
pub(crate) fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            // Whoever gave up waiting wants no more of it.
            if sender.send(line.expect("a line")).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Name, state and place in the kernel of each thread, where the system tells.
pub(crate) fn threads(process: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let tell = |task: fs::DirEntry| {
        let [name, stat, place] = ["comm", "stat", "wchan"]
            .map(|file| fs::read_to_string(task.path().join(file)).unwrap_or_default());
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?');
        format!("{} ({state} {})", name.trim_end(), place.trim_end())
    };
    tasks.map(tell).collect()
}

fn all(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
