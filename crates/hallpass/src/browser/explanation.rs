//! What a login would do here and why, for a person who wonders.

use std::fmt;

use super::decision::Decision;
use super::surroundings::{CONTAINER_FILES, KERNEL, Surroundings};
use crate::browser::Opener;
use crate::loopback::{Landing, usual};
use crate::protocol::redirect_uri::RedirectUri;

/// Variables whose value says something; of others, only that they are set is shown.
const TELLING: [&str; 12] = [
    "BROWSER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "CI",
    "CODESPACES",
    "REMOTE_CONTAINERS",
    "TERM_PROGRAM",
    "WSL_DISTRO_NAME",
    "container",
    "FLATPAK_ID",
    "SNAP",
    "SUDO_USER",
];
const SILENT: [&str; 5] = ["SSH_CONNECTION", "SSH_TTY", "VSCODE_IPC_HOOK_CLI", "TMUX", "WSL_INTEROP"];

/// What a login would do here, and why: the answer of [`Hallpass::explain`](crate::Hallpass::explain).
///
/// It is a guess about where the user's browser is. A wrong one costs a line: the address is shown in any case, and the
/// callback and a pasted answer are always taken.
#[derive(Debug, Clone)]
pub struct Explanation {
    decision: Decision,
    redirect_uris: Vec<String>,
    /// What listens for the answer, if it is the same each time.
    port: Option<u16>,
    looked_at: Vec<(String, Option<String>)>,
}

impl Explanation {
    /// Whoever has answers forwarded needs no other way for them.
    pub(crate) fn new(seen: &Surroundings, mut decision: Decision, landing: &Landing) -> Explanation {
        let (redirect_uris, port) = match landing {
            Landing::Usual => (vec![registered(&usual())], None),
            Landing::Loopback(uris) => {
                (uris.iter().map(registered).collect(), uris.first().and_then(RedirectUri::port))
            }
            Landing::Forwarded { redirect_uri, listen } => {
                decision.forget_way_back();
                (vec![redirect_uri.as_str().to_owned()], Some(listen.port()))
            }
        };
        Explanation { decision, redirect_uris, port, looked_at: looked_at(seen) }
    }

    /// Whether a browser would be started here.
    pub fn opens_browser(&self) -> bool {
        self.decision.opens_browser()
    }

    /// Which one, or [`Opener::None`].
    pub fn opener(&self) -> &Opener {
        &self.decision.plan.opener
    }

    /// Why that one, or why none, in one sentence.
    pub fn browser_reason(&self) -> &str {
        &self.decision.plan.reason
    }

    /// Whether somebody asked for just that.
    pub(crate) fn is_as_asked(&self) -> bool {
        self.decision.plan.is_asked_for
    }

    /// Whether a code for another device would be offered beside the callback, if the server has the device grant.
    pub fn offers_device_grant(&self) -> bool {
        self.decision.offers_device_grant()
    }

    /// Why, or why not, in one sentence.
    pub fn device_grant_reason(&self) -> String {
        self.decision.device_grant_reason()
    }

    /// What to run on the machine with the browser, so that its callback to `port` arrives here: an `ssh -L`, in an SSH
    /// session.
    pub fn ssh_tunnel_line(&self, port: u16) -> Option<String> {
        self.decision.ssh_tunnel_line(port)
    }

    /// What else has to be done so that a callback to `port` arrives here from a browser on another machine, in one
    /// sentence: in a container, or in an editor's remote window.
    pub fn forwarding_note(&self, port: u16) -> Option<String> {
        self.decision.forwarding_note(port)
    }

    /// [`ssh_tunnel_line`](Explanation::ssh_tunnel_line) where the port is not known before the login: with the word `PORT`, or with the port that is fixed.
    pub fn ssh_tunnel(&self) -> Option<String> {
        let port = self.port.map_or("PORT".to_owned(), |port| port.to_string());
        self.decision.tunnel().map(|tunnel| tunnel.line(&port))
    }

    /// Where the browser may come back to, in the order they are tried: what has to be registered at the server.
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// Whether the first of them comes back on another port each time (RFC 8252 §7.3), which the server has to allow.
    pub fn takes_any_port(&self) -> bool {
        self.port.is_none()
    }

    /// Everything that was looked at, with what was found there; `None` is nothing.
    pub fn looked_at(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.looked_at.iter().map(|(what, found)| (what.as_str(), found.as_deref()))
    }
}

impl fmt::Display for Explanation {
    /// One line for each thing, the last for what was found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Browser: {}. {}", self.opener(), self.browser_reason())?;
        let offer = if self.offers_device_grant() { "offered" } else { "not offered" };
        writeln!(f, "Code for another device: {offer}. {}", self.device_grant_reason())?;
        if let Some(line) = self.ssh_tunnel() {
            writeln!(f, "Tunnel: {line}")?;
        }
        let any_port = if self.takes_any_port() { " (with any port)" } else { "" };
        writeln!(f, "Redirect URI to register: {}{any_port}", self.redirect_uris.join(", "))?;
        let found = self.looked_at().filter_map(|(what, found)| Some(format!("{what}={}", found?)));
        write!(f, "Found: {}", found.collect::<Vec<_>>().join(", "))
    }
}

/// Without a port where any will do.
fn registered(uri: &RedirectUri) -> String {
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}{}", uri.host().as_str(), uri.path())
}

fn looked_at(seen: &Surroundings) -> Vec<(String, Option<String>)> {
    let value = |name: &str| seen.environment.var(name).map(|value| value.to_string_lossy());
    let telling = TELLING.map(|name| (name, value(name).map(|value| crate::sanitize::text(&value))));
    let silent = SILENT.map(|name| (name, value(name).map(|_| "set".to_owned())));
    let files =
        CONTAINER_FILES.map(|path| (path, (seen.container_file == Some(path)).then(|| "exists".to_owned())));
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let yes_or_no = |is: bool| text(if is { "yes" } else { "no" });
    let others = [
        ("system", text(seen.system.name())),
        (KERNEL, text(&crate::sanitize::text(&seen.kernel))),
        ("programs", text(&seen.openers.join(" "))),
        ("stdin is a terminal", yes_or_no(seen.stdin_is_terminal)),
        ("stderr is a terminal", yes_or_no(seen.stderr_is_terminal)),
    ];
    let all = telling.into_iter().chain(silent).chain(files).chain(others);
    all.map(|(what, found)| (what.to_owned(), found)).collect()
}
