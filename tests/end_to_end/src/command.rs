//! The real command, each time in a new home directory. Its output, except a token it was asked for, and the files beside
//! the record are searched for secrets.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::{fs, thread};

use serde_json::Value;
use tempfile::TempDir;

use hallpass_test::canary;

use crate::cargo::{cargo, target_folder};
use crate::patience;

/// A user's home, empty at first.
pub struct Home {
    dir: TempDir,
    program: PathBuf,
    extra: Vec<(String, String)>,
}

/// A command that ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code.
    pub code: i32,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl Finished {
    /// Panics with all output unless this is the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Finished {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The standard output without its newline.
    pub fn value(&self) -> &str {
        self.stdout.trim_end()
    }

    /// The last line of the standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in {:?}", self.stdout))
    }
}

impl Home {
    /// A new one, for the command built from the current sources.
    pub fn new() -> Home {
        Home::of(hallpass())
    }

    /// A new one, for another build of the command.
    pub fn of(program: &Path) -> Home {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Home { dir, program: program.to_owned(), extra: Vec::new() }
    }

    /// With one more environment variable.
    pub fn with(mut self, name: &str, value: &str) -> Home {
        self.extra.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs `hallpass` with these arguments.
    pub fn hallpass(&self, arguments: &[&str]) -> Finished {
        let known = self.secrets();
        let finished = finished(&patience::output(&mut self.command(arguments)).expect("the command starts"));
        self.searched(arguments, &known, finished)
    }

    /// Panics if a command printed a secret: one that was `known` before it started, or any other.
    #[track_caller]
    pub(crate) fn searched(&self, arguments: &[&str], known: &[String], finished: Finished) -> Finished {
        let known = [known, &self.secrets()].concat();
        let is_asked_for_a_token =
            ["token", "exec", "credential"].iter().any(|verb| arguments.contains(verb));
        let stdout = if is_asked_for_a_token { "" } else { &finished.stdout };
        canary::assert_none_in(&format!("{arguments:?}"), &format!("{stdout}{}", finished.stderr), &known);
        finished
    }

    /// Returns the secrets that are stored here in clear.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.files().iter().flat_map(|(_, bytes)| canary::of_record(bytes)).collect()
    }

    /// Returns the files that the command wrote.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        [".config/hallpass", ".local/state/hallpass"]
            .iter()
            .flat_map(|dir| files_below(&self.path().join(dir)))
            .collect()
    }

    /// `hallpass` with these arguments, not yet running.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("HOME", self.path());
        for name in ["PATH", "CHROMIUM"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(self.extra.iter().cloned());
        command
    }
}

/// Searches for secrets, unless the test has failed already.
impl Drop for Home {
    fn drop(&mut self) {
        if !thread::panicking() {
            let known = self.secrets();
            self.files().iter().for_each(|(path, bytes)| canary::assert_none_in_file(path, bytes, &known));
        }
    }
}

fn files_below(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let read = |path: PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => fs::read(&path).map(|bytes| (path, bytes)).into_iter().collect(),
    };
    entries.flat_map(read).collect()
}

impl Default for Home {
    fn default() -> Home {
        Home::new()
    }
}

pub(crate) fn finished(output: &Output) -> Finished {
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Returns the command, built from the current sources with the features of `./test`. `cargo test` doesn't build it for
/// this crate, so these tests would otherwise run whatever an earlier build left.
pub fn hallpass() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = cargo()
            .args(["test", "--quiet", "--workspace", "--test", "command", "--no-run", "--target-dir"])
            .arg(target_folder())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the command could not be built");
        target_folder().join("debug/hallpass")
    });
    &PROGRAM
}
