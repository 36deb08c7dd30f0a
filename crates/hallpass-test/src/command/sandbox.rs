//! A sandbox for each test, with a home directory in which the real `hallpass` runs. The command's output, except a token
//! it was asked for, the browser's arguments and environment, and the files beside the record are searched for secrets.
//!
//! Of the caller's environment, the command gets `PATH` only. Its browser is a script that writes the URL to a file; the
//! test then opens it as the user would.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime};

use hallpass_dev::{DevServer, Journal, Visit};
use serde_json::Value;
use tempfile::TempDir;

use super::{Invocation, Outcome};
use crate::canary;
use crate::files::files_below;

/// The account and the client that every development server has.
pub const EMAIL: &str = "test@example.com";
pub const CLIENT: &str = "demo";

/// A home directory, a directory for temporary files, and a browser.
pub struct CommandSandbox {
    program: PathBuf,
    dir: TempDir,
    variables: Vec<(String, String)>,
    journals: Mutex<Vec<Journal>>,
}

impl CommandSandbox {
    /// Runs this program, which is `env!("CARGO_BIN_EXE_hallpass")` in the command's own tests.
    pub fn new(program: impl Into<PathBuf>) -> CommandSandbox {
        let (dir, journals) = (tempfile::tempdir().unwrap(), Mutex::default());
        let sandbox = CommandSandbox { program: program.into(), dir, variables: Vec::new(), journals };
        fs::create_dir(sandbox.home()).unwrap();
        fs::create_dir(sandbox.tmp()).unwrap();
        // The shell reads it, so it does not have to be executable. One short line is written at once.
        let (opened, environment) = (sandbox.opened_file(), sandbox.beside("environment"));
        let script =
            format!("env >> '{}'; printf '%s\\n' \"$1\" >> '{}'\n", environment.display(), opened.display());
        fs::write(sandbox.browser_file(), script).unwrap();
        sandbox
    }

    /// Adds a variable to the environment of every run.
    pub fn with(mut self, name: &str, value: &str) -> CommandSandbox {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// A path beside the home directory, for files that tests name on the command line.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file beside the home directory, and returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.beside(name), text).unwrap();
        self.beside(name).to_str().unwrap().to_owned()
    }

    pub fn config_dir(&self) -> PathBuf {
        self.home().join(".config/hallpass")
    }

    /// The settings file that `login` writes for a profile.
    pub fn settings_file(&self, profile: &str) -> PathBuf {
        self.config_dir().join("profiles").join(format!("{profile}.toml"))
    }

    pub fn state_dir(&self) -> PathBuf {
        self.home().join(".local/state/hallpass")
    }

    pub fn record_file(&self, profile: &str) -> PathBuf {
        self.state_dir().join("hallpass").join(format!("{profile}.json"))
    }

    pub fn record_bytes(&self, profile: &str) -> Vec<u8> {
        fs::read(self.record_file(profile)).unwrap()
    }

    pub fn record(&self, profile: &str) -> Value {
        serde_json::from_slice(&self.record_bytes(profile)).unwrap()
    }

    /// Changes a record as if the command had written it so.
    pub fn edit(&self, profile: &str, change: impl FnOnce(&mut Value)) {
        self.write_over(profile, change);
        forget_journal(&self.record_file(profile));
    }

    /// Changes a record as another program does.
    pub fn write_over(&self, profile: &str, change: impl FnOnce(&mut Value)) {
        let mut record = self.record(profile);
        change(&mut record);
        fs::write(self.record_file(profile), record.to_string()).unwrap();
    }

    /// Makes the stored access token one that was obtained an hour ago and expires in so many seconds.
    pub fn let_expire_in(&self, profile: &str, seconds: u64) {
        self.edit(profile, |record| expire_in(record, seconds));
    }

