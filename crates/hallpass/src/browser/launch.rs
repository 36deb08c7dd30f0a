//! Starting a program and leaving it to itself.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use super::Opener;
use crate::browser::surroundings::POWERSHELL;
use crate::environment::Environment;

/// What the command may be given in its environment is nobody else's business.
const SECRET_VARIABLES: [&str; 2] = ["HALLPASS_CLIENT_SECRET", "HALLPASS_ACCESS_TOKEN"];

/// `xdg-open` tries these where the desktop names no browser; its own list ends with browsers for the terminal.
const GRAPHICAL: &str = "x-www-browser:firefox:chromium:chromium-browser:google-chrome:microsoft-edge:brave-browser:epiphany:konqueror";

/// Many openers are the browser itself and end when the user closes it. What fails after this long had opened
/// something.
const OPENED: Duration = Duration::from_secs(5);

/// Opens the address with the first program that does not fail.
pub(super) fn open(opener: &Opener, url: &Url, environment: &Environment) -> io::Result<()> {
    let mut failures = Vec::new();
    for launch in launches(opener, url) {
        match launch.run(environment) {
            Ok(()) => return Ok(()),
            Err(why) => failures.push(format!("{}: {why}", launch.program)),
        }
    }
    if failures.is_empty() {
        return open_by_system(url);
    }
    Err(io::Error::other(failures.join("; ")))
}

/// A program and what it is told.
#[derive(Debug, PartialEq, Eq)]
struct Launch {
    program: String,
    arguments: Vec<String>,
    /// Instead of what `$BROWSER` says.
    browsers: Option<&'static str>,
    /// It shows the page there, so it gets it.
    needs_terminal: bool,
}

impl Launch {
    fn new(program: &str, arguments: Vec<String>) -> Launch {
        Launch { program: program.to_owned(), arguments, browsers: None, needs_terminal: false }
    }
}

/// What to try, in order; nothing where the system itself is asked.
fn launches(opener: &Opener, url: &Url) -> Vec<Launch> {
    let address = || url.as_str().to_owned();
    match opener {
        Opener::Commands(commands) => {
            let launch = |command: &super::BrowserCommand| Launch {
                needs_terminal: command.is_text_browser(),
                ..Launch::new(command.program(), command.arguments(url.as_str()))
            };
            commands.iter().map(launch).collect()
        }
        Opener::Wslview => vec![Launch::new("wslview", vec![inert(url)]), powershell(url)],
        Opener::PowerShell => vec![powershell(url)],
        Opener::Default("gio") => vec![Launch::new("gio", vec!["open".to_owned(), address()])],
        Opener::Default("xdg-open") => {
            vec![Launch { browsers: Some(GRAPHICAL), ..Launch::new("xdg-open", vec![address()]) }]
        }
        Opener::Default(program) if cfg!(unix) => vec![Launch::new(program, vec![address()])],
        Opener::Default(_) | Opener::None | Opener::Program => Vec::new(),
    }
}

/// `wslview` puts the address between double quotes of PowerShell, where these two characters begin code.
fn inert(url: &Url) -> String {
    url.as_str().replace('$', "%24").replace('`', "%60")
}

/// Between single quotes nothing but the quote itself means anything to PowerShell.
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
        let mut command = if self.needs_terminal { in_front(&path)? } else { apart(&path, environment) };
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
        Err(io::Error::other(format!("it ended with {status}")))
    }
}

/// A program that is given the terminal.
fn in_front(program: &Path) -> io::Result<Command> {
    match io::stdin().is_terminal() && io::stdout().is_terminal() {
        true => Ok(Command::new(program)),
        false => Err(io::Error::other("it shows pages in a terminal, and there is none")),
    }
}

/// Has the command forked, not spawned. Ctrl-Z stops a child that was spawned before it is another program, and its parent
/// then waits for it where nothing can stop it: the shell never gets its terminal back. The standard library forks
/// where it has to set a group, and this is the one that we have.
#[cfg(unix)]
fn fork(command: &mut Command) {
    std::os::unix::process::CommandExt::gid(command, rustix::process::getgid().as_raw());
}

#[cfg(not(unix))]
fn fork(_: &mut Command) {}

/// A program that shares nothing with this one: no stream, and as far as can be had no terminal and no session, so that
/// neither Ctrl-C nor the end of the terminal reaches it. Descriptors close by themselves, since all that are opened
/// here are marked so.
#[cfg(unix)]
fn apart(program: &Path, environment: &Environment) -> Command {
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
fn apart(program: &Path, _environment: &Environment) -> Command {
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
    Err(io::Error::new(io::ErrorKind::Unsupported, "there is nothing to open it with"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::BrowserCommand;

    /// An address with what shells, PowerShell and `cmd` make something of.
    const SHARP: &str = "https://a.example/x(1)/it's?a=b&c=%26%27;d=$(id)`id`|e^f%PATH%=!g&h=i j";

    fn argv(opener: &Opener) -> Vec<Vec<String>> {
        let words = |launch: Launch| [vec![launch.program], launch.arguments].concat();
        launches(opener, &Url::parse(SHARP).unwrap()).into_iter().map(words).collect()
    }

    /// As `url` writes it: what a URL cannot hold is escaped, everything else stays.
    const WRITTEN: &str = "https://a.example/x(1)/it's?a=b&c=%26%27;d=$(id)`id`|e^f%PATH%=!g&h=i%20j";

    #[cfg(unix)]
    #[test]
    fn n18_p22_p23_every_opener_gets_the_address_as_one_argument() {
        assert_eq!(argv(&Opener::Default("xdg-open")), [["xdg-open", WRITTEN]]);
        assert_eq!(argv(&Opener::Default("open")), [["open", WRITTEN]]);
        assert_eq!(argv(&Opener::Default("gio")), [vec!["gio", "open", WRITTEN]]);
        let commands = Opener::Commands(BrowserCommand::parse_list("a --x=%s -y:b"));
        let x = format!("--x={WRITTEN}");
        assert_eq!(argv(&commands), [vec!["a", &x, "-y"], vec!["b", WRITTEN]]);
    }

    #[test]
    fn p22_wslview_gets_no_character_that_begins_code_and_powershell_a_literal() {
        let escaped = WRITTEN.replace('$', "%24").replace('`', "%60");
        let literal = format!("Start-Process -FilePath '{}'", WRITTEN.replace('\'', "''"));
        let powershell =
            vec!["powershell.exe", "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", &literal];
        assert_eq!(argv(&Opener::Wslview), [vec!["wslview", &escaped], powershell.clone()]);
        assert_eq!(argv(&Opener::PowerShell), [powershell]);
        let plain = Url::parse("https://a.example/?a=1&b=%26;c").unwrap();
        assert_eq!(inert(&plain), plain.as_str());
    }

    #[test]
    fn p20_xdg_open_is_told_of_no_browser_for_the_terminal() {
        let text = ["w3m", "lynx", "links", "elinks", "www-browser"];
        assert!(!GRAPHICAL.split(':').any(|name| text.contains(&name)));
        let url = Url::parse(SHARP).unwrap();
        assert_eq!(launches(&Opener::Default("xdg-open"), &url)[0].browsers, Some(GRAPHICAL));
    }
}
