//! A login on a terminal: what is pasted there, what the keys do, and that the terminal is afterwards as it was before.

use std::env;
use std::process::Command;
use std::time::Duration;

use hallpass::{Hallpass, LoginEvent, LoginUi, Storage, Terminal};
use hallpass_dev::DevServer;
use hallpass_test::command::pty::{CTRL_C, CTRL_Z, OnPty, Pty};
use hallpass_test::command::{CLIENT, CommandSandbox, param};
use hallpass_test::ports::is_free;
use hallpass_test::scripted_server::{Response, ScriptedServer};
use rustix::process::Signal;
use url::Url;

use crate::new_sandbox;
use crate::reverse_proxy::ReverseProxy;

/// Pain P13 asks for 300 ms; a busy machine gets more.
const AT_ONCE: Duration = Duration::from_secs(1);

const EXPLAINED: &str = "Never paste it anywhere else.";

/// A user at a terminal, and a server whose token endpoint responds when the test says so.
struct TerminalSetup {
    sandbox: CommandSandbox,
    server: DevServer,
    proxy: ReverseProxy,
    pty: Pty,
    usual: String,
}

impl TerminalSetup {
    fn new() -> TerminalSetup {
        TerminalSetup::of(100)
    }

    fn of(columns: u16) -> TerminalSetup {
        let server = DevServer::start().unwrap();
        let (proxy, pty) = (ReverseProxy::in_front_of(server.port()), Pty::new(columns));
        let usual = pty.modes();
        TerminalSetup { sandbox: new_sandbox(), server, proxy, pty, usual }
    }

    fn command(&self, args: &[&str]) -> Command {
        let token = format!("token={}", self.proxy.url("/token"));
        let args = [&["--endpoint", &token], args].concat();
        self.sandbox.login_at(&self.server, &args).env("TERM", "xterm").into_command()
    }

    fn login(&self, args: &[&str]) -> OnPty<'_> {
        self.pty.start(&self.command(args))
    }

    /// The address on which a browser would end that is not on this computer.
    fn landed(&self, url: &str) -> Url {
        self.server.robot().without_landing().visit(url).unwrap().landed
    }

    #[track_caller]
    fn is_as_before(&self) {
        assert_eq!(self.pty.modes(), self.usual);
    }
}

fn is_port_closed(url: &str) -> bool {
    let redirect_uri = Url::parse(&param(url, "redirect_uri").unwrap()).unwrap();
    is_free(("127.0.0.1", redirect_uri.port().unwrap()))
}

#[test]
fn p17_a_paste_of_8_and_of_64_kibibytes_is_received_whole_and_never_shown() {
    for length in [8 << 10, 64 << 10] {
        let setup = TerminalSetup::new();
        let mut login = setup.login(&[]);
        let mut landed = setup.landed(&login.url()).to_string();
        landed.push_str("&padding=");
        landed.extend(std::iter::repeat_n('x', length - landed.len()));
        login.wait_for(EXPLAINED);
        setup.pty.keys(&landed);
        login.wait_for(&format!("· {length} characters · press Enter"));
        setup.pty.keys("\r");
        assert_eq!(login.end().0, 0, "{}", setup.pty.shown());
        let shown = setup.pty.shown();
        assert!(shown.contains(&format!("Received {length} characters.")), "{shown}");
        assert!(shown.contains("Successfully logged in!"), "{shown}");
        assert!(!shown.contains("padding") && !shown.contains(&param(&landed, "code").unwrap()), "{shown}");
        setup.is_as_before();
    }
}

#[test]
fn p16_an_address_its_query_with_and_without_the_mark_and_a_bracketed_paste_finish_the_login() {
    let forms: [fn(&Url) -> String; 4] = [
        |landed| format!("  {landed} \n"),
        |landed| format!("?{}\r", landed.query().unwrap()),
        |landed| format!("{}\r\n", landed.query().unwrap()),
        |landed| format!("\u{1b}[200~{landed}\u{1b}[201~"),
    ];
    for form in forms {
        let setup = TerminalSetup::new();
        let mut login = setup.login(&[]);
        let landed = setup.landed(&login.url());
        login.wait_for(EXPLAINED);
        setup.pty.keys(&form(&landed));
        assert_eq!(login.end().0, 0, "{}", setup.pty.shown());
        setup.is_as_before();
    }
}

