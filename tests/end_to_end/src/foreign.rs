//! Programs that others wrote, run by Node from `tests/foreign`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::command::{Finished, finished};

/// The path of a file in `tests/foreign`.
pub fn foreign(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../foreign").join(file)
}

/// A folder for screenshots, kept for whoever looks; not under version control.
pub fn artefacts(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../artefacts").join(name);
    std::fs::create_dir_all(&folder).expect("the folder for artefacts can be made");
    folder
}

/// Runs one of the foreign clients against an issuer.
pub fn client(script: &str, issuer: &str, variables: &[(&str, &str)]) -> Finished {
    let mut command = Command::new("node");
    command.arg(foreign(script)).arg(issuer).envs(variables.iter().copied());
    finished(&command.output().expect("node starts"))
}

/// A running `oidc-provider`. It ends when this value is dropped, or when the test dies.
pub struct Provider {
    process: Child,
    issuer: String,
}

impl Provider {
    /// Starts one on a free port.
    pub fn start(variables: &[(&str, &str)]) -> Provider {
        let mut process = Command::new("node")
            .arg(foreign("oidc-provider.mjs"))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the provider says where it is");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        Provider { process, issuer: ready["issuer"].as_str().expect("an issuer").to_owned() }
    }

    /// Where it is.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The requests so far.
    pub fn journal(&self) -> Vec<Value> {
        let url = format!("{}/_journal", self.issuer);
        let mut answer = ureq::get(url).call().expect("the provider answers");
        let text = answer.body_mut().read_to_string().expect("a text");
        serde_json::from_str(&text).expect("a list of requests")
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
