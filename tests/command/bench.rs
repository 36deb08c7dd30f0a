//! A home of its own for each test: runs the real `hallpass` in it and plays the person in front of it. Whatever a command
//! shows but the value that it was asked for, what it tells its browser, and what it leaves behind beside the record is
//! searched for secrets.
//!
//! Nothing of the caller's environment reaches the command but `PATH`. Its browser is a script that writes
//! down the address; the test then opens it as the person would.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hallpass_dev::{DevServer, Journal, Visit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::canary;

/// Longer than anything here takes; a command that is not done by then hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The account and the client that a development server has from the start.
pub(crate) const EMAIL: &str = "test@example.com";
pub(crate) const CLIENT: &str = "demo";

/// A home, a folder for temporary files, and a browser.
pub(crate) struct Bench {
    dir: TempDir,
    variables: Vec<(String, String)>,
    journals: Mutex<Vec<Journal>>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let (dir, journals) = (tempfile::tempdir().unwrap(), Mutex::default());
        let bench = Bench { dir, variables: Vec::new(), journals };
        fs::create_dir(bench.home()).unwrap();
        fs::create_dir(bench.tmp()).unwrap();
        // The shell reads it, so it needs no mode of its own. One short line is written in one piece.
        let (opened, environment) = (bench.opened_file(), bench.beside("environment"));
        let script =
            format!("env >> '{}'; printf '%s\\n' \"$1\" >> '{}'\n", environment.display(), opened.display());
        fs::write(bench.browser_file(), script).unwrap();
        bench
    }

    /// With one more variable in the environment of every call.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Bench {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// A path beside the home, for files that tests name on the command line.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file beside the home, and gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.beside(name), text).unwrap();
        self.beside(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn config_dir(&self) -> PathBuf {
        self.home().join(".config/hallpass")
    }

    /// The settings that `login` writes for a profile.
    pub(crate) fn settings_file(&self, profile: &str) -> PathBuf {
        self.config_dir().join("profiles").join(format!("{profile}.toml"))
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.home().join(".local/state/hallpass")
    }

    pub(crate) fn record_file(&self, profile: &str) -> PathBuf {
        self.state_dir().join("hallpass").join(format!("{profile}.json"))
    }

    pub(crate) fn record_bytes(&self, profile: &str) -> Vec<u8> {
        fs::read(self.record_file(profile)).unwrap()
    }

    pub(crate) fn record(&self, profile: &str) -> Value {
        serde_json::from_slice(&self.record_bytes(profile)).unwrap()
    }

    /// Changes a record on the disk, as if it had been written so.
    pub(crate) fn edit(&self, profile: &str, change: impl FnOnce(&mut Value)) {
        self.write_over(profile, change);
        own_up_to(&self.record_file(profile));
    }

    /// Changes a record on the disk as another program does.
    pub(crate) fn write_over(&self, profile: &str, change: impl FnOnce(&mut Value)) {
        let mut record = self.record(profile);
        change(&mut record);
        fs::write(self.record_file(profile), record.to_string()).unwrap();
    }

    /// Makes the stored access token one that was obtained an hour ago and ends so many seconds from now.
    pub(crate) fn let_expire_in(&self, profile: &str, seconds: u64) {
        self.edit(profile, |record| ends_in(record, seconds));
    }

    /// Every file below the home, with its content.
    /// Without the lock files: they tell who took the lock last.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let is_lock = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "lock");
        let mut files = files_below(&self.home());
        files.retain(|path, _| !is_lock(path));
        files
    }

    /// The secrets that are known to the letter: what is stored here, and what servers were sent.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let stored = regular_files_below(&self.state_dir());
        let stored = stored.iter().flat_map(|(_, bytes)| canary::of_record(bytes));
        let journals = self.journals.lock().unwrap();
        stored.chain(journals.iter().flat_map(sent)).collect()
    }

    /// The browser's argument and environment, and every file but the store.
    fn assert_no_secret_is_left(&self) {
        let known = self.secrets();
        let looked_at = [self.home(), self.tmp(), self.opened_file(), self.beside("environment")];
        for (path, bytes) in looked_at.iter().flat_map(|place| regular_files_below(place)) {
            canary::assert_none_in_file(&path, &bytes, &known);
        }
    }

    /// Whether neither a file nor a folder was left in the home and among the temporary files.
    pub(crate) fn is_untouched(&self) -> bool {
        [self.home(), self.tmp()].iter().all(|dir| fs::read_dir(dir).unwrap().next().is_none())
    }

    /// The addresses that the browser was asked to open, in order.
    pub(crate) fn opened(&self) -> Vec<String> {
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
    pub(crate) fn browser(&self) -> String {
        format!("/bin/sh {}", self.browser_file().display())
    }

    /// A call of the command.
    pub(crate) fn hallpass(&self, args: &[&str]) -> Call<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(args);
        self.call(command)
    }

    /// A call of another program that runs the command.
    pub(crate) fn call(&self, mut command: Command) -> Call<'_> {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home()).env("TMPDIR", self.tmp()).current_dir(self.dir.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Call { bench: self, command }
    }

    /// Calls the command and waits for it.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.hallpass(args).run()
    }

    /// Calls a command that has to work, for what it prints.
    pub(crate) fn value(&self, args: &[&str]) -> String {
        self.run(args).ok().value().to_owned()
    }

    /// A login with the script as browser.
    pub(crate) fn login(&self, args: &[&str]) -> Call<'_> {
        let browser = format!("--browser={}", self.browser());
        self.hallpass(&[&["login", &browser], args].concat())
    }

    /// A login at a development server, given by options.
    pub(crate) fn login_at(&self, server: &DevServer, args: &[&str]) -> Call<'_> {
        self.journals.lock().unwrap().push(server.journal());
        self.login(&[&["--issuer", server.issuer(), "--client-id", CLIENT], args].concat())
    }

    /// Signs in at a development server as its first account.
    pub(crate) fn sign_in(&self, server: &DevServer, args: &[&str]) -> Outcome {
        self.login_at(server, args).play(|url| visit(server, url)).0.ok()
    }
}

