//! Starting a browser and detaching from it.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use super::Opener;
use super::surroundings::POWERSHELL;
use crate::environment::Environment;

/// Secrets the command may have in its environment; a browser must not see them.
const SECRET_VARIABLES: [&str; 2] = ["HALLPASS_CLIENT_SECRET", "HALLPASS_ACCESS_TOKEN"];

/// Browsers for `xdg-open` to try if the desktop has no default one; its own list ends with text browsers.
const GRAPHICAL: &str = "x-www-browser:firefox:chromium:chromium-browser:google-chrome:microsoft-edge:brave-browser:epiphany:konqueror";

/// Many openers are the browser itself and end when the user closes it. One that fails after this long had opened
/// something.
const OPENED: Duration = Duration::from_secs(5);

/// Opens the URL with the first program that does not fail.
pub(super) fn open(opener: &Opener, url: &Url, environment: &Environment) -> io::Result<()> {
    let mut failures = Vec::new();
    for launch in launches(opener, url) {
        match launch.run(environment) {
            Ok(()) => return Ok(()),
            Err(error) => failures.push(format!("{}: {error}", launch.program)),
        }
    }
    if failures.is_empty() {
        return open_by_system(url);
    }
    Err(io::Error::other(failures.join("; ")))
}

/// A program and its arguments.
#[derive(Debug, PartialEq, Eq)]
struct Launch {
    program: String,
    arguments: Vec<String>,
    /// Replaces `$BROWSER`.
    browsers: Option<&'static str>,
    /// Whether the program shows the page in the terminal.
    needs_terminal: bool,
}

impl Launch {
    fn new(program: &str, arguments: Vec<String>) -> Launch {
        Launch { program: program.to_owned(), arguments, browsers: None, needs_terminal: false }
    }
}

/// Returns what to try, in order; nothing if the system itself is to open the URL.
fn launches(opener: &Opener, url: &Url) -> Vec<Launch> {
    let text = || url.as_str().to_owned();
    match opener {
        Opener::Commands(commands) => {
            let launch = |command: &super::BrowserCommand| Launch {
                needs_terminal: command.is_text_browser(),
                ..Launch::new(command.program(), command.arguments(url.as_str()))
            };
            commands.iter().map(launch).collect()
        }
        Opener::Wslview => vec![Launch::new("wslview", vec![without_code(url)]), powershell(url)],
        Opener::PowerShell => vec![powershell(url)],
        Opener::Default("gio") => vec![Launch::new("gio", vec!["open".to_owned(), text()])],
        Opener::Default("xdg-open") => {
            vec![Launch { browsers: Some(GRAPHICAL), ..Launch::new("xdg-open", vec![text()]) }]
        }
        Opener::Default(program) if cfg!(unix) => vec![Launch::new(program, vec![text()])],
        Opener::Default(_) | Opener::None | Opener::Program => Vec::new(),
    }
}

/// `wslview` puts the URL between double quotes of PowerShell, where these two characters start code.
fn without_code(url: &Url) -> String {
    url.as_str().replace('$', "%24").replace('`', "%60")
}

/// Between single quotes, PowerShell interprets only the quote itself.
fn powershell(url: &Url) -> Launch {
    let script = format!("Start-Process -FilePath '{}'", url.as_str().replace('\'', "''"));
    let words = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", &script];
    Launch::new("powershell.exe", words.map(str::to_owned).to_vec())
}

impl Launch {
    fn run(&self, environment: &Environment) -> io::Result<()> {
        let not_found = || io::Error::new(io::ErrorKind::NotFound, "not found");
        let beside = || (self.program == "powershell.exe").then(|| environment.program(POWERSHELL)).flatten();
        let path = environment.program(&self.program).or_else(beside).ok_or_else(not_found)?;
        let mut command =
            if self.needs_terminal { in_terminal(&path)? } else { detached(&path, environment) };
        command.args(&self.arguments);
        command.envs(self.browsers.map(|browsers| ("BROWSER", browsers)));
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        fork(&mut command);
        let begun = Instant::now();
        let status = command.status()?;
        if status.success() || begun.elapsed() > OPENED {
            return Ok(());
        }
        Err(io::Error::other(format!("failed with {status}")))
    }
}

