//! Signs that the user's browser is on another machine.

use super::surroundings::{Surroundings, System};

/// A sign, the most telling ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Ci,
    Codespace,
    DevContainer,
    RemoteWindow,
    Ssh,
    Wsl,
    /// With what gives it away: a file or a variable.
    Container(&'static str),
    NoDisplay,
}

impl Sign {
    /// Returns the most telling sign.
    pub(super) fn first(seen: &Surroundings) -> Option<Sign> {
        let is_on = |name| seen.environment.is_on(name);
        if is_on("CI") {
            Some(Sign::Ci)
        } else if is_on("CODESPACES") {
            Some(Sign::Codespace)
        } else if is_on("REMOTE_CONTAINERS") {
            Some(Sign::DevContainer)
        } else if is_remote_window(seen) && !seen.is_wsl() {
            Some(Sign::RemoteWindow)
        } else if is_ssh(seen) {
            Some(Sign::Ssh)
        } else if seen.is_wsl() {
            Some(Sign::Wsl)
        } else if let Some(by) = seen.container() {
            Some(Sign::Container(by))
        } else if has_no_display(seen) {
            Some(Sign::NoDisplay)
        } else {
            None
        }
    }

    /// Whether it says something about the user, and not only about this machine.
    pub(super) fn is_about_the_user(self) -> bool {
        !matches!(self, Sign::Container(_) | Sign::NoDisplay)
    }

    /// Whether the user wouldn't see a browser that is opened here. A container may share its host's display, and WSL
    /// can open a browser of Windows.
    pub(super) fn hides_a_browser(self, seen: &Surroundings) -> bool {
        match self {
            Sign::Wsl => false,
            Sign::Container(_) => seen.display().is_none(),
            _ => true,
        }
    }
}

fn is_ssh(seen: &Surroundings) -> bool {
    seen.has("SSH_CONNECTION") || seen.has("SSH_TTY")
}

/// VS Code sets `VSCODE_IPC_HOOK_CLI` only in the terminals of its remote windows, but not below `sudo` and `tmux`.
fn is_remote_window(seen: &Surroundings) -> bool {
    let is_vscode = seen.environment.text("TERM_PROGRAM") == Some("vscode");
    seen.has("VSCODE_IPC_HOOK_CLI") || (is_vscode && is_ssh(seen))
}

fn has_no_display(seen: &Surroundings) -> bool {
    let is_unix = matches!(seen.system, System::Linux | System::OtherUnix);
    is_unix && seen.display().is_none() && seen.sandbox().is_none()
}
