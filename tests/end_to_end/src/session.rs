//! A browser that stays open from one sign-in to the next.

use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::Value;

use crate::foreign::script;
use crate::patience::{self, PATIENCE};

/// A Chromium with one set of cookies. It ends when this value is dropped, or when the test dies.
pub struct BrowserSession {
    process: Child,
    answers: Receiver<String>,
}

impl BrowserSession {
    /// Opens it.
    pub fn open() -> BrowserSession {
        let mut command = script("session.mjs");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("node starts");
        let answers = patience::lines(process.stdout.take().expect("stdout is piped"));
        BrowserSession { process, answers }
    }

    /// Signs in at an address; tells what the browser saw.
    pub fn visit(&mut self, url: &str) -> Value {
        let input = self.process.stdin.as_mut().expect("stdin is piped");
        writeln!(input, "{url}").expect("the browser is there");
        let line = self.answers.recv_timeout(PATIENCE).expect("the browser answers");
        serde_json::from_str(&line).expect("the browser reports JSON")
    }
}

impl Drop for BrowserSession {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Whether it had to be killed is told by nobody: the test is over.
        let _ = patience::end(&mut self.process);
        let _ = self.process.wait();
    }
}
