//! The browser of a login: the option, else `$BROWSER`, else `browser` in `config.toml`, else the system's.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass::Environment;
use hallpass::browser::{Browser, BrowserCommand, BrowserWish, Plan, SystemBrowser};

use crate::args::Login;

/// The browser that a login opens.
#[derive(Clone)]
pub(crate) struct LoginBrowser {
    system: SystemBrowser,
    /// Locked while a browser starts and, if it runs in the terminal, while it runs.
    running: Arc<Mutex<()>>,
}

impl LoginBrowser {
    /// Chooses the browser; `setting` is that of `config.toml`.
    pub(crate) fn new(args: &Login, setting: Option<&str>, environment: &Environment) -> LoginBrowser {
        let system = SystemBrowser::wished(environment, wish(args, setting));
        LoginBrowser { system, running: Arc::default() }
    }

    /// Whether it runs in the terminal.
    pub(crate) fn needs_terminal(&self) -> bool {
        self.plan().opener.needs_terminal()
    }

    /// Waits until the user closes a browser that runs in the terminal: the shell must not read from the terminal at
    /// the same time.
    pub(crate) fn wait_for_terminal(&self) {
        if self.needs_terminal() {
            drop(self.running.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Browser for LoginBrowser {
    fn open(&self, url: &str) -> io::Result<()> {
        let _running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        self.system.open(url)
    }

    fn plan(&self) -> Plan {
        self.system.plan()
    }
}

/// Keeps files that this process inherited, such as the lock of a parent process, from a browser that may run for
/// hours. Files that the command opens itself are never inherited.
#[cfg(unix)]
pub(crate) fn close_inherited_files_on_exec() {
    close_fds::set_fds_cloexec(3, &[]);
}

#[cfg(not(unix))]
pub(crate) fn close_inherited_files_on_exec() {}

fn wish(args: &Login, setting: Option<&str>) -> BrowserWish {
    if args.no_browser {
        return BrowserWish::None;
    }
    match (&args.browser, setting) {
        (Some(None), _) => BrowserWish::Any,
        (Some(Some(line)), _) if line == "none" => BrowserWish::None,
        (Some(Some(line)), _) => match BrowserCommand::parse(line) {
            Some(command) => BrowserWish::Command(command),
            None => BrowserWish::None,
        },
        (None, Some(list)) => BrowserWish::Usually(BrowserCommand::parse_list(list)),
        (None, None) => BrowserWish::Unsaid,
    }
}