/// Prepares a program that takes over the terminal.
fn in_terminal(program: &Path) -> io::Result<Command> {
    match io::stdin().is_terminal() && io::stdout().is_terminal() {
        true => Ok(Command::new(program)),
        false => Err(io::Error::other("this browser needs a terminal, and there is none")),
    }
}

/// Makes the standard library fork instead of spawn. A spawned child that Ctrl-Z stops before it runs its program leaves its
/// parent waiting where nothing can stop it, and the shell never gets its terminal back. The standard library forks if it
/// has to set a group; this sets the group we already have.
#[cfg(unix)]
fn fork(command: &mut Command) {
    std::os::unix::process::CommandExt::gid(command, rustix::process::getgid().as_raw());
}

#[cfg(not(unix))]
fn fork(_: &mut Command) {}

/// Prepares a program that shares nothing with this one: no stream and, if possible, no terminal and no session, so that
/// neither Ctrl-C nor closing the terminal reaches it. Descriptors close by themselves: all are opened close-on-exec.
#[cfg(unix)]
fn detached(program: &Path, environment: &Environment) -> Command {
    let mut command = match environment.program("setsid") {
        Some(setsid) => {
            let mut command = Command::new(setsid);
            command.arg(program);
            command
        }
        None => {
            let mut command = Command::new(program);
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(not(unix))]
fn detached(program: &Path, _environment: &Environment) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(windows)]
fn open_by_system(url: &Url) -> io::Result<()> {
    webbrowser::open(url.as_str())
}

#[cfg(not(windows))]
fn open_by_system(_url: &Url) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "nothing to open it with was found"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::BrowserCommand;

    /// A URL with everything that shells, PowerShell and `cmd` interpret.
    const SHARP: &str = "https://a.example/x(1)/it's?a=b&c=%26%27;d=$(id)`id`|e^f%PATH%=!g&h=i j";

    fn argv(opener: &Opener) -> Vec<Vec<String>> {
        let words = |launch: Launch| [vec![launch.program], launch.arguments].concat();
        launches(opener, &Url::parse(SHARP).unwrap()).into_iter().map(words).collect()
    }

    /// The same as `url` writes it: what a URL can't hold is escaped, everything else stays.
    const WRITTEN: &str = "https://a.example/x(1)/it's?a=b&c=%26%27;d=$(id)`id`|e^f%PATH%=!g&h=i%20j";

    #[cfg(unix)]
    #[test]
    fn n18_p22_p23_every_opener_gets_the_url_as_one_argument() {
        assert_eq!(argv(&Opener::Default("xdg-open")), [["xdg-open", WRITTEN]]);
        assert_eq!(argv(&Opener::Default("open")), [["open", WRITTEN]]);
        assert_eq!(argv(&Opener::Default("gio")), [vec!["gio", "open", WRITTEN]]);
        let commands = Opener::Commands(BrowserCommand::parse_list("a --x=%s -y:b"));
        let x = format!("--x={WRITTEN}");
        assert_eq!(argv(&commands), [vec!["a", &x, "-y"], vec!["b", WRITTEN]]);
    }

    #[test]
    fn p22_wslview_gets_no_character_that_starts_code_and_powershell_a_literal() {
        let escaped = WRITTEN.replace('$', "%24").replace('`', "%60");
        let literal = format!("Start-Process -FilePath '{}'", WRITTEN.replace('\'', "''"));
        let powershell =
            vec!["powershell.exe", "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", &literal];
        assert_eq!(argv(&Opener::Wslview), [vec!["wslview", &escaped], powershell.clone()]);
        assert_eq!(argv(&Opener::PowerShell), [powershell]);
        let plain = Url::parse("https://a.example/?a=1&b=%26;c").unwrap();
        assert_eq!(without_code(&plain), plain.as_str());
    }

    #[test]
    fn p20_xdg_open_gets_no_text_browser() {
        let text = ["w3m", "lynx", "links", "elinks", "www-browser"];
        assert!(!GRAPHICAL.split(':').any(|name| text.contains(&name)));
        let url = Url::parse(SHARP).unwrap();
        assert_eq!(launches(&Opener::Default("xdg-open"), &url)[0].browsers, Some(GRAPHICAL));
    }
}
