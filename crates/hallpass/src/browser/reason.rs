//! The reason for a browser, or for none.

use std::fmt;

use super::sign::Sign;

/// The reason why a login opens the browser it opens, or none. Its `Display` is an English sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The caller asked for this browser.
    Requested,
    /// The caller asked for no browser.
    NoneRequested,
    /// `$BROWSER` names it.
    Variable,
    /// `$BROWSER` asks for none.
    NoneByVariable,
    /// The program's settings name it.
    Setting,
    /// The program's settings ask for none.
    NoneBySetting,
    /// The user wouldn't see a browser on this machine.
    Elsewhere(Elsewhere),
    /// The program runs under sudo, so a browser would not be this user's.
    Sudo(String),
    /// A display was found: the variable that names it.
    Display(&'static str),
    /// A sandbox hands URLs to the desktop: its kind.
    Sandbox(&'static str),
    /// The desktop's default browser; nothing suggests that the user is elsewhere.
    Default,
    /// This is WSL, and the browser is the one of Windows.
    Wsl,
    /// The same, without `wslview`.
    WslWithoutWslview,
    /// This is WSL, and nothing was found to open a browser of Windows with.
    WslWithoutOpener,
    /// Nothing was found to open a browser with.
    NoOpener,
    /// The program opens URLs itself, and gave this reason.
    Program(String),
}

/// A sign that the user's browser is on another machine. Its `Display` is an English clause, such as "you're connected
/// over SSH".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    pub(super) sign: Sign,
    /// tmux outlives the connection it was started from.
    pub(super) in_tmux: bool,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sign {
            Sign::Ci => f.write_str("running in a CI job ($CI)"),
            Sign::Codespace => f.write_str("running in a codespace ($CODESPACES)"),
            Sign::DevContainer => f.write_str("running in a dev container ($REMOTE_CONTAINERS)"),
            Sign::RemoteWindow => f.write_str("running in a remote VS Code window"),
            Sign::Ssh if self.in_tmux => f.write_str("tmux was started over SSH ($SSH_CONNECTION)"),
            Sign::Ssh => f.write_str("you're connected over SSH"),
            Sign::Wsl => f.write_str("running in WSL"),
            Sign::Container(by) => write!(f, "running in a container ({by})"),
            Sign::NoDisplay => f.write_str("no display found ($DISPLAY, $WAYLAND_DISPLAY)"),
        }
    }
}

impl Reason {
    /// Whether the caller asked for just this browser, or for none.
    pub fn is_request(&self) -> bool {
        matches!(self, Reason::Requested | Reason::NoneRequested)
    }

    /// The reason as the first half of a sentence.
    fn clause(&self) -> String {
        match self {
            Reason::Requested | Reason::NoneRequested => "As requested".to_owned(),
            Reason::Variable => "$BROWSER names it".to_owned(),
            Reason::NoneByVariable => "$BROWSER asks for none".to_owned(),
            Reason::Setting => "The settings name it".to_owned(),
            Reason::NoneBySetting => "The settings ask for none".to_owned(),
            Reason::Elsewhere(elsewhere) => capitalized(&elsewhere.to_string()),
            Reason::Sudo(user) => format!("Running under sudo, where the browser would not be {user}'s"),
            Reason::Display(variable) => format!("A display was found (${variable})"),
            Reason::Sandbox(kind) => format!("Running in {kind}, which passes URLs to the desktop"),
            Reason::Default => "Nothing suggests that your browser is on another machine".to_owned(),
            Reason::Wsl => "Running in WSL, so the browser is the one of Windows".to_owned(),
            Reason::WslWithoutWslview => {
                "Running in WSL without wslview, so PowerShell opens the browser of Windows".to_owned()
            }
            Reason::WslWithoutOpener => {
                "Running in WSL, but neither wslview nor powershell.exe was found".to_owned()
            }
            Reason::NoOpener => "No program to open URLs was found (such as xdg-open)".to_owned(),
            Reason::Program(reason) => reason.trim_end_matches('.').to_owned(),
        }
    }

    /// Tells the user that no browser was opened, in one sentence.
    pub fn notice(&self) -> String {
        format!("{}, so no browser was opened.", self.clause())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.clause())
    }
}

fn capitalized(clause: &str) -> String {
    let mut letters = clause.chars();
    match letters.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
        None => String::new(),
    }
}
