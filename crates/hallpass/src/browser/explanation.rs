//! The decision about the browser, explained to the user.

use std::fmt;

use super::decision::Decision;
use super::surroundings::{CONTAINER_FILES, KERNEL, Surroundings};
use super::{Opener, Reason};
use crate::loopback::{Binding, default_redirect_uri};
use crate::protocol::redirect_uri::RedirectUri;

/// Variables shown with their values.
const SHOWN: [&str; 12] = [
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
/// Variables of which only is shown that they are set.
const CONCEALED: [&str; 5] = ["SSH_CONNECTION", "SSH_TTY", "VSCODE_IPC_HOOK_CLI", "TMUX", "WSL_INTEROP"];

/// Explains what a login would do about the browser here, and why. Returned by [`Hallpass::explain`](crate::Hallpass::explain).
///
/// It is a guess about where the user's browser is. A wrong guess does no harm: the URL is always shown, and a callback or
/// a pasted URL is always accepted.
#[derive(Debug, Clone)]
pub struct Explanation {
    decision: Decision,
    redirect_uris: Vec<String>,
    /// The port that listens for the callback, if it is fixed.
    port: Option<u16>,
    looked_at: Vec<(String, Option<String>)>,
}

impl Explanation {
    pub(crate) fn new(seen: &Surroundings, mut decision: Decision, binding: &Binding) -> Explanation {
        let (redirect_uris, port) = match binding {
            Binding::Default => (vec![registered(&default_redirect_uri())], None),
            Binding::FirstFree(uris) => {
                (uris.iter().map(registered).collect(), uris.first().and_then(RedirectUri::port))
            }
            Binding::Forwarded { redirect_uri, listen } => {
                decision = decision.without_forwarding();
                (vec![redirect_uri.as_str().to_owned()], Some(listen.port()))
            }
        };
        Explanation { decision, redirect_uris, port, looked_at: looked_at(seen) }
    }

    /// Whether a browser would be opened here.
    pub fn opens_browser(&self) -> bool {
        self.decision.opens_browser()
    }

    /// Returns what would open it, or [`Opener::None`].
    pub fn opener(&self) -> &Opener {
        &self.decision.plan.opener
    }

    /// Returns the reason for that browser, or for none.
    pub fn browser_reason(&self) -> &Reason {
        &self.decision.plan.reason
    }

    /// Whether a code for another device would be offered beside the callback, if the server has the device grant.
    pub fn offers_device_grant(&self) -> bool {
        self.decision.offers_device_grant()
    }

    /// Says why, or why not, in one English sentence.
    pub fn device_grant_reason(&self) -> String {
        self.decision.device_grant_reason()
    }

    /// Returns the command to run on the machine with the browser, so that its callback to `port` arrives here: an
    /// `ssh -L`, in an SSH session.
    pub fn ssh_tunnel_line(&self, port: u16) -> Option<String> {
        self.decision.ssh_tunnel_line(port)
    }

    /// Says what else the user has to do so that a callback to `port` arrives here, in one English sentence: in a container
    /// or in an editor's remote window.
    pub fn forwarding_note(&self, port: u16) -> Option<String> {
        self.decision.forwarding_note(port)
    }

    /// Returns the same command before the port is known: with the fixed port, if there is one, or with the word `PORT`.
    pub fn ssh_tunnel(&self) -> Option<String> {
        let port = self.port.map_or("PORT".to_owned(), |port| port.to_string());
        self.decision.ssh_tunnel().map(|tunnel| tunnel.command(&port))
    }

    /// Returns the redirect URIs to register at the server, in the order they are tried.
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// Whether the redirect URI has another port each time, which the server must allow (RFC 8252 §7.3).
    pub fn takes_any_port(&self) -> bool {
        self.port.is_none()
    }

    /// Returns everything that was looked at, with what was found there.
    pub fn looked_at(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.looked_at.iter().map(|(what, found)| (what.as_str(), found.as_deref()))
    }
}

impl fmt::Display for Explanation {
    /// Writes a few lines, the last one for what was found.
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

/// The URI to register: without a port if any will do.
fn registered(uri: &RedirectUri) -> String {
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}{}", uri.host().as_str(), uri.path())
}

fn looked_at(seen: &Surroundings) -> Vec<(String, Option<String>)> {
    let value = |name: &str| seen.environment.var(name).map(|value| value.to_string_lossy());
    let telling = SHOWN.map(|name| (name, value(name).map(|value| crate::sanitize::text(&value))));
    let silent = CONCEALED.map(|name| (name, value(name).map(|_| "set".to_owned())));
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
