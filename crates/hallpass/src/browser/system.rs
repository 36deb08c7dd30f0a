//! The user's own browser.

use std::io;

use super::decision::decide;
use super::surroundings::Surroundings;
use super::{Browser, BrowserCommand, Opener, Plan, address, launch};
use crate::environment::Environment;

/// Which browser somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BrowserWish {
    /// Nothing was said: what `$BROWSER` names, else the default browser where the user would see it.
    #[default]
    Unsaid,
    /// Nothing was said, and these are the usual ones where `$BROWSER` names none: each is tried where the one before it
    /// fails, and an empty list is none.
    Usually(Vec<BrowserCommand>),
    /// Some browser, although the user may not see it here.
    Any,
    /// This one.
    Command(BrowserCommand),
    /// None: the address is only shown.
    None,
}

/// The user's own browser: what `$BROWSER` names, else the default one where the user would see it.
#[derive(Debug, Clone)]
pub struct SystemBrowser {
    environment: Environment,
    wish: BrowserWish,
}

impl SystemBrowser {
    /// Goes by the environment alone.
    pub fn new(environment: &Environment) -> SystemBrowser {
        SystemBrowser::wished(environment, BrowserWish::Unsaid)
    }

    /// Goes by what was asked for first.
    pub fn wished(environment: &Environment, wish: BrowserWish) -> SystemBrowser {
        SystemBrowser { environment: environment.clone(), wish }
    }
}

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> io::Result<()> {
        let url = address::judge(url)?;
        match self.plan() {
            Plan { opener: Opener::None, .. } if self.wish == BrowserWish::None => Ok(()),
            Plan { opener: Opener::None, reason, .. } => Err(io::Error::other(reason.trim_end_matches('.'))),
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
        launch::open(&opener, &address::judge(url)?, &Environment::from_process())
    }

    fn plan(&self) -> Plan {
        Plan::asked_for(Opener::Commands(vec![self.clone()]))
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
    fn that_none_is_wanted_is_no_failure() {
        let browser = SystemBrowser::wished(&Environment::default(), BrowserWish::None);
        assert!(browser.open("https://a.example").is_ok());
        assert!(browser.open("file:///etc/passwd").is_err());
    }
}
