//! Programs that others wrote, run by Node from `tests/foreign`.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::command::{Finished, finished};
use crate::patience;
use crate::server::Server;

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
    finished(&patience::output(&mut command).expect("node starts"))
}

/// A running `oidc-provider`, which keeps a journal. It ends when this value is dropped, or when the test dies.
pub struct Provider(Server);

impl Provider {
    /// Starts one on a free port.
    pub fn start(variables: &[(&str, &str)]) -> Provider {
        Provider(Server::oidc_provider(variables))
    }

    /// The provider's URL.
    pub fn issuer(&self) -> &str {
        self.0.issuer()
    }

    /// The requests so far.
    pub fn journal(&self) -> Vec<Value> {
        let url = format!("{}/_journal", self.issuer());
        let mut answer = ureq::get(url).call().expect("the provider answers");
        let text = answer.body_mut().read_to_string().expect("a text");
        serde_json::from_str(&text).expect("a list of requests")
    }
}
