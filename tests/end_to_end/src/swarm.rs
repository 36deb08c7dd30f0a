//! Many processes that find the same sign-in expired, let go at the same moment.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::foreign::{Provider, browser_option};
use crate::patience;

/// A shell that waits at the gate and then becomes the command. Opening a FIFO to read from it lasts until somebody
/// opens it to write.
const AT_THE_GATE: &str = ": < \"$0\"; exec \"$@\"";

/// The settings of a swarm.
pub struct Setup<'a> {
    /// The command.
    pub program: &'a Path,
    /// How many of it.
    pub processes: usize,
    /// `--storage` of the login.
    pub storage: &'a str,
    /// Environment variables for the store, such as the address of a message bus.
    pub environment: &'a [(&'a str, &'a str)],
}

/// How the access token comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Its end in the record is set back. Quick, and nothing for a record that is sealed.
    SetBack,
    /// Waited for. The server's `ACCESS_TTL` says for how long.
    Awaited,
}

/// The results of some cycles.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often the token ended.
    pub cycles: usize,
    /// Refreshes that reached the server.
    pub refreshes: usize,
    /// Refreshes that it refused.
    pub refused: usize,
    /// Cycles in which not every process got the same token.
    pub torn: usize,
    /// The messages of processes without a token.
    pub failures: Vec<String>,
    /// From the opening of the gate to the end of the last process, a cycle each.
    pub times: Vec<Duration>,
}

/// A home that is signed in, and what runs in it.
pub struct Swarm<'a> {
    setup: Setup<'a>,
    provider: &'a Provider,
    home: TempDir,
}

impl<'a> Swarm<'a> {
    /// Signs in.
    ///
    /// # Errors
    ///
    /// With the command's message, if it fails.
    pub fn signed_in(setup: Setup<'a>, provider: &'a Provider) -> Result<Swarm<'a>, String> {
        let home = tempfile::tempdir().map_err(|error| format!("no home: {error}"))?;
        let swarm = Swarm { setup, provider, home };
        made(Command::new("mkfifo").arg(swarm.gate()))?;
        let client = ["--issuer", provider.issuer(), "--client-id", "cli", "--prompt", "consent"];
        let login = ["login", &browser_option("visitor.mjs"), "--storage", swarm.setup.storage];
        made(swarm.furnished(Command::new(swarm.setup.program)).args(login).args(client))?;
        Ok(swarm)
    }

    /// One expiry: every process asks for a token at once.
    ///
    /// # Errors
    ///
    /// If a process cannot be started at all.
    pub fn cycle(&self, expiry: Expiry, tally: &mut Tally) -> Result<(), String> {
        self.expire(expiry)?;
        let before = self.provider.journal().len();
        let crowd: Vec<Child> =
            (0..self.setup.processes).map(|_| self.waiting()).collect::<Result<_, _>>()?;
        let (gate, begun) = (self.opened_gate()?, Instant::now());
        let outputs: Result<Vec<Output>, _> = crowd.into_iter().map(Child::wait_with_output).collect();
        drop(gate);
        tally.times.push(begun.elapsed());
        tally.count(&outputs.map_err(|error| error.to_string())?, &self.provider.journal()[before..]);
        Ok(())
    }

    /// Whether the session can still be renewed.
    ///
    /// # Errors
    ///
    /// With the command's message, if it fails.
    pub fn is_alive(&self) -> Result<(), String> {
        made(self.furnished(Command::new(self.setup.program)).args(["token", "--refresh"]))
    }

    fn furnished(&self, mut command: Command) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().envs(self.setup.environment.iter().copied());
        command.env("PATH", path).env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn gate(&self) -> PathBuf {
        self.home.path().join("gate")
    }

    fn waiting(&self) -> Result<Child, String> {
        let mut command = self.furnished(Command::new("sh"));
        command.args(["-c", AT_THE_GATE]).arg(self.gate()).arg(self.setup.program).arg("token");
        command.spawn().map_err(|error| format!("sh: {error}"))
    }

    /// Late processes pass as long as the file is open.
    fn opened_gate(&self) -> Result<File, String> {
        thread::sleep(Duration::from_millis(2) * self.setup.processes as u32);
        OpenOptions::new().write(true).open(self.gate()).map_err(|error| format!("the gate: {error}"))
    }

    fn expire(&self, expiry: Expiry) -> Result<(), String> {
        let path = self.home.path().join(".local/state/hallpass/hallpass/default.json");
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut record: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let end = &mut record["access"][0]["expires_at"];
        match expiry {
            Expiry::SetBack => {
                *end = rfc3339(SystemTime::now() - Duration::from_secs(1)).into();
                fs::write(&path, record.to_string()).map_err(|error| format!("{}: {error}", path.display()))
            }
            Expiry::Awaited => {
                let end = humantime::parse_rfc3339(end.as_str().unwrap_or_default());
                let end = end.map_err(|error| format!("expires_at: {error}"))?;
                thread::sleep(end.duration_since(SystemTime::now()).unwrap_or_default());
                Ok(())
            }
        }
    }
}

impl Tally {
    fn count(&mut self, outputs: &[Output], journal: &[Value]) {
        let asked: Vec<_> = journal.iter().filter(|entry| entry["grant_type"] == "refresh_token").collect();
        self.cycles += 1;
        self.refreshes += asked.len();
        self.refused += asked.iter().filter(|entry| entry["error"] == "invalid_grant").count();
        let (lucky, failed): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.status.success());
        let tokens: HashSet<_> = lucky.iter().map(|output| &output.stdout).collect();
        self.torn += usize::from(tokens.len() > 1);
        self.failures.extend(failed.iter().map(|output| told(output)));
    }

    /// One refresh for each cycle, none refused, every process with the same token.
    pub fn is_clean(&self) -> bool {
        self.refreshes == self.cycles && self.refused == 0 && self.torn == 0 && self.failures.is_empty()
    }
}

fn made(command: &mut Command) -> Result<(), String> {
    let output = patience::output(command).map_err(|error| format!("{command:?}: {error}"))?;
    output.status.success().then_some(()).ok_or_else(|| told(&output))
}

fn told(output: &Output) -> String {
    format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim_end())
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
