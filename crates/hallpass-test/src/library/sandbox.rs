//! A sandbox for each test: a state directory and a clock. The events of a login, the pages of the callback listener, the
//! log, and the files beside the record are searched for secrets.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use hallpass::browser::Browser;
use hallpass::{Builder, Environment, Error, Hallpass, Result, Session};
use serde_json::Value;
use tempfile::TempDir;

use super::{RecordingUi, log_recorder, visitor};
use crate::canary;
use crate::files::files_below;
use crate::provider::{CLIENT, Provider};

pub const SERVICE: &str = "mytool";

/// A state directory and a clock.
pub struct LibrarySandbox {
    dir: TempDir,
    ahead: Arc<AtomicU64>,
}

impl LibrarySandbox {
    pub fn new() -> LibrarySandbox {
        log_recorder::installed();
        LibrarySandbox { dir: tempfile::tempdir().unwrap(), ahead: Arc::default() }
    }

    /// Builds with an empty environment, and this sandbox's state directory and clock.
    pub fn builder(&self, issuer: &str, client_id: &str) -> Builder {
        self.with_sandbox(Hallpass::builder(SERVICE, issuer, client_id))
    }

    /// Builds for the client that is registered at a scripted provider.
    pub fn at(&self, provider: &Provider) -> Builder {
        self.builder(provider.issuer(), CLIENT).redirect_uris([provider.redirect_uri()])
    }

    /// Builds the pass of a new process.
    pub fn pass(&self, provider: &Provider) -> Hallpass {
        self.at(provider).build().unwrap()
    }

    /// Builds a pass that works from the record alone.
    pub fn stored(&self) -> Builder {
        self.with_sandbox(Hallpass::stored(SERVICE))
    }

    fn with_sandbox(&self, builder: Builder) -> Builder {
        builder.state_dir(self.state_dir()).environment(Environment::from_variables([])).clock(self.clock())
    }

    /// The sandbox's clock.
    pub fn clock(&self) -> impl Fn() -> SystemTime + Clone + Send + Sync + 'static {
        let ahead = self.ahead.clone();
        move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::SeqCst))
    }

    /// Signs in at a provider, and forgets the requests of the login.
    pub fn signed_in(&self, provider: &Provider) -> Session {
        let session = login(self.at(provider), visitor().0).unwrap();
        provider.forget();
        session
    }

    /// Advances the clock.
    pub fn wait(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The program's directory for profiles.
    pub fn folder(&self) -> PathBuf {
        self.state_dir().join(SERVICE)
    }

    pub fn path(&self) -> PathBuf {
        self.folder().join("default.json")
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub fn record(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap()
    }

    /// Changes the record as if the library had written it so.
    pub fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut record = self.record();
        change(&mut record);
        self.write(record.to_string().as_bytes());
        let journal = self.folder().join("default.refresh");
        let noted = fs::read(&journal).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let Some(mut noted) = noted.filter(Value::is_object) else { return };
        noted["written"] = Value::Array(Vec::new());
        fs::write(journal, noted.to_string()).unwrap();
    }

    pub fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    pub fn is_signed_in(&self) -> bool {
        self.path().exists()
    }

    /// Returns every file below the state directory.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(&self.state_dir())
    }
}

/// Searches for secrets, unless the test has failed already.
impl Drop for LibrarySandbox {
    fn drop(&mut self) {
        if !thread::panicking() {
            log_recorder::installed().assert_no_secret();
            self.assert_no_secret_beside_the_record();
        }
    }
}

impl LibrarySandbox {
    fn assert_no_secret_beside_the_record(&self) {
        let files = self.files();
        let known: Vec<String> = files.values().flat_map(|bytes| canary::of_record(bytes)).collect();
        files.iter().for_each(|(path, bytes)| canary::assert_none_in_file(path, bytes, &known));
    }
}

/// Signs in with a browser.
pub fn login(builder: Builder, browser: impl Browser) -> Result<Session> {
    let result = builder.browser(browser).build()?.login(&mut RecordingUi::default());
    canary::assert_none_in("the result of a login", &format!("{result:?}"), &[]);
    result
}

/// Returns the error of a login that must fail; `name` identifies the case.
pub fn failure(name: &str, result: Result<Session>) -> Error {
    result.err().unwrap_or_else(|| panic!("{name}: signed in"))
}
