//! Which browser a login opens: the option, else `$BROWSER`, else the person's own setting, else the system's.

use hallpass::Environment;
use hallpass::world::browser::{BrowserCommand, BrowserWish, SystemBrowser};

use crate::args::Login;

/// The browser that was asked for, and by default the system's.
pub(crate) fn of(args: &Login, setting: Option<&str>, environment: &Environment) -> SystemBrowser {
    SystemBrowser::wished(environment, wish(args, setting))
}

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
