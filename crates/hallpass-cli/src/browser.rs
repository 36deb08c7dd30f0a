//! Which browser a login opens: the option, else `$BROWSER`, else the person's own setting, else the system's.

use std::io;

use hallpass::Environment;
use hallpass::world::browser::{Browser, BrowserCommand, SystemBrowser};

use crate::args::Login;
use crate::sources::variable;

/// The browser of a login.
pub(crate) enum Choice {
    System(SystemBrowser),
    Command(BrowserCommand),
    /// The address is printed, nothing is started.
    None,
}

impl Choice {
    pub(crate) fn of(args: &Login, setting: Option<&str>, environment: &Environment) -> Choice {
        let named = args.browser.as_ref().and_then(Option::as_deref);
        // `--browser` alone asks for the system's, and the system's knows `$BROWSER`.
        let is_nearer = args.browser.is_some() || variable("BROWSER").is_some();
        match named.or(setting.filter(|_| !is_nearer)) {
            _ if args.no_browser => Choice::None,
            Some("none") => Choice::None,
            Some(line) => BrowserCommand::parse(line).map_or(Choice::None, Choice::Command),
            None => Choice::System(SystemBrowser::new(environment)),
        }
    }
}

impl Browser for Choice {
    fn open(&self, url: &str) -> io::Result<()> {
        match self {
            Choice::System(browser) => browser.open(url),
            Choice::Command(command) => command.open(url),
            Choice::None => Ok(()),
        }
    }
}
