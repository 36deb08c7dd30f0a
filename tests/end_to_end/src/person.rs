//! A user of the command, with Chromium as browser.

use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::command::{Finished, Home, finished};
use crate::foreign::{artefacts, browser_option, script};
use crate::patience::{self, PATIENCE};
use crate::session::BrowserSession;
use hallpass_test::canary;

/// They allow whatever they are asked for, unless told otherwise.
pub struct Person {
    home: Home,
    report: PathBuf,
    manners: Vec<(String, String)>,
}

/// How a person brings a code to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// They open the address and type it.
    Typed,
    /// They open the address that has it in it, as a picture of it would have them do.
    Scanned,
}

/// A sign-in with a code that ended.
#[derive(Debug)]
pub struct DeviceLogin {
    /// The command's events, as JSON objects.
    pub events: Vec<Value>,
    /// The end of it.
    pub finished: Finished,
    /// The pages that the browser showed.
    pub page: Value,
}

impl DeviceLogin {
    /// The event of this name.
    #[track_caller]
    pub fn event(&self, name: &str) -> &Value {
        let found = self.events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {self:#?}"))
    }
}

impl Person {
    /// With an empty home. What they see is kept in the artefacts' folder `name`.
    pub fn new(name: &str) -> Person {
        let home = Home::new();
        let report = home.path().join("browser.json");
        let home = home.with("REPORT", text(&report));
        Person { home, report, manners: Vec::new() }.with("SHOTS", text(&artefacts(name)))
    }

    /// With one more setting of `browser.mjs`.
    pub fn with(mut self, name: &str, value: &str) -> Person {
        self.home = self.home.with(name, value);
        self.manners.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Signs in by the browser.
    pub fn login(&self, arguments: &[&str]) -> Finished {
        self.login_within("60s", arguments)
    }

    /// The same with a limit.
    pub fn login_within(&self, limit: &str, arguments: &[&str]) -> Finished {
        self.hallpass(&[&["login", &browser_option("browser.mjs"), "--timeout", limit], arguments].concat())
    }

    /// The pages that the browser showed for that.
    pub fn seen(&self) -> Value {
        for _ in 0..200 {
            if let Ok(text) = std::fs::read_to_string(&self.report) {
                std::fs::remove_file(&self.report).expect("the report can be removed");
                return serde_json::from_str(&text).expect("the browser reports JSON");
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the browser reported nothing");
    }

    /// Signs in with a browser that stays open.
    pub fn login_in(&self, session: &mut BrowserSession, arguments: &[&str]) -> Finished {
        let all = [&["login", "--no-browser", "--json", "--timeout", "60s"], arguments].concat();
        let mut command = self.home.command(&all);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let lines = patience::lines(child.stdout.take().expect("stdout is piped"));
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            let event: Value = serde_json::from_str(&line).expect("JSON");
            if event["event"] == "url" {
                session.visit(event["url"].as_str().expect("an address"));
            }
        }
        let stuck = patience::end(&mut child).expect("the command can be waited for");
        assert_eq!(stuck, None);
        finished(&child.wait_with_output().expect("the command ends"))
    }

    /// Signs in with a code.
    pub fn device_login(&self, arguments: &[&str], code: Code) -> DeviceLogin {
        let all = [&["login", "--device", "--json", "--timeout", "60s"], arguments].concat();
        let mut command = self.home.command(&all);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let (mut events, mut page) = (Vec::new(), Value::Null);
        let lines = patience::lines(child.stdout.take().expect("stdout is piped"));
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            let event: Value = serde_json::from_str(&line).expect("JSON");
            if event["event"] == "user_code" && page.is_null() {
                page = self.answers(&event, code);
            }
            canary::assert_none_in("an event", &line, &[]);
            events.push(event);
        }
        let stuck = patience::end(&mut child).expect("the command can be waited for");
        assert_eq!(stuck, None, "{events:#?}");
        let output = child.wait_with_output().expect("the command ends");
        let finished = self.home.searched(&all, &[], finished(&output));
        DeviceLogin { events, finished, page }
    }

    fn answers(&self, event: &Value, code: Code) -> Value {
        let member = match code {
            Code::Typed => "verification_uri",
            Code::Scanned => "verification_uri_complete",
        };
        let address = event[member].as_str().unwrap_or_else(|| panic!("no {member} in {event}"));
        let user_code = event["user_code"].as_str().expect("a code");
        let mut command = script("browser.mjs");
        command.arg(address).envs(self.manners.iter().cloned());
        command.env("USER_CODE", user_code);
        finished(&patience::output(&mut command).expect("node starts")).json()
    }

    /// Runs the command.
    pub fn hallpass(&self, arguments: &[&str]) -> Finished {
        self.home.hallpass(arguments)
    }

    /// The file of the record that it keeps of the sign-in.
    pub fn record_path(&self) -> PathBuf {
        self.home.path().join(".local/state/hallpass/hallpass/default.json")
    }

    /// That record.
    pub fn record(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.record_path()).expect("a record")).expect("JSON")
    }

    /// The access token of that record.
    pub fn access_token(&self) -> String {
        self.record()["secret"]["access_tokens"][0].as_str().expect("a token").to_owned()
    }

    /// Another token of it.
    pub fn secret(&self, name: &str) -> String {
        self.record()["secret"][name].as_str().unwrap_or_else(|| panic!("no {name} in the record")).to_owned()
    }

    /// Runs `whoami`, and refreshes the token twice.
    #[track_caller]
    pub fn uses_it(&self) {
        let claims = self.hallpass(&["whoami", "--json"]).expect(0);
        assert!(claims.stdout.contains("\"email\": \"test@example.com\""), "{}", claims.stdout);
        let first = self.hallpass(&["token"]).expect(0);
        let second = self.hallpass(&["token", "--refresh"]).expect(0);
        let third = self.hallpass(&["token", "--refresh"]).expect(0);
        assert!(first.value() != second.value() && second.value() != third.value());
        assert_eq!(self.hallpass(&["token"]).expect(0).value(), third.value());
        assert_eq!(self.hallpass(&["status", "--check", "--json"]).expect(0).json()[0]["state"], "verified");
    }
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("a plain path")
}
