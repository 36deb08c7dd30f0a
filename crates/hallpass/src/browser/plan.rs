//! What opening an address is going to be.

use std::fmt;

use super::BrowserCommand;

/// What [`Browser::open`](super::Browser::open) is going to start here, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What is started.
    pub opener: Opener,
    /// Why, in one sentence.
    pub reason: String,
    /// Whoever asks for a browser here and now will see it.
    pub(crate) is_asked_for: bool,
}

impl Plan {
    /// What is going to be started, and why, in one sentence.
    pub fn new(opener: Opener, reason: impl Into<String>) -> Plan {
        Plan { opener, reason: reason.into(), is_asked_for: false }
    }

    pub(crate) fn asked_for(opener: Opener) -> Plan {
        Plan { is_asked_for: true, ..Plan::new(opener, "It was asked for.") }
    }
}

/// What shows an address to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opener {
    /// Nothing: the user opens the address.
    None,
    /// The default browser, by this program of the desktop; on Windows by the system itself.
    Default(&'static str),
    /// Programs that were named; each is tried where the one before it fails.
    Commands(Vec<BrowserCommand>),
    /// The browser of Windows, from WSL, by wslu's program.
    Wslview,
    /// The browser of Windows, from WSL, by PowerShell's `Start-Process`.
    PowerShell,
    /// The program's own [`Browser`](super::Browser).
    Program,
}

impl Opener {
    /// `none`, `default`, `command`, `wslview`, `powershell` or `program`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Opener::None => "none",
            Opener::Default(_) => "default",
            Opener::Commands(_) => "command",
            Opener::Wslview => "wslview",
            Opener::PowerShell => "powershell",
            Opener::Program => "program",
        }
    }

    /// Whether it fills the terminal, which then can show nothing else.
    pub fn needs_terminal(&self) -> bool {
        matches!(self, Opener::Commands(commands) if commands.iter().any(BrowserCommand::is_text_browser))
    }
}

impl fmt::Display for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opener::None => f.write_str("none"),
            Opener::Default(by) => write!(f, "the default one, by {by}"),
            Opener::Commands(commands) => {
                let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
                f.write_str(&commands.join(", else "))
            }
            Opener::Wslview => f.write_str("that of Windows, by wslview"),
            Opener::PowerShell => f.write_str("that of Windows, by powershell.exe"),
            Opener::Program => f.write_str("the program's own"),
        }
    }
}