#[test]
fn p16_what_is_pasted_by_mistake_is_told_why_and_the_right_answer_still_counts() {
    let setup = TerminalSetup::new();
    let old = {
        let mut login = setup.login(&["--timeout", "2s"]);
        let landed = setup.landed(&login.url());
        assert_eq!(login.end().0, 7, "{}", setup.pty.shown());
        landed
    };
    let other = Pty::new(80);
    let mut login = other.start(&setup.command(&[]));
    let url = login.url();
    let landed = setup.landed(&url);
    login.wait_for(EXPLAINED);
    let code = param(landed.as_str(), "code").unwrap();
    for (mistake, reason) in [
        ("hallpass token", "That's not the sign-in URL."),
        (url.as_str(), "That's the URL to open."),
        (old.as_str(), "That URL belongs to another sign-in,"),
        (&landed.as_str()[..landed.as_str().find("&state").unwrap()], "That URL is incomplete."),
        (&code, "That's only the code."),
    ] {
        other.keys(&format!("{mistake}\r"));
        login.wait_for(reason);
    }
    other.keys(&format!("{landed}\r"));
    assert_eq!(login.end().0, 0, "{}", other.shown());
    assert_eq!(other.modes(), setup.usual);
    setup.is_as_before();
}

#[test]
fn a_pasted_refusal_ends_the_login_as_a_callback_would() {
    let setup = TerminalSetup::new();
    let mut login = setup.login(&[]);
    let refused = setup.server.robot().deny().without_landing().visit(&login.url()).unwrap().landed;
    login.wait_for(EXPLAINED);
    setup.pty.keys(&format!("{refused}\r"));
    assert_eq!(login.end().0, 6, "{}", setup.pty.shown());
    setup.is_as_before();
}

#[test]
fn p12_the_time_left_is_shown_and_when_it_is_up_the_terminal_and_the_port_are_free() {
    let setup = TerminalSetup::of(40);
    let mut login = setup.login(&["--timeout", "2s"]);
    let url = login.url();
    login.wait_for("  0:01 left · Ctrl-C cancels");
    assert!(!setup.pty.is_usual());
    assert_eq!(login.end().0, 7);
    assert!(setup.pty.shown().contains("timed out after 2s"), "{}", setup.pty.shown());
    assert!(is_port_closed(&url));
    setup.is_as_before();
}

/// The stages of a login at which a key can be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Metadata,
    Person,
    OtherLogin,
    TokenEndpoint,
}

const STAGES: [Stage; 4] = [Stage::Metadata, Stage::Person, Stage::OtherLogin, Stage::TokenEndpoint];

/// A login that has come so far and stays there, above an older sign-in.
fn stuck(setup: &TerminalSetup, stage: Stage, then: impl FnOnce(OnPty)) {
    setup.sandbox.sign_in(&setup.server, &[]);
    match stage {
        Stage::Metadata => {
            let silent = ScriptedServer::start();
            silent.always("/.well-known/openid-configuration", Response::never());
            let to =
                ["--profile", "default", "--replace", "--issuer", &silent.origin(), "--client-id", CLIENT];
            let command = setup.sandbox.login(&to).into_command();
            let mut login = setup.pty.start(&command);
            login.wait_until("a question", |_| !silent.requests().is_empty());
            then(login);
        }
        Stage::Person => {
            let mut login = setup.login(&[]);
            login.wait_for(EXPLAINED);
            then(login);
        }
        Stage::OtherLogin => {
            let other = Pty::new(80);
            let mut first = other.start(&setup.command(&[]));
            first.url();
            let mut login = setup.login(&[]);
            login.wait_for("is already signing in");
            then(login);
        }
        Stage::TokenEndpoint => {
            let _never = setup.proxy.hold(None);
            let mut login = setup.login(&[]);
            let landed = setup.landed(&login.url());
            login.wait_for(EXPLAINED);
            setup.pty.keys(&format!("{landed}\r"));
            login.wait_for("Finishing sign-in...");
            setup.proxy.await_held(1);
            then(login);
        }
    }
}

