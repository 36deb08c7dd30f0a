//! Opening a browser: which program is started, with what, how often, and what it shares with the command.
//!
//! Every program on the `PATH` of these calls is a stub that writes down how it was called, and then does as the test
//! says.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::pty::Pty;
use hallpass_test::command::{CLIENT, CommandSandbox, Invocation, Outcome, param, visit};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::new_sandbox;

/// If no browser has opened the URL by then, none will.
const SHORT: &str = "400ms";

/// Tells the test the address, so that it can be the person.
const TELL: &str = "\
for word; do case $word in *http*) address=http${word#*http};; esac; done
/bin/sh \"$TELL\" \"$address\"
";

const SSH: (&str, &str) = ("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22");
const X11: (&str, &str) = ("DISPLAY", ":0");

/// A machine whose programs are stubs.
struct Desktop {
    sandbox: CommandSandbox,
    server: DevServer,
}

impl Desktop {
    fn new() -> Desktop {
        let sandbox = new_sandbox();
        fs::create_dir(sandbox.beside("bin")).unwrap();
        Desktop { sandbox, server: DevServer::start().unwrap() }
    }

    fn with(names: &[&str]) -> Desktop {
        let desktop = Desktop::new();
        names.iter().for_each(|name| desktop.install(name, TELL));
        desktop
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.sandbox.beside("bin").join(name)
    }

    fn path(&self, name: &str) -> String {
        self.bin(name).to_str().unwrap().to_owned()
    }

    /// Puts a program on the `PATH`. Another process writes it: what this one has open for writing, a child of another
    /// test might hold open, and then nobody can start it.
    fn install(&self, name: &str, behaviour: &str) {
        let called =
            format!("printf '%s\\n' --- \"${{0##*/}}\" \"$@\" >> '{}'\n", self.called_file().display());
        let text = self.sandbox.file("stub", &format!("#!/bin/sh\n{called}{behaviour}"));
        let status = Command::new("install").args(["-m", "755", &text]).arg(self.bin(name)).status().unwrap();
        assert!(status.success());
    }

    /// Puts the system's own program there.
    fn link(&self, name: &str) {
        std::os::unix::fs::symlink(Path::new("/usr/bin").join(name), self.bin(name)).unwrap();
    }

    fn called_file(&self) -> PathBuf {
        self.sandbox.beside("called")
    }

    /// Every call of a stub: its name and its arguments.
    fn called(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.called_file()).unwrap_or_default();
        let calls = text.split("---\n").filter(|call| !call.is_empty());
        calls.map(|call| call.lines().map(str::to_owned).collect()).collect()
    }

    fn command(&self, args: &[&str]) -> Invocation<'_> {
        let at = ["login", "--issuer", self.server.issuer(), "--client-id", CLIENT];
        let call = self.sandbox.hallpass(&[&at, args].concat()).env("PATH", &self.path(""));
        call.env("TELL", self.sandbox.beside("browser.sh").to_str().unwrap())
    }

    /// Signs in through the browser that opens; its address.
    fn sign_in(&self, args: &[&str], variables: &[(&str, &str)]) -> (Outcome, String) {
        let (outcome, url) = self.command(args).envs(variables).play(|url| {
            visit(&self.server, url);
            url.to_owned()
        });
        (outcome.ok(), url)
    }

    /// Waits for a browser that does not open; what the command says meanwhile.
    fn waits(&self, args: &[&str], variables: &[(&str, &str)]) -> String {
        let outcome = self.command(&[&["--timeout", SHORT], args].concat()).envs(variables).run();
        assert_eq!(outcome.code, 7, "{outcome:#?}");
        assert!(outcome.stderr.contains("/authorize?"), "the address is shown in any case: {outcome:#?}");
        outcome.stderr
    }

    fn configure(&self, browser: &str) {
        fs::create_dir_all(self.sandbox.config_dir()).unwrap();
        fs::write(self.sandbox.config_dir().join("config.toml"), format!("browser = '{browser}'\n")).unwrap();
    }
}

/// Returns the lines of a login about a browser that did not open.
fn failures(talk: &str) -> Vec<&str> {
    talk.lines().filter(|line| line.contains("Could not open")).collect()
}

