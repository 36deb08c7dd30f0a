//! The machine and the session a login runs in, as far as they can be seen.
//!
//! Looking is here; deciding is a pure function, so that it can be tested with tables. All of it is a hint: the URL is
//! always shown, and the first response ends the login, wherever it comes from.

use std::io::IsTerminal;
use std::path::Path;

use crate::environment::Environment;

/// The path of PowerShell, for a WSL whose `PATH` lacks the directories of Windows.
pub(super) const POWERSHELL: &str = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe";

/// Programs that open a URL in the desktop's browser, best first. Text browsers are not among them.
pub(super) const DESKTOP_OPENERS: [&str; 8] = [
    "xdg-open",
    "gio",
    "x-www-browser",
    "firefox",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "microsoft-edge",
];

pub(super) const KERNEL: &str = "/proc/sys/kernel/osrelease";
pub(super) const CONTAINER_FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// Operating systems, as far as they differ here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
    /// The BSDs and similar systems.
    OtherUnix,
}

impl System {
    const fn own() -> System {
        if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::MacOs
        } else if cfg!(target_os = "linux") {
            System::Linux
        } else {
            System::OtherUnix
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            System::Linux => "Linux",
            System::MacOs => "macOS",
            System::Windows => "Windows",
            System::OtherUnix => "Unix",
        }
    }
}

/// A snapshot of the surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) environment: Environment,
    pub(crate) system: System,
    /// The kernel's release name; empty if unknown.
    pub(crate) kernel: String,
    /// The file found that only containers have.
    pub(crate) container_file: Option<&'static str>,
    /// The programs found that open URLs, best first.
    pub(crate) openers: Vec<&'static str>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
}

impl Surroundings {
    /// Looks for a few files and programs. A described environment has no more than its description.
    pub(crate) fn look(environment: &Environment) -> Surroundings {
        let mut seen = Surroundings::described(environment);
        if !environment.is_custom() {
            seen.kernel = std::fs::read_to_string(KERNEL).unwrap_or_default().trim().to_owned();
            seen.container_file = CONTAINER_FILES.into_iter().find(|path| Path::new(path).exists());
            seen.stdin_is_terminal = std::io::stdin().is_terminal();
            seen.stderr_is_terminal = std::io::stderr().is_terminal();
        }
        seen.openers = seen.find_openers();
        seen
    }

    pub(super) fn described(environment: &Environment) -> Surroundings {
        Surroundings {
            environment: environment.clone(),
            system: System::own(),
            kernel: String::new(),
            container_file: None,
            openers: Vec::new(),
            stdin_is_terminal: false,
            stderr_is_terminal: false,
        }
    }

    /// Under WSL the `PATH` includes directories of Windows, where each lookup is slow: only two programs are tried.
    fn find_openers(&self) -> Vec<&'static str> {
        let is_there = |name: &&'static str| self.environment.program(name).is_some();
        let powershell = || self.environment.program(POWERSHELL).map(|_| "powershell.exe");
        match self.system {
            System::MacOs | System::Windows => Vec::new(),
            _ if self.is_wsl() => {
                Vec::from_iter(["wslview", "powershell.exe"].into_iter().find(is_there).or_else(powershell))
            }
            _ => DESKTOP_OPENERS.into_iter().filter(is_there).collect(),
        }
    }

    pub(super) fn has(&self, variable: &str) -> bool {
        self.environment.var(variable).is_some()
    }

    /// Whether this Linux runs in WSL. Containers of Docker Desktop share WSL's kernel and nothing else of it; a
    /// distribution made from a container image still has the container's file.
    pub(crate) fn is_wsl(&self) -> bool {
        let says_so = self.has("WSL_DISTRO_NAME") || self.has("WSL_INTEROP");
        let has_its_kernel = self.kernel.to_ascii_lowercase().contains("microsoft");
        self.system == System::Linux && (says_so || (has_its_kernel && self.container().is_none()))
    }

    /// Returns what shows that this is a container: a file or a variable.
    pub(crate) fn container(&self) -> Option<&'static str> {
        let is_sandbox = self.environment.text("container") == Some("flatpak");
        if self.has("container") && !is_sandbox { Some("$container") } else { self.container_file }
    }

    /// Returns the kind of a sandbox that passes URLs to the desktop.
    pub(crate) fn sandbox(&self) -> Option<&'static str> {
        let is_flatpak = self.has("FLATPAK_ID") || self.environment.text("container") == Some("flatpak");
        if is_flatpak {
            Some("a Flatpak")
        } else if self.has("SNAP") {
            Some("a snap")
        } else {
            None
        }
    }

    /// Returns the variable that names a display.
    pub(crate) fn display(&self) -> Option<&'static str> {
        ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().find(|name| self.has(name))
    }
}