#[test]
fn n34_p13_ctrl_c_at_every_stage_ends_with_130_and_all_is_as_it_was() {
    for stage in STAGES {
        let setup = TerminalSetup::new();
        stuck(&setup, stage, |login| {
            let before = setup.sandbox.files();
            setup.pty.keys(CTRL_C);
            let (code, took) = login.end();
            let shown = setup.pty.shown();
            assert_eq!(code, 130, "{stage:?}: {shown}");
            assert!(took < AT_ONCE, "{stage:?}: {took:?}");
            assert_eq!(setup.sandbox.files(), before, "{stage:?}");
            if stage == Stage::Person {
                assert!(is_port_closed(&shown_url(&shown)));
            }
            assert!(shown.contains("Cancelled; nothing was changed."), "{stage:?}: {shown}");
            setup.is_as_before();
        });
    }
}

fn shown_url(shown: &str) -> String {
    shown.lines().map(str::trim).find(|line| line.starts_with("http")).unwrap().to_owned()
}

#[test]
fn p13_other_signals_leave_the_terminal_as_it_was() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let setup = TerminalSetup::new();
        let mut login = setup.login(&[]);
        login.wait_for(EXPLAINED);
        setup.pty.keys("half an answ");
        login.signal(signal);
        assert_eq!(login.end().0, code, "{}", setup.pty.shown());
        setup.is_as_before();
    }
}

/// As from a wrapper that hands on what the terminal sent already.
#[test]
fn p13_a_second_signal_that_ends_it_at_once_leaves_the_terminal_as_it_was_too() {
    for _ in 0..5 {
        let setup = TerminalSetup::new();
        let mut login = setup.login(&[]);
        login.wait_for(EXPLAINED);
        login.signal(Signal::INT);
        login.signal(Signal::TERM);
        assert!([130, 143].contains(&login.end().0), "{}", setup.pty.shown());
        setup.is_as_before();
    }
}

#[test]
fn p17_events_for_a_program_and_a_paste_on_the_terminal_go_together() {
    let setup = TerminalSetup::new();
    let mut login = setup.login(&["--json", "--paste"]);
    login.wait_for("\"event\":\"waiting\"");
    login.wait_until("our modes", |pty| !pty.is_usual());
    let shown = setup.pty.shown();
    let url = shown.split('"').find(|text| text.contains("/authorize?")).unwrap();
    setup.pty.keys(&format!("{}\r", setup.landed(url)));
    assert_eq!(login.end().0, 0, "{}", setup.pty.shown());
    setup.is_as_before();
}

/// An interactive shell on the setup's terminal.
fn shell(setup: &TerminalSetup) -> OnPty<'_> {
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "--noediting", "-i"]);
    let command = setup.sandbox.call(bash).env("TERM", "xterm").env("PS1", "READY ").into_command();
    let mut shell = setup.pty.start(&command);
    shell.wait_for("READY ");
    shell
}

/// The command line as a user types it.
fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ")
}

#[test]
fn p13_ctrl_z_gives_the_shell_its_terminal_and_fg_takes_it_again() {
    let setup = TerminalSetup::new();
    let mut shell = shell(&setup);
    setup.pty.keys(&format!("{}; echo code-$?\r", typed(&setup.command(&[]))));
    let url = shell.url();
    shell.wait_for(EXPLAINED);
    assert!(!setup.pty.is_usual());
    setup.pty.keys(CTRL_Z);
    shell.wait_for("Stopped");
    shell.wait_until("the shell's modes", Pty::is_usual);
    setup.pty.keys("echo nine-$((4+5))\r");
    shell.wait_for("nine-9");
    setup.pty.keys("fg; echo code-$?\r");
    shell.wait_until("our modes", |pty| !pty.is_usual());
    setup.pty.keys(&format!("{}\r", setup.landed(&url)));
    shell.wait_for("Successfully logged in!");
    shell.wait_for("code-0");
    setup.is_as_before();
}

