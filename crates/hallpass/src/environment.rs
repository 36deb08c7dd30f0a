//! Environment variables and the directories they determine.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// All variables that Hallpass reads.
const VARIABLES: [&str; 37] = [
    "ALL_PROXY",
    "APPDATA",
    "BROWSER",
    "CI",
    "CODESPACES",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "FLATPAK_ID",
    "HALLPASS_STATE_DIR",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LOCALAPPDATA",
    "NO_PROXY",
    "PATH",
    "REMOTE_CONTAINERS",
    "REQUEST_METHOD",
    "SNAP",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SUDO_USER",
    "TERM",
    "TERM_PROGRAM",
    "TMUX",
    "USER",
    "VSCODE_IPC_HOOK_CLI",
    "WAYLAND_DISPLAY",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "all_proxy",
    "container",
    "https_proxy",
    "http_proxy",
    "no_proxy",
];

/// A snapshot of the environment variables that Hallpass reads.
///
/// The library reads variables and the home directory in [`Environment::from_process`] only; the exception is
/// `SSL_CERT_FILE`, which the system's certificate verifier reads itself. Tests and embedding programs can pass an
/// environment of their own:
///
/// ```
/// let environment = hallpass::Environment::from_variables([("HOME", "/home/ada")]);
/// assert!(environment.state_dir().unwrap().starts_with("/home/ada"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: HashMap<&'static str, OsString>,
    is_custom: bool,
}

impl Environment {
    /// Reads the variables and the home directory of this process.
    pub fn from_process() -> Environment {
        let mut environment = Environment::lookup(|name| std::env::var_os(name));
        if environment.path("HOME").is_none()
            && let Some(home) = std::env::home_dir()
        {
            environment.variables.insert("HOME", home.into());
        }
        environment
    }

    /// Creates an environment with only these variables; those that Hallpass does not read are left out. With it, Hallpass
    /// detects containers, SSH sessions and the like from the variables alone, not from files on this machine.
    pub fn from_variables<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Environment {
        let given: HashMap<&str, &str> = variables.into_iter().collect();
        Environment { is_custom: true, ..Environment::lookup(|name| given.get(name).map(OsString::from)) }
    }

    fn lookup(find: impl Fn(&str) -> Option<OsString>) -> Environment {
        let mut variables = HashMap::new();
        for name in VARIABLES {
            if let Some(value) = find(name).filter(|value| !value.is_empty()) {
                variables.insert(name, value);
            }
        }
        Environment { variables, is_custom: false }
    }

    /// Whether the variables were given by the caller and are not those of this process.
    pub(crate) fn is_custom(&self) -> bool {
        self.is_custom
    }