/// A test that failed has shown what matters.
impl Drop for Bench {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.assert_no_secret_is_left();
        }
    }
}

/// Every secret that a server was sent.
pub(crate) fn sent(journal: &Journal) -> Vec<String> {
    const SECRET: [&str; 6] =
        ["code", "code_verifier", "refresh_token", "token", "device_code", "client_secret"];
    let entries = journal.entries();
    let fields = entries.iter().flat_map(|entry| entry.form.iter().chain(&entry.query));
    fields.filter(|(name, _)| SECRET.contains(&name.as_str())).map(|(_, value)| value.clone()).collect()
}

/// Takes a record that a test wrote for one that the command wrote.
pub(crate) fn own_up_to(record: &Path) {
    let journal = record.with_extension("refresh");
    let mut noted: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    noted["written"] = Value::Array(Vec::new());
    fs::write(journal, noted.to_string()).unwrap();
}

/// The same in a record that lies elsewhere.
pub(crate) fn ends_in(record: &mut Value, seconds: u64) {
    let now = SystemTime::now();
    let time = |time| Value::from(humantime::format_rfc3339_seconds(time).to_string());
    record["obtained_at"] = time(now - Duration::from_secs(3600));
    record["access"][0]["obtained_at"] = record["obtained_at"].clone();
    record["access"][0]["expires_at"] = time(now + Duration::from_secs(seconds));
}

/// The robot signs in and allows.
pub(crate) fn visit(server: &DevServer, url: &str) -> Visit {
    server.robot().visit(url).unwrap()
}

pub(crate) fn files_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => dirs.push(path),
                path => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    files
}

/// What is no link, no pipe and can be read: a file, or all in a folder.
fn regular_files_below(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(kind) = fs::symlink_metadata(path).map(|metadata| metadata.file_type()) else { return Vec::new() };
    if kind.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        return entries.flat_map(|entry| regular_files_below(&entry.path())).collect();
    }
    let bytes = if kind.is_file() { fs::read(path).ok() } else { None };
    bytes.map(|bytes| (path.to_owned(), bytes)).into_iter().collect()
}

/// A call that has not begun.
pub(crate) struct Call<'a> {
    bench: &'a Bench,
    command: Command,
}

impl<'a> Call<'a> {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// In another home, whose name may be no text.
    pub(crate) fn at_home(mut self, home: &Path) -> Self {
        self.command.env("HOME", home);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The command itself, for a test that reads along.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Begins. The standard input is empty, and neither output is a terminal.
    pub(crate) fn start(self) -> Running<'a> {
        self.start_reading(Stdio::null())
    }

    /// Begins with something on the standard input.
    pub(crate) fn start_reading(mut self, input: impl Into<Stdio>) -> Running<'a> {
        self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let call = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let words =
            self.command.get_args().flat_map(|arg| arg.to_str().into_iter().flat_map(str::split_whitespace));
        let is_asked_for_a_token =
            words.into_iter().any(|word| ["token", "exec", "credential"].contains(&word));
        let (known, opened_before) = (self.bench.secrets(), self.bench.opened().len());
        let begun = Instant::now();
        let child = self.command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (done, end) = mpsc::channel();
        thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            let _ = done.send((output, begun.elapsed()));
        });
        let bench = self.bench;
        Running {
            bench,
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
    pub(crate) fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Plays the person once the browser opens, and waits for the end.
    pub(crate) fn play<T>(self, person: impl FnOnce(&str) -> T) -> (Outcome, T) {
        let mut running = self.start();
        let url = running.url();
        let seen = person(&url);
        (running.finish(), seen)
    }
}