#[test]
fn p13_in_the_background_nothing_stops_the_login_and_it_leaves_the_terminal_alone() {
    let setup = TerminalSetup::new();
    let mut shell = shell(&setup);
    setup.pty.keys(&format!("{} &\r", typed(&setup.command(&[]))));
    let url = shell.url();
    shell.wait_for("Waiting for callback");
    setup.pty.keys("sleep 1.5; jobs; echo nine-$((4+5))\r");
    shell.wait_for("nine-9");
    let shown = setup.pty.shown();
    assert!(shown.contains("Running") && !shown.contains(EXPLAINED) && !shown.contains("left ·"), "{shown}");
    setup.is_as_before();
    setup.pty.keys("fg; echo code-$?\r");
    shell.wait_for(EXPLAINED);
    setup.pty.keys(CTRL_Z);
    shell.wait_for("Stopped");
    setup.pty.keys("bg\r");
    setup.server.robot().visit(&url).unwrap();
    shell.wait_for("Successfully logged in!");
    setup.pty.keys("wait; echo after\r");
    shell.wait_for("\nafter");
    setup.is_as_before();
}

#[test]
fn what_is_typed_once_the_answer_is_there_is_left_for_the_shell() {
    let setup = TerminalSetup::new();
    let release = setup.proxy.hold(None);
    let mut login = setup.login(&[]);
    let landed = setup.landed(&login.url());
    login.wait_for(EXPLAINED);
    setup.pty.keys(&format!("{landed}\r"));
    login.wait_for("Finishing sign-in...");
    setup.is_as_before();
    setup.pty.keys("ls -l\r");
    drop(release);
    assert_eq!(login.end().0, 0, "{}", setup.pty.shown());
    assert_eq!(setup.pty.left_over(), "ls -l\n");
}

#[test]
fn n34_p12_a_server_that_says_nothing_takes_no_more_than_the_time_for_the_whole() {
    let setup = TerminalSetup::of(40);
    let silent = ScriptedServer::start();
    silent.always("/.well-known/openid-configuration", Response::never());
    let to = ["--issuer", &silent.origin(), "--client-id", CLIENT, "--timeout", "1s"];
    let mut login = setup.pty.start(&setup.sandbox.login(&to).env("TERM", "xterm").into_command());
    login.wait_for("  Contacting 127.0.0.1");
    let (code, took) = login.end();
    assert_eq!(code, 7, "{}", setup.pty.shown());
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(setup.sandbox.opened().is_empty());
    setup.is_as_before();
}

#[test]
fn p18_on_40_columns_the_address_is_one_unbroken_run_of_bytes() {
    for variables in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "dumb")]] {
        let setup = TerminalSetup::of(40);
        let at = ["--issuer", setup.server.issuer(), "--client-id", CLIENT, "--timeout", "2s"];
        let login = setup.sandbox.login(&at).env("TERM", "xterm").envs(variables).into_command();
        assert_eq!(setup.pty.start(&login).end().0, 7);
        let shown = setup.pty.shown();
        let url = setup.sandbox.opened().pop().unwrap();
        assert!(shown.contains(&format!("\r\n\r\n{url}\r\n\r\n")), "{variables:?}: {shown:?}");
        assert!(!url.contains(|c: char| c.is_whitespace() || c.is_control()));
        let is_dumb = variables.contains(&("TERM", "dumb"));
        assert_eq!(shown.contains('\u{1b}'), !is_dumb, "{variables:?}: {shown:?}");
        let live = shown.split(['\r', '\n']).filter(|line| line.contains("left ·"));
        assert!(live.map(|line| line.replace("\u{1b}[K", "")).all(|line| line.chars().count() <= 40));
        setup.is_as_before();
    }
}

