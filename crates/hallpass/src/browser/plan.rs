//! The plan how to open a URL.

use std::fmt;

use super::{BrowserCommand, Reason};

/// The program [`Browser::open`](super::Browser::open) is going to start, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The program.
    pub opener: Opener,
    /// Why.
    pub reason: Reason,
}

impl Plan {
    /// Creates a plan with a reason of the program's own, an English sentence.
    pub fn new(opener: Opener, reason: impl Into<String>) -> Plan {
        Plan { opener, reason: Reason::Program(reason.into()) }
    }

    pub(super) fn open(opener: Opener, reason: Reason) -> Plan {
        Plan { opener, reason }
    }

    pub(super) fn none(reason: Reason) -> Plan {
        Plan { opener: Opener::None, reason }
    }
}

/// The program that opens a URL for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opener {
    /// None: the user opens the URL.
    None,
    /// The default browser, opened by this program of the desktop; on Windows by the system itself.
    Default(&'static str),
    /// The named programs; each is tried if the one before it fails.
    Commands(Vec<BrowserCommand>),
    /// The browser of Windows, opened from WSL by wslu's program.
    Wslview,
    /// The browser of Windows, opened from WSL by PowerShell's `Start-Process`.
    PowerShell,
    /// The program's own [`Browser`](super::Browser).
    Program,
}

impl Opener {
    /// Returns `none`, `default`, `command`, `wslview`, `powershell` or `program`.
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

    /// Whether it takes over the terminal, which then can show nothing else.
    pub fn needs_terminal(&self) -> bool {
        matches!(self, Opener::Commands(commands) if commands.iter().any(BrowserCommand::is_text_browser))
    }
}

impl fmt::Display for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opener::None => f.write_str("none"),
            Opener::Default(program) => write!(f, "the default browser ({program})"),
            Opener::Commands(commands) => {
                let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
                f.write_str(&commands.join(", else "))
            }
            Opener::Wslview => f.write_str("the default browser of Windows (wslview)"),
            Opener::PowerShell => f.write_str("the default browser of Windows (powershell.exe)"),
            Opener::Program => f.write_str("opened by this program"),
        }
    }
}
