//! Servers that others wrote, each started for one test.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::foreign::{demand, foreign, script};
use crate::patience;

/// How long a server may take to start. With `FAREWELL` it is less than two minutes.
const STARTUP: Duration = Duration::from_secs(90);
/// How long a server may take to clean up.
const FAREWELL: Duration = Duration::from_secs(5);
/// How many bytes of a server's log a failed test shows.
const LOG_END: usize = 4000;

/// A running server of `tests/foreign`. It ends when this value is dropped, or when the test dies.
pub struct Server {
    process: Child,
    log: File,
    ready: Value,
}

impl Server {
    /// `oidc-provider` (npm).
    pub fn oidc_provider(variables: &[(&str, &str)]) -> Server {
        let mut command = script("oidc-provider.mjs");
        command.envs(variables.iter().copied());
        Server::start(command)
    }

    /// `better-auth` with its OAuth provider (npm).
    pub fn better_auth() -> Server {
        demand(&foreign("better-auth/node_modules"));
        Server::start(script("better-auth/server.mjs"))
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

    /// Starts a server and fails the test if it does not say in time where it listens.
    #[track_caller]
    fn start(command: Command) -> Server {
        match Server::start_within(STARTUP, command) {
            Ok(server) => server,
            Err(why) => panic!("{why}"),
        }
    }

    /// Starts a server that prints a line of JSON about itself within `limit`.
    ///
    /// # Errors
    ///
    /// Why there is no such line, and the end of the server's log.
    pub fn start_within(limit: Duration, mut command: Command) -> Result<Server, String> {
        let log = tempfile::tempfile().expect("a temporary file");
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().expect("a second handle"))
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let lines = patience::lines(process.stdout.take().expect("stdout is piped"));
        let mut server = Server { process, log, ready: Value::Null };
        match server.first_line(&lines, limit) {
            Ok(ready) => server.ready = ready,
            Err(why) => return Err(format!("{command:?} {why}\nIts log:\n{}", server.log_end())),
        }
        Ok(server)
    }

    fn first_line(&self, lines: &Receiver<String>, limit: Duration) -> Result<Value, String> {
        match lines.recv_timeout(limit) {
            Ok(line) => serde_json::from_str(&line).map_err(|error| format!("printed {line:?}: {error}")),
            Err(RecvTimeoutError::Disconnected) => Err("ended before it said where it listens".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                let threads = patience::threads(self.process.id()).join(", ");
                Err(format!("printed nothing within {limit:?}; its threads: {threads}"))
            }
        }
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

    fn log_end(&mut self) -> String {
        let mut log = Vec::new();
        if let Err(error) = self.log.rewind().and_then(|()| self.log.read_to_end(&mut log)) {
            return error.to_string();
        }
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_END)..]).into_owned()
    }
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
            // Nothing can be done about a closed stderr.
            let _ = writeln!(io::stderr(), "The server's log:\n{}", self.log_end());
        }
    }
}
