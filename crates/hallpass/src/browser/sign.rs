//! Signs that the user's browser is somewhere else.

use super::surroundings::{Surroundings, System};

/// One sign, as a clause of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Ci,
    Codespace,
    DevContainer,
    RemoteWindow,
    Ssh,
    Wsl,
    Container(&'static str),
    NoDisplay,
}

impl Sign {
    /// The one that tells most.
    pub(super) fn first(seen: &Surroundings) -> Option<Sign> {
        let is_on = |name| seen.environment.is_on(name);
        let is_unix = matches!(seen.system, System::Linux | System::OtherUnix);
        [
            is_on("CI").then_some(Sign::Ci),
            is_on("CODESPACES").then_some(Sign::Codespace),
            is_on("REMOTE_CONTAINERS").then_some(Sign::DevContainer),
            (is_remote_window(seen) && !seen.is_wsl()).then_some(Sign::RemoteWindow),
            is_ssh(seen).then_some(Sign::Ssh),
            seen.is_wsl().then_some(Sign::Wsl),
            seen.container().map(Sign::Container),
            (is_unix && seen.display().is_none() && seen.sandbox().is_none()).then_some(Sign::NoDisplay),
        ]
        .into_iter()
        .flatten()
        .next()
    }

    /// "this is …", for a sentence that goes on.
    pub(super) fn clause(self, seen: &Surroundings) -> String {
        match self {
            Sign::Ci => "this is a CI job ($CI)".to_owned(),
            Sign::Codespace => "this is a codespace ($CODESPACES)".to_owned(),
            Sign::DevContainer => "this is a dev container ($REMOTE_CONTAINERS)".to_owned(),
            Sign::RemoteWindow => "this is a remote window of VS Code".to_owned(),
            Sign::Ssh if seen.has("TMUX") => {
                "this is an SSH session, or was when tmux began ($SSH_CONNECTION)".to_owned()
            }
            Sign::Ssh => "this is an SSH session".to_owned(),
            Sign::Wsl => "this is WSL".to_owned(),
            Sign::Container(by) => format!("this is a container ({by})"),
            Sign::NoDisplay => "there is no display ($DISPLAY, $WAYLAND_DISPLAY)".to_owned(),
        }
    }

    /// Whether it says something about where the user is, and not only about this machine.
    pub(super) fn tells_of_the_user(self) -> bool {
        !matches!(self, Sign::Container(_) | Sign::NoDisplay)
    }

    /// Whether a browser that is opened here would be seen by nobody. A container may share its host's display, and WSL
    /// knows the way to Windows.
    pub(super) fn hides_a_browser(self, seen: &Surroundings) -> bool {
        match self {
            Sign::Wsl => false,
            Sign::Container(_) => seen.display().is_none(),
            _ => true,
        }
    }
}

pub(super) fn is_ssh(seen: &Surroundings) -> bool {
    seen.has("SSH_CONNECTION") || seen.has("SSH_TTY")
}

/// VS Code sets the first one in the terminals of its remote windows alone, but not below `sudo` and `tmux`.
pub(super) fn is_remote_window(seen: &Surroundings) -> bool {
    let is_vscode = seen.environment.text("TERM_PROGRAM") == Some("vscode");
    seen.has("VSCODE_IPC_HOOK_CLI") || (is_vscode && is_ssh(seen))
}
