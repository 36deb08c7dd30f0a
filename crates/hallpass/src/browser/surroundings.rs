//! Where a login runs: what can be seen of the machine and the session, and what follows from it.
//!
//! Looking is here; deciding is a pure function, since a guess that nobody can test is wrong somewhere. All of it is a
//! hint: the address is always shown, and whatever answers first ends the login.

use std::io::IsTerminal;
use std::path::Path;

use crate::environment::Environment;

/// Where Windows keeps it, for a WSL whose `PATH` has nothing of Windows.
pub(crate) const POWERSHELL: &str = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe";

/// What hands an address to the desktop's own browser, best first. Browsers for the terminal are not among them.
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

/// The systems that differ here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
    /// The BSDs and their kin.
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

/// What is seen, in one snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) environment: Environment,
    pub(crate) system: System,
    /// How the kernel calls itself; empty where it does not say.
    pub(crate) kernel: String,
    /// A file that only containers have.
    pub(crate) container_file: Option<&'static str>,
    /// What is there to open an address with, best first.
    pub(crate) openers: Vec<&'static str>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
}

impl Surroundings {
    /// Looks for a few files and programs. What was described is all there is of it.
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

    /// Under WSL the `PATH` goes through folders of Windows, where each look takes long.
    fn find_openers(&self) -> Vec<&'static str> {
        let is_there = |name: &&'static str| self.environment.program(name).is_some();
        let powershell = || self.environment.program(POWERSHELL).map(|_| "powershell.exe");
        match self.system {
            System::MacOs | System::Windows => Vec::new(),
            _ if self.is_wsl() => {
                let first = ["wslview", "powershell.exe"].into_iter().find(is_there).or_else(powershell);
                first.into_iter().collect()
            }
            _ => DESKTOP_OPENERS.into_iter().filter(is_there).collect(),
        }
    }

    pub(super) fn has(&self, variable: &str) -> bool {
        self.environment.var(variable).is_some()
    }

    /// Whether Windows is around this Linux. Containers that Docker Desktop runs share WSL's kernel and have nothing
    /// else of it; a distribution that was made from a container's image still has the container's file.
    pub(crate) fn is_wsl(&self) -> bool {
        let says_so = self.has("WSL_DISTRO_NAME") || self.has("WSL_INTEROP");
        let has_its_kernel = self.kernel.to_ascii_lowercase().contains("microsoft");
        self.system == System::Linux && (says_so || (has_its_kernel && self.container().is_none()))
    }

    /// What says that this is a container.
    pub(crate) fn container(&self) -> Option<&'static str> {
        let is_sandbox = self.environment.text("container") == Some("flatpak");
        (self.has("container") && !is_sandbox).then_some("$container").or(self.container_file)
    }

    /// A sandbox that hands addresses to the desktop outside.
    pub(crate) fn sandbox(&self) -> Option<&'static str> {
        let is_flatpak = self.has("FLATPAK_ID") || self.environment.text("container") == Some("flatpak");
        if is_flatpak { Some("a Flatpak") } else { self.has("SNAP").then_some("a snap") }
    }

    /// The variable that names a display.
    pub(crate) fn display(&self) -> Option<&'static str> {
        ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().find(|name| self.has(name))
    }
}
