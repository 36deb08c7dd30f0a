//! Servers that others wrote, each started for one test.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::foreign::foreign;
use crate::patience::{self, PATIENCE};

/// How long a server may take to clean up.
const FAREWELL: Duration = Duration::from_secs(5);
/// So much of its log is shown where a test fails.
const LAST_WORDS: usize = 4000;

/// A running server of `tests/foreign`. It ends when this value is dropped, or when the test dies.
pub struct Server {
    process: Child,
    log: File,
    ready: Value,
}

impl Server {
    /// `oidc-provider` (npm).
    pub fn oidc_provider(variables: &[(&str, &str)]) -> Server {
        demand(&foreign("node_modules"));
        let mut command = Command::new("node");
        command.arg(foreign("oidc-provider.mjs")).envs(variables.iter().copied());
        Server::start(command)
    }

    /// `better-auth` with its OAuth provider (npm).
    pub fn better_auth() -> Server {
        demand(&foreign("better-auth/node_modules"));
        let mut command = Command::new("node");
        command.arg(foreign("better-auth/server.mjs"));
        Server::start(command)
    }

    /// `django-oauth-toolkit` (PyPI).
    pub fn django_oauth_toolkit() -> Server {
        let packages = foreign("django-oauth-toolkit/packages");
        demand(&packages);
        let mut command = Command::new("python3");
        command.arg(foreign("django-oauth-toolkit/server.py")).env("PYTHONPATH", packages);
        Server::start(command)
    }

    /// `glewlwyd` (Debian).
    pub fn glewlwyd() -> Server {
        demand(Path::new("/usr/bin/glewlwyd"));
        let mut command = Command::new("python3");
        command.arg(foreign("glewlwyd/server.py"));
        Server::start(command)
    }

    fn start(mut command: Command) -> Server {
        let log = tempfile::tempfile().expect("a temporary file");
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().expect("a second handle"))
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = patience::lines(process.stdout.take().expect("stdout is piped"));
        let line = lines.recv_timeout(PATIENCE).unwrap_or_default();
        let mut server = Server { process, log, ready: Value::Null };
        server.ready =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{command:?}: {error} in {line:?}"));
        server
    }

    /// The server's URL.
    pub fn issuer(&self) -> &str {
        self.said("issuer")
    }

    /// Something else that it said about itself.
    pub fn said(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap_or_else(|| panic!("no {member} in {}", self.ready))
    }

    /// The same of a list.
    pub fn list(&self, member: &str) -> Vec<&str> {
        let list = self.ready[member].as_array().unwrap_or_else(|| panic!("no {member} in {}", self.ready));
        list.iter().filter_map(Value::as_str).collect()
    }

    /// The arguments of a login there.
    pub fn at(&self) -> [&str; 4] {
        ["--issuer", self.issuer(), "--client-id", self.said("client_id")]
    }

    /// An address below its own.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    fn is_over(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|status| status.is_some())
    }

    fn last_words(&mut self) -> io::Result<String> {
        let mut log = Vec::new();
        self.log.rewind()?;
        self.log.read_to_end(&mut log)?;
        Ok(String::from_utf8_lossy(&log[log.len().saturating_sub(LAST_WORDS)..]).into_owned())
    }
}

/// Panics if a file that `./test` installs is missing: such a test fails and is not skipped.
#[track_caller]
fn demand(path: &Path) {
    assert!(path.exists(), "{} is missing: ./test installs it", path.display());
}

impl Drop for Server {
    /// It ends when its stdin does, and takes along what it made; a stubborn one is killed.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let begun = Instant::now();
        while !self.is_over() && begun.elapsed() < FAREWELL {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            let log = self.last_words().unwrap_or_else(|error| error.to_string());
            // Where even stderr is gone, nobody is there to be told.
            let _ = writeln!(io::stderr(), "The server's log:\n{log}");
        }
    }
}