#[test]
fn p20_each_layer_opens_one_browser_with_the_exact_arguments() {
    let (own, usual) = (["--browser=own --new %s -x"], "usual");
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], Option<&'a str>, &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        (&[], &[X11], None, &["xdg-open", "URL"]),
        (&own, &[X11], None, &["own", "--new", "URL", "-x"]),
        (&own, &[X11, ("BROWSER", "other")], Some(usual), &["own", "--new", "URL", "-x"]),
        (&own, &[SSH], None, &["own", "--new", "URL", "-x"]),
        (&["--browser=own 'two words' --app=%s"], &[], None, &["own", "two words", "--app=URL"]),
        (&[], &[X11, ("BROWSER", "other -a")], None, &["other", "-a", "URL"]),
        (&[], &[X11, ("BROWSER", "other -a")], Some(usual), &["other", "-a", "URL"]),
        (&["--browser"], &[X11, ("BROWSER", "other")], Some(usual), &["other", "URL"]),
        (&[], &[("BROWSER", "missing:other %s:own")], None, &["other", "URL"]),
        (&[], &[X11], Some(usual), &["usual", "URL"]),
        (&[], &[SSH], Some("usual --x"), &["usual", "--x", "URL"]),
        (&["--browser"], &[X11, SSH], None, &["xdg-open", "URL"]),
    ];
    for (args, variables, setting, expected) in rows {
        let desktop = Desktop::with(&["xdg-open", "own", "other", "usual", "w3m"]);
        setting.iter().for_each(|setting| desktop.configure(setting));
        let (outcome, _) = desktop.sign_in(args, variables);
        let url = outcome.stderr.lines().find(|line| line.contains("/authorize?")).unwrap();
        let expected: Vec<String> = expected.iter().map(|word| word.replace("URL", url)).collect();
        assert_eq!(desktop.called(), [expected], "{args:?} {variables:?} {setting:?}");
    }
}

#[test]
fn p20_none_in_any_layer_starts_nothing() {
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], Option<&'a str>);
    let rows: &[Row<'_>] = &[
        (&["--no-browser"], &[X11, ("BROWSER", "other")], Some("usual")),
        (&["--browser=none"], &[X11, ("BROWSER", "other")], None),
        (&[], &[X11, ("BROWSER", "none")], Some("usual")),
        (&["--browser"], &[X11, ("BROWSER", "none")], None),
        (&[], &[X11], Some("none")),
    ];
    for (args, variables, setting) in rows {
        let desktop = Desktop::with(&["xdg-open", "other", "usual", "w3m"]);
        setting.iter().for_each(|setting| desktop.configure(setting));
        desktop.waits(args, variables);
        assert_eq!(desktop.called(), <[Vec<String>; 0]>::default(), "{args:?} {variables:?} {setting:?}");
    }
}

#[test]
fn p20_p21_where_nobody_would_see_it_nothing_is_started_by_itself() {
    let rows: &[&[(&str, &str)]] = &[
        &[],
        &[SSH],
        &[SSH, X11],
        &[X11, ("CI", "true")],
        &[X11, ("CODESPACES", "true")],
        &[X11, ("REMOTE_CONTAINERS", "true")],
        &[X11, ("VSCODE_IPC_HOOK_CLI", "/tmp/x.sock")],
        &[X11, ("SUDO_USER", "ada")],
    ];
    for variables in rows {
        let desktop = Desktop::with(&["xdg-open", "firefox", "wslview"]);
        let talk = desktop.waits(&[], variables);
        assert_eq!(desktop.called(), <[Vec<String>; 0]>::default(), "{variables:?}");
        assert!(talk.contains("\nOpen this URL in a browser:\n\nhttp"), "{talk}");
        assert_eq!(failures(&talk), <[&str; 0]>::default(), "nothing failed");
    }
}

#[test]
fn p16_p21_in_an_ssh_session_the_reason_and_the_way_back_are_told() {
    let desktop = Desktop::with(&["xdg-open"]);
    let talk = desktop.waits(&[], &[SSH, ("USER", "ada")]);
    let reason = "You're connected over SSH, so no browser was opened.";
    assert_eq!(talk.lines().filter(|line| *line == reason).count(), 1, "{talk}");
    let waiting = talk.lines().find(|line| line.starts_with("Waiting for callback on")).unwrap();
    let port: u16 = waiting.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let tunnel = format!("\n\n    ssh -L {port}:127.0.0.1:{port} -N ada@203.0.113.5\n\n");
    assert!(talk.contains(&tunnel), "{tunnel}: {talk}");
    // Whoever asked for none knows why.
    let talk = desktop.waits(&["--no-browser"], &[SSH]);
    assert!(!talk.contains("SSH session") && !talk.contains("wanted") && talk.contains("ssh -L"), "{talk}");
    let talk = desktop.waits(&["--browser=xdg-open"], &[]);
    assert!(talk.contains("Opening browser for authentication...") && !talk.contains("ssh -L"), "{talk}");
    assert_eq!(desktop.called().len(), 1);
}