/// Decodes a QR code from the lines of a terminal, with half a character for each point. `is_ink_dark` says whether the
/// characters are the dark points.
fn read_by_a_camera(lines: &[&str], is_ink_dark: bool) -> String {
    const POINT: usize = 4;
    let rows: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
    let is_dark = |x: usize, y: usize| {
        let (x, y) = (x / POINT, y / POINT);
        let ink = if y % 2 == 0 { ['█', '▀'] } else { ['█', '▄'] };
        ink.contains(&rows[y / 2][x]) == is_ink_dark
    };
    let (width, height) = (rows[0].len() * POINT, rows.len() * 2 * POINT);
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(width, height, is_dark);
    let found = image.detect_grids().first().expect("a picture").decode().unwrap();
    found.1
}

#[test]
fn p16_a_phone_reads_the_address_with_the_code_from_the_picture() {
    const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
    for variables in [&[][..], &[("NO_COLOR", "1")]] {
        let setup = TerminalSetup::of(40);
        let at = ["--issuer", setup.server.issuer(), "--client-id", CLIENT, "--timeout", "2s"];
        let login = setup.sandbox.hallpass(&[&["login", "--device"], &at[..]].concat());
        let login = login.env("TERM", "xterm").envs(variables).into_command();
        assert_eq!(setup.pty.start(&login).end().0, 7);
        let shown = setup.pty.shown();
        let picture = |line: &&str| line.contains('█') || line.contains('▄') || line.contains('▀');
        let lines: Vec<&str> = shown.lines().filter(picture).collect();
        let is_coloured = lines[0].starts_with(BLACK_ON_WHITE);
        assert_eq!(is_coloured, variables.is_empty(), "{shown}");
        let bare: Vec<&str> = lines
            .iter()
            .map(|line| line.trim_start_matches(BLACK_ON_WHITE).trim_end_matches("\u{1b}[0m"))
            .collect();
        assert!(bare.iter().all(|line| line.chars().count() <= 40), "{shown}");
        let address = read_by_a_camera(&bare, is_coloured);
        let code = param(&address, "user_code").unwrap();
        assert!(address.starts_with(&format!("{}/device?", setup.server.issuer())), "{address}");
        assert!(shown.contains(&format!("\r\n    {code}\r\n")), "{code}: {shown}");
        setup.is_as_before();
    }
}

/// A person's program whose own words go wrong in the middle of a login.
struct Clumsy(Terminal);

impl LoginUi for Clumsy {
    fn event(&mut self, event: LoginEvent) {
        let is_waiting = matches!(event, LoginEvent::Waiting { .. });
        self.0.event(event);
        assert!(!is_waiting, "clumsy");
    }

    fn pasted(&mut self) -> Option<std::sync::mpsc::Receiver<String>> {
        self.0.pasted()
    }
}

fn sign_in_clumsily() {
    let server = DevServer::start().unwrap();
    let builder = Hallpass::builder("clumsy", server.issuer(), "demo").storage(Storage::Memory);
    let pass = builder.browser(|_: &str| Ok(())).build().unwrap();
    let _ = pass.login(&mut Clumsy(Terminal::stderr()));
}

#[test]
fn p13_a_panic_leaves_the_terminal_as_it_was() {
    const ON_THE_TERMINAL: &str = "HALLPASS_TEST_ON_THE_TERMINAL";
    if env::var_os(ON_THE_TERMINAL).is_some() {
        return sign_in_clumsily();
    }
    let (sandbox, pty) = (new_sandbox(), Pty::new(80));
    let usual = pty.modes();
    let mut this = Command::new(env::current_exe().unwrap());
    this.args(["--exact", "terminal::p13_a_panic_leaves_the_terminal_as_it_was", "--nocapture"]);
    let (code, _) = pty.start(&sandbox.call(this).env(ON_THE_TERMINAL, "1").into_command()).end();
    let shown = pty.shown();
    assert!(code == 101 && shown.contains(EXPLAINED) && shown.contains("clumsy"), "{shown}");
    assert_eq!(pty.modes(), usual);
}