    /// The value of a variable, if it is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str)
    }

    /// The value of a variable as text. A value that is not Unicode counts as unset.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.var(name)?.to_str()
    }

    /// The directory for session records, with a subdirectory per program: `$HALLPASS_STATE_DIR`, or else
    /// `$XDG_STATE_HOME/hallpass` (`~/.local/state/hallpass`), on macOS
    /// `~/Library/Application Support/hallpass/state`, on Windows `%LOCALAPPDATA%\hallpass\state`.
    ///
    /// # Errors
    /// [`StoreError::NoDirectory`] if the home directory is unknown, or if `$HALLPASS_STATE_DIR` is relative, which
    /// would be a different directory in each working directory.
    pub fn state_dir(&self) -> Result<PathBuf, StoreError> {
        match self.var("HALLPASS_STATE_DIR").map(Path::new) {
            Some(dir) if dir.is_absolute() => Ok(dir.to_owned()),
            Some(dir) => Err(StoreError::NoDirectory(format!(
                "HALLPASS_STATE_DIR is \"{}\", which is not an absolute path",
                dir.display()
            ))),
            None => self.base("XDG_STATE_HOME", ".local/state", "state", "LOCALAPPDATA"),
        }
    }

    /// The directory for the settings of the `hallpass` command: `$XDG_CONFIG_HOME/hallpass` (`~/.config/hallpass`), on macOS
    /// `~/Library/Application Support/hallpass/config`, on Windows `%APPDATA%\hallpass\config`.
    ///
    /// # Errors
    /// [`StoreError::NoDirectory`] if the home directory is unknown.
    pub fn config_dir(&self) -> Result<PathBuf, StoreError> {
        self.base("XDG_CONFIG_HOME", ".config", "config", "APPDATA")
    }

    fn base(&self, xdg: &str, unix_default: &str, kind: &str, windows: &str) -> Result<PathBuf, StoreError> {
        let unknown = || {
            StoreError::NoDirectory(
                "the home directory is unknown; set HOME or HALLPASS_STATE_DIR to an absolute path"
                    .to_owned(),
            )
        };
        if cfg!(windows) {
            return Ok(self.path(windows).ok_or_else(unknown)?.join("hallpass").join(kind));
        }
        if let Some(base) = self.path(xdg) {
            return Ok(base.join("hallpass"));
        }
        let home = self.path("HOME").ok_or_else(unknown)?;
        if cfg!(target_os = "macos") {
            return Ok(home.join("Library/Application Support/hallpass").join(kind));
        }
        Ok(home.join(unix_default).join("hallpass"))
    }

    /// Whether a switch such as `CI` is on: set, and not to "false", "no", "off" or "0".
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| {
            !["0", "false", "no", "off"].contains(&value.trim().to_ascii_lowercase().as_str())
        })
    }

    /// The path of an executable on the `PATH`. A name with a path separator is a path itself.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        if name.contains(std::path::is_separator) {
            return Some(PathBuf::from(name)).filter(|path| is_executable(path));
        }
        // A relative directory would be a different one in each working directory.
        std::env::split_paths(self.var("PATH")?)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(name))
            .find(|path| is_executable(path))
    }

    /// The value of a variable as a path. A relative path counts as unset, as the XDG base directory specification says.
    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        self.var(name).map(Path::new).filter(|path| path.is_absolute())
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn state(variables: &[(&str, &str)]) -> Result<PathBuf, StoreError> {
        Environment::from_variables(variables.iter().copied()).state_dir()
    }

    #[test]
    fn the_override_comes_before_xdg_and_home() {
        let all = [("HOME", "/h"), ("XDG_STATE_HOME", "/x"), ("HALLPASS_STATE_DIR", "/o")];
        assert_eq!(state(&all).unwrap(), Path::new("/o"));
        assert_eq!(state(&all[..2]).unwrap(), Path::new("/x/hallpass"));
        assert_eq!(state(&all[..1]).unwrap(), Path::new("/h/.local/state/hallpass"));
    }

    #[test]
    fn relative_and_empty_directories_count_as_unset() {
        assert_eq!(
            state(&[("HOME", "/h"), ("XDG_STATE_HOME", "rel"), ("HALLPASS_STATE_DIR", "")]).unwrap(),
            Path::new("/h/.local/state/hallpass")
        );
        assert!(matches!(state(&[("HOME", "rel")]), Err(StoreError::NoDirectory(_))));
    }

    #[test]
    fn a_relative_override_is_an_error() {
        let error = state(&[("HOME", "/h"), ("HALLPASS_STATE_DIR", "rel")]).unwrap_err().to_string();
        assert!(error.contains("HALLPASS_STATE_DIR is \"rel\""), "{error}");
    }

    #[test]
    fn other_variables_are_not_kept() {
        assert!(Environment::from_variables([("AWS_SECRET", "x")]).var("AWS_SECRET").is_none());
    }

    #[test]
    fn p21_a_switch_set_to_no_is_off() {
        for (value, is_on) in [("1", true), ("true", true), ("yes", true), ("woodpecker", true)] {
            assert_eq!(Environment::from_variables([("CI", value)]).is_on("CI"), is_on, "{value}");
        }
        for value in ["", "0", "false", "FALSE", "False", "no", "off", " false "] {
            assert!(!Environment::from_variables([("CI", value)]).is_on("CI"), "{value}");
        }
        assert!(!Environment::default().is_on("CI"));
    }

    #[test]
    fn a_program_is_an_executable_file_on_the_path() {
        let found = |path: &str, name| Environment::from_variables([("PATH", path)]).program(name);
        assert!(found("/nonexistent:/usr/bin:/bin", "sh").is_some_and(|path| path.ends_with("sh")));
        assert_eq!(found("/etc", "passwd"), None);
        assert_eq!(found("bin:.", "sh"), None);
        assert_eq!(found("/bin", "/bin/sh"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(Environment::default().program("sh"), None);
    }
}