#[test]
fn p24_in_a_codespace_and_a_container_the_port_and_the_other_ways_are_told() {
    let desktop = Desktop::with(&["xdg-open"]);
    for (variable, value, note) in [
        ("CODESPACES", "true", "Note: port PORT must be forwarded to the machine with your browser; "),
        ("REMOTE_CONTAINERS", "true", "Note: port PORT must be forwarded to the machine with your browser; "),
        ("container", "podman", "Note: a browser outside this container reaches the callback only through "),
    ] {
        let talk = desktop.waits(&[], &[(variable, value)]);
        let waiting = talk.lines().find(|line| line.starts_with("Waiting for callback on")).unwrap();
        let port = waiting.rsplit_once(':').unwrap().1.split('/').next().unwrap();
        let note = note.replace("PORT", port);
        assert_eq!(talk.lines().filter(|line| line.starts_with(&note)).count(), 1, "{note}: {talk}");
        assert!(talk.contains("pen this URL on any device and enter the code:"), "{talk}");
    }
    let forwarded = ["--redirect-uri=http://localhost:9999/callback", "--listen=127.0.0.1:9998"];
    let talk = desktop.waits(&forwarded, &[("container", "podman")]);
    assert!(!talk.contains("Note: "), "{talk}");
}

#[test]
fn p16_p68_a_parent_program_is_told_the_same_as_events() {
    let desktop = Desktop::with(&["xdg-open"]);
    let events = |args: &[&str], variables: &[(&str, &str)]| {
        let args = [&["--timeout", SHORT, "--json"], args].concat();
        desktop.command(&args).envs(variables).run().events()
    };
    let names = |events: &[Value]| {
        let names = events.iter().map(|event| event["event"].as_str().unwrap().to_owned());
        // Whether these come depends on whether this is a container.
        names.filter(|name| !["user_code", "note"].contains(&name.as_str())).collect::<Vec<_>>()
    };
    let here = events(&[], &[SSH]);
    assert_eq!(names(&here), ["store", "no_browser", "url", "tunnel", "waiting", "error"], "{here:#?}");
    assert!(here[1]["reason"].as_str().unwrap().starts_with("You're connected over SSH"));
    assert!(here[3]["command"].as_str().unwrap().ends_with(" -N 203.0.113.5"));
    let asked = events(&["--no-browser"], &[X11]);
    assert_eq!(names(&asked), ["store", "no_browser", "url", "waiting", "error"]);
    assert_eq!(asked[1]["reason"], Value::Null);
}

#[test]
fn p20_a_browser_for_the_terminal_is_never_found_by_itself() {
    for name in ["w3m", "lynx", "links", "elinks", "www-browser"] {
        let desktop = Desktop::with(&[name]);
        let talk = desktop.waits(&[], &[X11]);
        assert_eq!(desktop.called(), <[Vec<String>; 0]>::default());
        assert!(
            talk.contains(
                "\nNo program to open URLs was found (such as xdg-open), so no browser was opened.\n"
            ),
            "{talk}"
        );
    }
    // xdg-open would look for one.
    let desktop = Desktop::new();
    desktop.install("xdg-open", &format!("printf '%s' \"$BROWSER\" > '{}'\n{TELL}", desktop.path("../told")));
    desktop.sign_in(&[], &[X11]);
    let told = fs::read_to_string(desktop.path("../told")).unwrap();
    assert!(
        told.starts_with("x-www-browser:") && !told.contains("w3m") && !told.contains("www-browser:links"),
        "{told}"
    );
}

