//! Which browser a login opens: the option, else `$BROWSER`, else the person's own setting, else the system's.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass::Environment;
use hallpass::browser::{Browser, BrowserCommand, BrowserWish, Plan, SystemBrowser};

use crate::args::Login;

/// The browser of a login.
#[derive(Clone)]
pub(crate) struct Chosen {
    system: SystemBrowser,
    /// Held while a browser is started, and while one has the terminal.
    at_work: Arc<Mutex<()>>,
}

impl Chosen {
    /// The one that was asked for, and by default the system's.
    pub(crate) fn of(args: &Login, setting: Option<&str>, environment: &Environment) -> Chosen {
        let system = SystemBrowser::wished(environment, wish(args, setting));
        Chosen { system, at_work: Arc::default() }
    }

    /// Whether it fills the terminal.
    pub(crate) fn needs_terminal(&self) -> bool {
        self.plan().opener.needs_terminal()
    }

    /// Waits until the person closes a browser that has the terminal: two programs that read one terminal leave it to
    /// neither.
    pub(crate) fn give_terminal_back(&self) {
        if self.needs_terminal() {
            drop(self.at_work.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Browser for Chosen {
    fn open(&self, url: &str) -> io::Result<()> {
        let _at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        self.system.open(url)
    }

    fn plan(&self) -> Plan {
        self.system.plan()
    }
}

/// A browser may stay for hours. What whoever started this command left open for it, a lock above all, must not stay as
/// long; all that the command opens itself closes by itself.
#[cfg(unix)]
pub(crate) fn inherits_nothing() {
    close_fds::set_fds_cloexec(3, &[]);
}

#[cfg(not(unix))]
pub(crate) fn inherits_nothing() {}

fn wish(args: &Login, setting: Option<&str>) -> BrowserWish {
    match args.browser.as_ref().map(Option::as_deref) {
        _ if args.no_browser => BrowserWish::None,
        Some(Some("none")) => BrowserWish::None,
        Some(Some(line)) => BrowserCommand::parse(line).map_or(BrowserWish::None, BrowserWish::Command),
        Some(None) => BrowserWish::Any,
        None => {
            setting.map_or(BrowserWish::Unsaid, |list| BrowserWish::Usually(BrowserCommand::parse_list(list)))
        }
    }
}