    /// Returns every file below the home directory, except lock files, which name the last holder of the lock.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let is_lock = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "lock");
        let mut files = files_below(&self.home());
        files.retain(|path, _| !is_lock(path));
        files
    }

    /// Returns the known secrets: those stored here, and those sent to servers.
    pub fn secrets(&self) -> Vec<String> {
        let stored = regular_files_below(&self.state_dir());
        let stored = stored.iter().flat_map(|(_, bytes)| canary::of_record(bytes));
        let journals = self.journals.lock().unwrap();
        stored.chain(journals.iter().flat_map(sent)).collect()
    }

    /// Searches the browser's argument and environment, and every file but the store.
    fn assert_no_secret_is_left(&self) {
        let known = self.secrets();
        let looked_at = [self.home(), self.tmp(), self.opened_file(), self.beside("environment")];
        for (path, bytes) in looked_at.iter().flat_map(|place| regular_files_below(place)) {
            canary::assert_none_in_file(&path, &bytes, &known);
        }
    }

    /// Returns whether the home directory and the temporary directory are empty.
    pub fn is_untouched(&self) -> bool {
        [self.home(), self.tmp()].iter().all(|dir| fs::read_dir(dir).unwrap().next().is_none())
    }

    /// Returns the URLs that the browser was asked to open, in order.
    pub fn opened(&self) -> Vec<String> {
        let text = fs::read_to_string(self.opened_file()).unwrap_or_default();
        let complete = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        complete.lines().map(str::to_owned).collect()
    }

    fn opened_file(&self) -> PathBuf {
        self.beside("opened")
    }

    fn browser_file(&self) -> PathBuf {
        self.beside("browser.sh")
    }

    /// The command line of the browser.
    pub fn browser(&self) -> String {
        format!("/bin/sh {}", self.browser_file().display())
    }

    /// Prepares a run of the command.
    pub fn hallpass(&self, args: &[&str]) -> Invocation<'_> {
        let mut command = Command::new(&self.program);
        command.args(args);
        self.call(command)
    }

    /// Prepares a run of another program, which runs the command.
    pub fn call(&self, mut command: Command) -> Invocation<'_> {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home()).env("TMPDIR", self.tmp()).current_dir(self.dir.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Invocation::new(self, command)
    }

    /// Runs the command and waits for it.
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.hallpass(args).run()
    }

    /// Runs a command that must succeed, and returns the line it prints.
    pub fn value(&self, args: &[&str]) -> String {
        self.run(args).ok().value().to_owned()
    }

    /// Prepares a login with the script as browser.
    pub fn login(&self, args: &[&str]) -> Invocation<'_> {
        let browser = format!("--browser={}", self.browser());
        self.hallpass(&[&["login", &browser], args].concat())
    }

    /// Prepares a login at a development server, given by options.
    pub fn login_at(&self, server: &DevServer, args: &[&str]) -> Invocation<'_> {
        self.journals.lock().unwrap().push(server.journal());
        self.login(&[&["--issuer", server.issuer(), "--client-id", CLIENT], args].concat())
    }

    /// Signs in at a development server with its first account.
    pub fn sign_in(&self, server: &DevServer, args: &[&str]) -> Outcome {
        self.login_at(server, args).play(|url| visit(server, url)).0.ok()
    }
}

/// Searches for secrets, unless the test has failed already.
impl Drop for CommandSandbox {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.assert_no_secret_is_left();
        }
    }
}

/// Returns every secret that was sent to a server.
pub fn sent(journal: &Journal) -> Vec<String> {
    const SECRET: [&str; 6] =
        ["code", "code_verifier", "refresh_token", "token", "device_code", "client_secret"];
    let entries = journal.entries();
    let fields = entries.iter().flat_map(|entry| entry.form.iter().chain(&entry.query));
    fields.filter(|(name, _)| SECRET.contains(&name.as_str())).map(|(_, value)| value.clone()).collect()
}

/// Makes the command accept a record that a test wrote as its own.
pub fn forget_journal(record: &Path) {
    let journal = record.with_extension("refresh");
    let mut noted: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    noted["written"] = Value::Array(Vec::new());
    fs::write(journal, noted.to_string()).unwrap();
}

/// Changes a record: its access token was obtained an hour ago and expires in so many seconds.
pub fn expire_in(record: &mut Value, seconds: u64) {
    let now = SystemTime::now();
    let time = |time| Value::from(humantime::format_rfc3339_seconds(time).to_string());
    record["obtained_at"] = time(now - Duration::from_secs(3600));
    record["access"][0]["obtained_at"] = record["obtained_at"].clone();
    record["access"][0]["expires_at"] = time(now + Duration::from_secs(seconds));
}

/// Lets the server's robot sign in and allow the request.
pub fn visit(server: &DevServer, url: &str) -> Visit {
    server.robot().visit(url).unwrap()
}

/// Returns a file, or all files in a directory, without links, pipes and what cannot be read.
fn regular_files_below(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(kind) = fs::symlink_metadata(path).map(|metadata| metadata.file_type()) else { return Vec::new() };
    if kind.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        return entries.flat_map(|entry| regular_files_below(&entry.path())).collect();
    }
    let bytes = if kind.is_file() { fs::read(path).ok() } else { None };
    bytes.map(|bytes| (path.to_owned(), bytes)).into_iter().collect()
}