/// By name it gets the terminal, and the command waits until it is closed.
#[test]
fn p20_a_browser_for_the_terminal_that_was_named_gets_it() {
    let desktop = Desktop::new();
    let script = "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] || exit 9\n";
    desktop.install("w3m", &format!("{script}{TELL}read line\necho \"w3m read $line\"\n"));
    desktop.link("setsid");
    let pty = Pty::new(100);
    let before = pty.modes();
    let mut login = pty.start(&desktop.command(&["--browser=w3m -no-mouse", "--no-qr"]).into_command());
    let url = login.url();
    visit(&desktop.server, &url);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!pty.shown().contains("Successfully"), "the terminal is still the browser's: {}", pty.shown());
    pty.keys("q\r");
    assert_eq!(login.end().0, 0, "{}", pty.shown());
    let shown = pty.shown();
    let (read, done) = (shown.find("w3m read q").unwrap(), shown.find("Successfully logged in!").unwrap());
    assert!(read < done, "{shown}");
    assert_eq!(desktop.called(), [["w3m", "-no-mouse", url.as_str()]]);
    assert_eq!(pty.modes(), before);
}

#[test]
fn p20_a_browser_for_the_terminal_without_one_is_one_line() {
    let desktop = Desktop::with(&["w3m"]);
    let talk = desktop.waits(&["--browser=w3m"], &[]);
    assert_eq!(desktop.called(), <[Vec<String>; 0]>::default());
    assert_eq!(failures(&talk).len(), 1, "{talk}");
}

#[test]
fn p19_an_opener_that_fails_is_one_line_and_the_login_goes_on() {
    let desktop = Desktop::new();
    desktop.install("xdg-open", &format!("{TELL}exit 3\n"));
    let (outcome, _) = desktop.sign_in(&[], &[X11]);
    let lines = failures(&outcome.stderr);
    assert!(lines.len() <= 1, "{outcome:#?}");
    let talk = desktop.waits(&[], &[X11]);
    assert_eq!(
        failures(&talk),
        ["Could not open a browser (xdg-open: failed with exit status: 3). Open the URL above yourself."]
    );
    fs::remove_file(desktop.bin("xdg-open")).unwrap();
    let talk = desktop.waits(&[], &[X11]);
    assert!(failures(&talk).is_empty() && !talk.contains("os error"), "{talk}");
}

#[test]
fn p19_a_megabyte_of_noise_on_both_streams_is_not_heard() {
    let desktop = Desktop::new();
    let noise = "/usr/bin/head -c 1048576 /dev/zero | /usr/bin/tr '\\0' N";
    desktop.install("xdg-open", &format!("{noise}\n{noise} >&2\n{TELL}{noise}\nexit 1\n"));
    let (outcome, _) = desktop.sign_in(&[], &[X11]);
    assert!(!outcome.stderr.contains("NNNN") && outcome.stdout.is_empty(), "{outcome:#?}");
    assert!(failures(&outcome.stderr).len() <= 1);
}

/// The browser itself is the opener where none was running yet.
#[test]
fn p19_an_opener_that_stays_holds_up_nothing_and_holds_nothing() {
    let desktop = Desktop::new();
    let (pid_file, streams) = (desktop.path("../pid"), desktop.path("../streams"));
    let look = format!("/bin/ls -l /proc/$$/fd > '{streams}'\n");
    desktop.install("xdg-open", &format!("{look}echo $$ > '{pid_file}'\n{TELL}exec /bin/sleep 60\n"));
    desktop.link("setsid");
    // What the caller left open for its children.
    let lock = desktop.sandbox.beside("callers.lock");
    let command = desktop.command(&[]).envs(&[X11]).into_command();
    let mut caller = Command::new("/bin/sh");
    caller.args(["-c", "exec 9>\"$LOCK\" && flock 9 && exec \"$0\" \"$@\""]);
    caller.arg(command.get_program()).args(command.get_args());
    let caller = desktop.sandbox.call(caller);
    let variables: Vec<(&str, String)> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?.to_owned())))
        .collect();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let path = format!("{}:/usr/bin:/bin", desktop.path(""));
    let caller = caller.envs(&variables).env("LOCK", lock.to_str().unwrap()).env("PATH", &path);
    let (outcome, url) = caller.play(|url| {
        visit(&desktop.server, url);
        url.to_owned()
    });
    outcome.ok();
    let pid = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    let still_there = test_kill_process(pid).is_ok();
    let session = fs::read_to_string(format!("/proc/{pid}/stat", pid = pid.as_raw_nonzero())).unwrap();
    let streams = fs::read_to_string(streams).unwrap();
    let redirect = url::Url::parse(&param(&url, "redirect_uri").unwrap()).unwrap();
    let is_free = |path: PathBuf| File::open(path).unwrap().try_lock().is_ok();
    let state = desktop.sandbox.state_dir().join("hallpass");
    let locks = ["default.lock", "default.login.lock"].map(|name| is_free(state.join(name)));
    let (callers_lock, port) = (is_free(lock), TcpListener::bind(("127.0.0.1", redirect.port().unwrap())));
    kill_process(pid, Signal::KILL).unwrap();
    assert!(still_there, "nobody ended it");
    let words: Vec<&str> = session.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!(words[3], pid.as_raw_nonzero().to_string(), "a session of its own: {session}");
    assert_eq!(words[4], "0", "and no terminal: {session}");
    let open: Vec<&str> =
        streams.lines().filter_map(|line| line.split_once(" -> ").map(|(_, to)| to)).collect();
    let own = desktop.bin("xdg-open");
    let foreign: Vec<&&str> =
        open.iter().filter(|to| **to != "/dev/null" && **to != own.to_str().unwrap()).collect();
    // The listing itself goes to a file by then.
    assert!(foreign.iter().all(|to| to.ends_with("/streams")), "{streams}");
    assert!(locks.iter().all(|is_free| *is_free) && callers_lock, "{locks:?} {callers_lock}");
    assert!(port.is_ok());
}

