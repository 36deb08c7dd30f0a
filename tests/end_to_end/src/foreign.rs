//! Programs that others wrote, run from `tests/foreign` by the Node that is installed with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::{Finished, finished};
use crate::patience::{self, PATIENCE};
use crate::server::Server;

/// The path of a file in `tests/foreign`.
pub fn foreign(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../foreign").join(file)
}

/// The Node that runs every script in `tests/foreign`. The system's may be too old, so `npm ci` installs this one.
#[track_caller]
fn node() -> PathBuf {
    let node = foreign("node_modules/.bin/node");
    demand(&node);
    node
}

/// The command that runs a script of `tests/foreign`.
#[track_caller]
pub(crate) fn script(file: &str) -> Command {
    let mut command = Command::new(node());
    command.arg(foreign(file));
    command
}

/// The option that makes `hallpass login` open a script of `tests/foreign` as its browser.
#[track_caller]
pub fn browser_option(file: &str) -> String {
    format!("--browser={} {}", node().display(), foreign(file).display())
}

/// Fails the test if something is missing that `./test` installs.
#[track_caller]
pub(crate) fn demand(path: &Path) {
    assert!(path.exists(), "{} is missing: ./test installs it", path.display());
}

/// A folder for screenshots, kept for whoever looks; not under version control.
pub fn artefacts(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../artefacts").join(name);
    std::fs::create_dir_all(&folder).expect("the folder for artefacts can be made");
    folder
}

/// Runs one of the foreign clients against an issuer.
pub fn client(file: &str, issuer: &str, variables: &[(&str, &str)]) -> Finished {
    let mut command = script(file);
    command.arg(issuer).envs(variables.iter().copied());
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
        let request = ureq::get(url).config().timeout_global(Some(PATIENCE)).build();
        let mut answer = request.call().expect("the provider answers");
        let text = answer.body_mut().read_to_string().expect("a text");
        serde_json::from_str(&text).expect("a list of requests")
    }
}