type End = (std::process::Output, Duration);

/// A call that is under way.
pub(crate) struct Running<'a> {
    bench: &'a Bench,
    call: String,
    is_asked_for_a_token: bool,
    /// The secrets of the time when it began.
    known: Vec<String>,
    pid: Pid,
    opened_before: usize,
    end: Receiver<End>,
    ended: Option<End>,
    is_over: bool,
}

impl Running<'_> {
    /// Waits for the address that the browser was asked to open.
    pub(crate) fn url(&mut self) -> String {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit {
            if let Some(url) = self.bench.opened().get(self.opened_before) {
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

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits for the end.
    pub(crate) fn finish(self) -> Outcome {
        self.finish_within(PATIENCE)
    }

    /// Waits for the end of a call that takes its time.
    pub(crate) fn finish_within(mut self, limit: Duration) -> Outcome {
        if !self.has_ended(limit) {
            self.signal(Signal::KILL);
            self.is_over = true;
            panic!("{} hangs: {:?}", self.call, self.end.recv());
        }
        let (output, took) = self.ended.take().unwrap();
        self.known.extend(self.bench.secrets());
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

/// A test that fails leaves no command waiting for its person.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.has_ended(Duration::ZERO) {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// As a shell tells it.
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    #[allow(dead_code, reason = "shown by Debug, when an assertion fails")]
    call: String,
}

impl Outcome {
    /// It has to have worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Outcome {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// The one line on stdout.
    #[track_caller]
    pub(crate) fn value(&self) -> &str {
        let value = self.stdout.strip_suffix('\n').filter(|value| !value.is_empty() && !value.contains('\n'));
        value.unwrap_or_else(|| panic!("not one line: {self:#?}"))
    }

    /// What is on stdout, as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What is on stdout, one JSON value a line.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let event = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        self.stdout.lines().map(event).collect()
    }

    /// Failed with this exit code; the last two lines are one `error:` with the first text in it and one
    /// `hint:` with the second, and stdout is empty.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, error: &str, hint: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:#?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("error: "), count("hint: ")), (1, 1), "{self:#?}");
        let [.., error_line, hint_line] = lines.as_slice() else { panic!("{self:#?}") };
        assert!(error_line.starts_with("error: ") && error_line.contains(error), "not {error:?}: {self:#?}");
        assert!(hint_line.starts_with("hint: ") && hint_line.contains(hint), "not {hint:?}: {self:#?}");
    }

    /// The same as `--json` tells it: one object on stdout, no talk of the failure on stderr.
    #[track_caller]
    pub(crate) fn fails_as_json(&self, code: i32, kind: &str) -> Value {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.stderr.contains("error:"), "{self:#?}");
        let last = self.events().pop().unwrap_or_else(|| panic!("{self:#?}"));
        let error = &last["error"];
        assert_eq!((&error["code"], &error["kind"]), (&code.into(), &kind.into()), "{self:#?}");
        assert!(error["message"].is_string() && error.get("hint").is_some(), "{self:#?}");
        last
    }
}

/// Says that a test cannot do its work here. The test harness swallows what is printed by `println!`.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// What a browser shows in the end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Opens an address and follows redirects, as a browser does for somebody who is signed in at the server
/// already. An error is one of the connection.
pub(crate) fn browse(url: &str) -> Result<Page, ureq::Error> {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    let agent = config.timeout_global(Some(PATIENCE)).build().new_agent();
    let mut answer = agent.get(url).call()?;
    Ok(Page { status: answer.status().as_u16(), body: answer.body_mut().read_to_string()? })
}

/// A parameter of an address.
pub(crate) fn param(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// The callback that an authorization URL asks for, with these parameters; `{state}` is the right state.
pub(crate) fn callback(url: &str, query: &str) -> String {
    let state = param(url, "state").unwrap();
    format!("{}?{}", param(url, "redirect_uri").unwrap(), query.replace("{state}", &state))
}

/// A port of both loopback addresses that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    loop {
        let v4 = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = v4.local_addr().unwrap().port();
        if is_free(("::1", port)) {
            return port;
        }
    }
}

/// Whether nobody listens there.
pub(crate) fn is_free(address: (&str, u16)) -> bool {
    std::net::TcpListener::bind(address).is_ok()
}
