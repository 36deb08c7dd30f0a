//! The user's own browser.

use std::io;

use super::decision::decide;
use super::surroundings::Surroundings;
use super::{Browser, BrowserCommand, Opener, Plan, Reason, address, launch};
use crate::environment::Environment;

/// The browser the caller asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BrowserWish {
    /// Unspecified: the one `$BROWSER` names, else the default browser if the user would see it here.
    #[default]
    Unsaid,
    /// Unspecified, with these as the usual ones if `$BROWSER` is not set: each is tried if the one before it fails. An
    /// empty list means no browser.
    Usually(Vec<BrowserCommand>),
    /// Any browser, even if the user may not see it here.
    Any,
    /// This command.
    Command(BrowserCommand),
    /// None: the URL is only shown.
    None,
}

/// The user's browser: the one `$BROWSER` names, else the default browser if the user would see it here.
#[derive(Debug, Clone)]
pub struct SystemBrowser {
    environment: Environment,
    wish: BrowserWish,
}

impl SystemBrowser {
    /// Creates a browser that is chosen by the environment alone.
    pub fn new(environment: &Environment) -> SystemBrowser {
        SystemBrowser::wished(environment, BrowserWish::Unsaid)
    }

    /// Creates a browser that is chosen by a wish, then by the environment.
    pub fn wished(environment: &Environment, wish: BrowserWish) -> SystemBrowser {
        SystemBrowser { environment: environment.clone(), wish }
    }
}

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> io::Result<()> {
        let url = address::check(url)?;
        match self.plan() {
            Plan { opener: Opener::None, .. } if self.wish == BrowserWish::None => Ok(()),
            Plan { opener: Opener::None, reason, .. } => {
                Err(io::Error::other(reason.to_string().trim_end_matches('.')))
            }
            Plan { opener, .. } => launch::open(&opener, &url, &self.environment),
        }
    }

    fn plan(&self) -> Plan {
        decide(&Surroundings::look(&self.environment), &self.wish).plan
    }
}

impl Browser for BrowserCommand {
    fn open(&self, url: &str) -> io::Result<()> {
        let opener = Opener::Commands(vec![self.clone()]);
        launch::open(&opener, &address::check(url)?, &Environment::from_process())
    }

    fn plan(&self) -> Plan {
        Plan::open(Opener::Commands(vec![self.clone()]), Reason::Requested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error =
            BrowserCommand::parse("/nonexistent/browser").unwrap().open("https://a.example").unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/browser: not found");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_display_nothing_is_tried() {
        let browser = SystemBrowser::new(&Environment::from_variables([]));
        let error = browser.open("https://a.example").unwrap_err().to_string();
        assert!(error.contains("display"), "{error}");
    }

    #[test]
    fn asking_for_no_browser_is_not_a_failure() {
        let browser = SystemBrowser::wished(&Environment::default(), BrowserWish::None);
        assert!(browser.open("https://a.example").is_ok());
        assert!(browser.open("file:///etc/passwd").is_err());
    }
}