#[test]
fn p22_wsl_opens_the_browser_of_windows_and_never_explorer() {
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        (&[("WSL_DISTRO_NAME", "Ubuntu")], &["wslview", "powershell.exe", "explorer.exe"], &["wslview"]),
        (&[("WSL_INTEROP", "/run/WSL/1")], &["wslview", "xdg-open"], &["wslview"]),
        (&[("WSL_DISTRO_NAME", "Ubuntu"), X11], &["powershell.exe", "xdg-open"], &["powershell.exe"]),
    ];
    for (variables, programs, expected) in rows {
        let desktop = Desktop::new();
        programs.iter().for_each(|name| desktop.install(name, "exit 0\n"));
        let talk = desktop.waits(&["--param", "x=a=b&c%d;e"], variables);
        let url = talk.lines().find(|line| line.contains("/authorize?")).unwrap();
        let called = desktop.called();
        assert_eq!(called.iter().map(|call| call[0].as_str()).collect::<Vec<_>>(), *expected);
        assert!(url.contains("x=a%3Db%26c%25d%3Be"), "{url}");
        let literal = format!("Start-Process -FilePath '{url}'");
        let arguments = match expected[0] {
            "wslview" => vec![url],
            _ => vec!["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", &literal],
        };
        assert_eq!(called[0][1..], arguments, "{variables:?}");
    }
}

#[test]
fn p22_where_wslview_fails_powershell_is_tried_and_then_the_address_is_enough() {
    let desktop = Desktop::new();
    desktop.install("wslview", "exit 1\n");
    desktop.install("powershell.exe", "exit 1\n");
    desktop.install("explorer.exe", "exit 0\n");
    let talk = desktop.waits(&[], &[("WSL_DISTRO_NAME", "Ubuntu")]);
    let names: Vec<String> = desktop.called().into_iter().map(|mut call| call.remove(0)).collect();
    assert_eq!(names, ["wslview", "powershell.exe"]);
    assert_eq!(failures(&talk).len(), 1, "{talk}");
}

#[test]
fn n18_p23_what_a_hostile_server_names_is_never_opened() {
    for endpoint in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "smb://198.51.100.7/share",
        "calculator:",
        "--help",
        "-flag",
        "$(id)",
        "\";touch x;\"",
        "'https://a.example'",
        "x-fish:%0d%0a",
        "https://a b",
        "https://a.example/\n--help",
        "https://a.example/\r\n",
        "http://a.example/authorize",
        "https://user:password@a.example/",
        "https://a.example/#f",
        "",
    ] {
        let desktop = Desktop::with(&["xdg-open"]);
        let server = ScriptedServer::start();
        let issuer = server.origin();
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint,
            "token_endpoint": format!("{issuer}/token"),
        });
        server.always("/.well-known/openid-configuration", Response::json(200, &metadata));
        let at = ["login", "--issuer", &issuer, "--client-id", CLIENT, "--timeout", SHORT];
        let call = desktop.sandbox.hallpass(&at).env("PATH", &desktop.path("")).envs(&[X11]);
        let outcome = call.run();
        assert_eq!(outcome.code, 3, "{endpoint}: {outcome:#?}");
        assert_eq!(desktop.called(), <[Vec<String>; 0]>::default());
    }
}
