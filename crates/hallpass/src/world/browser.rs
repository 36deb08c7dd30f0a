//! Showing a page to the user.

use std::io;
use std::process::{Command, Stdio};

use crate::environment::Environment;

/// Opens an address where the user can sign in. Called on a thread of its own, so it may take its time;
/// its failure is told and changes nothing, since the address was printed before.
///
/// Any `Fn(&str) -> io::Result<()>` is a browser.
pub trait Browser: Send + Sync + 'static {
    /// Opens the address, which is `https`, or `http` on a loopback host.
    fn open(&self, url: &str) -> io::Result<()>;
}

impl<F: Fn(&str) -> io::Result<()> + Send + Sync + 'static> Browser for F {
    fn open(&self, url: &str) -> io::Result<()> {
        self(url)
    }
}

/// The user's own browser: what `$BROWSER` names, else the desktop's default.
#[derive(Debug, Clone)]
pub struct SystemBrowser {
    command: Option<BrowserCommand>,
    has_display: bool,
}

impl SystemBrowser {
    /// Decides by the environment.
    pub fn new(environment: &Environment) -> SystemBrowser {
        let display = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
            .iter()
            .any(|name| environment.var(name).is_some());
        SystemBrowser {
            command: environment.text("BROWSER").and_then(BrowserCommand::parse),
            has_display: display || !cfg!(all(unix, not(target_os = "macos"))),
        }
    }
}

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> io::Result<()> {
        if let Some(command) = &self.command {
            return command.open(url);
        }
        if !self.has_display {
            return Err(io::Error::other("this session has no display"));
        }
        let mut options = webbrowser::BrowserOptions::new();
        options.with_suppress_output(true);
        webbrowser::open_browser_with_options(webbrowser::Browser::Default, url, &options)
    }
}

/// What the command may be given in its environment is nobody else's business.
const SECRET_VARIABLES: [&str; 2] = ["HALLPASS_CLIENT_SECRET", "HALLPASS_ACCESS_TOKEN"];

/// A program that is started with the address as one argument, never through a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserCommand {
    words: Vec<String>,
}

impl BrowserCommand {
    /// Reads a command line: words separated by spaces, the address in place of `%s`, else at the end.
    /// `None` where there is no word.
    pub fn parse(line: &str) -> Option<BrowserCommand> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(BrowserCommand { words })
    }

    /// The template is split before the address goes in, so no address can add an argument.
    fn arguments(&self, url: &str) -> Vec<String> {
        let mut arguments: Vec<String> = self.words[1..].iter().map(|word| word.replace("%s", url)).collect();
        if !self.words.iter().any(|word| word.contains("%s")) {
            arguments.push(url.to_owned());
        }
        arguments
    }
}

impl Browser for BrowserCommand {
    fn open(&self, url: &str) -> io::Result<()> {
        let mut command = Command::new(&self.words[0]);
        command.args(self.arguments(url)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let status = command.spawn().and_then(|mut child| child.wait());
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(io::Error::other(format!("{} ended with {status}", self.words[0]))),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", self.words[0]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l03_an_address_is_always_one_argument() {
        let url = "https://a.example/?x=1 --proxy-server=evil&y='\"$(id)";
        let arguments = |line: &str| BrowserCommand::parse(line).unwrap().arguments(url);
        assert_eq!(arguments("firefox"), [url]);
        assert_eq!(arguments("firefox --new-window"), ["--new-window", url]);
        assert_eq!(arguments("firefox --app=%s --x"), [&format!("--app={url}"), "--x"]);
        assert_eq!(BrowserCommand::parse("  "), None);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error =
            BrowserCommand::parse("/nonexistent/browser").unwrap().open("https://a.example").unwrap_err();
        assert!(error.to_string().starts_with("/nonexistent/browser: "), "{error}");
    }

    #[test]
    fn without_a_display_nothing_is_tried() {
        let browser = SystemBrowser::new(&Environment::from_variables([]));
        if cfg!(target_os = "linux") {
            assert_eq!(
                browser.open("https://a.example").unwrap_err().to_string(),
                "this session has no display"
            );
        }
    }
}
