//! The real program on both flavours of the runtime, and what Ctrl-C does to it.
#![cfg(unix)] // the browser is a shell script, and Ctrl-C a signal

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hallpass::{Environment, Hallpass};
use hallpass_dev::DevServer;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const FLAVOURS: [&[&str]; 2] = [&[], &["--multi-thread"]];

/// A person's machine: an empty home, and a browser that writes down where it was sent.
struct Machine {
    home: TempDir,
    issuer: String,
    flavour: &'static [&'static str],
}

impl Machine {
    fn new(server: &DevServer, flavour: &'static [&'static str]) -> Machine {
        let home = tempfile::tempdir().unwrap();
        // Renamed into place, so that nobody reads half an address.
        let script = "cd \"$(dirname \"$0\")\" && printf %s \"$1\" > url.new && mv url.new url\n";
        fs::write(home.path().join("browser.sh"), script).unwrap();
        Machine { home, issuer: server.issuer().to_owned(), flavour }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn begin(&self, verb: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mytool-tokio"));
        command.arg(verb).args(self.flavour);
        command.env_clear().env("HOME", self.path()).env("PATH", "/usr/bin:/bin");
        command.env("BROWSER", format!("sh {}/browser.sh", self.path().display()));
        command.env("MYTOOL_ISSUER", &self.issuer);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn run(&self, verb: &str) -> Outcome {
        self.begin(verb).wait_with_output().unwrap().into()
    }

    /// Starts a login and waits until the browser was opened.
    fn begin_login(&self) -> (Child, String) {
        let child = self.begin("login");
        let url = self.path().join("url");
        let start = Instant::now();
        while !url.exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "no browser was opened");
            std::thread::sleep(Duration::from_millis(10));
        }
        (child, fs::read_to_string(url).unwrap())
    }

    fn login(&self, server: &DevServer) -> Outcome {
        let (child, url) = self.begin_login();
        server.visit(&url).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// What another process of the same program sees.
    fn pass(&self) -> Hallpass {
        let home = Environment::from_variables([("HOME", self.path().to_str().unwrap())]);
        Hallpass::builder("mytool-tokio", &self.issuer, "demo").environment(home).build().unwrap()
    }
}

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    #[track_caller]
    fn ends(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

fn press_ctrl_c(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

#[test]
fn from_login_to_logout_on_both_flavours() {
    let server = DevServer::start().unwrap();
    for flavour in FLAVOURS {
        let machine = Machine::new(&server, flavour);
        assert!(machine.login(&server).ends(0).stderr.ends_with("Successfully logged in!\n"));
        assert_eq!(machine.run("whoami").ends(0).stdout, "Logged in as: test@example.com\n");
        assert!(machine.run("me").ends(0).stdout.contains("\"email\":\"test@example.com\""));
        assert_eq!(machine.run("logout").ends(0).stderr, "Logged out; the server revoked the tokens.\n");
        assert!(machine.run("whoami").ends(4).stderr.ends_with("run: mytool-tokio login\n"));
    }
}

#[test]
fn a_token_that_is_about_to_expire_is_renewed_on_both_flavours() {
    let server = DevServer::builder().token_ttl(Duration::from_secs(6)).start().unwrap();
    let machines = FLAVOURS.map(|flavour| Machine::new(&server, flavour));
    machines.iter().for_each(|machine| drop(machine.login(&server).ends(0)));
    // Half of such a short life is what the library lets pass.
    std::thread::sleep(Duration::from_millis(3100));
    for machine in &machines {
        server.journal().clear();
        machine.run("me").ends(0);
        assert_eq!(server.journal().entries()[0].path, "/token");
    }
}

#[test]
fn a_token_that_the_api_refuses_is_renewed_once_and_the_call_repeated_once() {
    let renewed = r#"{"access_token":"next","token_type":"Bearer","expires_in":3600,"refresh_token":"next"}"#;
    for flavour in FLAVOURS {
        for (last, code) in [("200 OK", 0), ("401 Unauthorized", 1)] {
            let server = DevServer::start().unwrap();
            let machine = Machine::new(&server, flavour);
            machine.login(&server).ends(0);
            let script = [("401 Unauthorized", ""), ("200 OK", renewed), (last, "{}")];
            let listener = in_place_of(server);
            let play =
                std::thread::spawn(move || script.map(|(status, body)| answer(&listener, status, body)));
            let me = machine.run("me").ends(code);
            assert!(code == 0 || me.stderr.contains("the API call failed") && me.stderr.contains("401"));
            let requests = play.join().unwrap();
            assert!(requests[0].starts_with("GET /userinfo ") && requests[1].starts_with("POST /token "));
            assert!(requests[2].starts_with("GET /userinfo ") && requests[2].contains("Bearer next\r\n"));
        }
    }
}

#[test]
fn ctrl_c_ends_the_wait_for_the_browser_within_a_second() {
    let server = DevServer::start().unwrap();
    for flavour in FLAVOURS {
        let machine = Machine::new(&server, flavour);
        let (child, _) = machine.begin_login();
        let pressed = Instant::now();
        press_ctrl_c(&child);
        let login = Outcome::from(child.wait_with_output().unwrap()).ends(130);
        assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
        assert!(login.stderr.ends_with("error: cancelled\n"), "{}", login.stderr);
        machine.run("whoami").ends(4);
    }
}

#[test]
fn ctrl_c_ends_a_call_that_the_api_does_not_answer_within_a_second() {
    for flavour in FLAVOURS {
        let server = DevServer::start().unwrap();
        let machine = Machine::new(&server, flavour);
        machine.login(&server).ends(0);
        let silent = in_place_of(server);
        let child = machine.begin("me");
        let _call = request_of(&silent);
        let pressed = Instant::now();
        press_ctrl_c(&child);
        Outcome::from(child.wait_with_output().unwrap()).ends(130);
        assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
    }
}

/// The refresh token is good for one use, so what the server gives for it must not get lost.
#[test]
fn ctrl_c_during_a_refresh_keeps_what_the_server_gave() {
    for flavour in FLAVOURS {
        let server = DevServer::builder().token_ttl(Duration::from_secs(1)).start().unwrap();
        let machine = Machine::new(&server, flavour);
        machine.login(&server).ends(0);
        let slow = in_place_of(server);
        std::thread::sleep(Duration::from_millis(600));
        let child = machine.begin("me");
        let refresh = request_of(&slow);
        press_ctrl_c(&child);
        std::thread::sleep(Duration::from_millis(300));
        grant(refresh, "the-new-one");
        Outcome::from(child.wait_with_output().unwrap()).ends(130);
        assert_eq!(machine.pass().access_token().unwrap().expose(), "the-new-one");
    }
}

/// Another server on the same port, with nothing to say of its own.
fn in_place_of(server: DevServer) -> TcpListener {
    let port = server.port();
    server.stop();
    TcpListener::bind(("127.0.0.1", port)).unwrap()
}

/// The next connection, once something was sent on it.
fn request_of(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    let _ = stream.read(&mut [0; 4096]).unwrap();
    stream
}

fn grant(mut stream: TcpStream, access_token: &str) {
    let body = format!(
        r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600,"refresh_token":"next"}}"#
    );
    write_answer(&mut stream, "200 OK", &body);
}

fn write_answer(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
}

/// Answers the next connection; the request that came on it.
fn answer(listener: &TcpListener, status: &str, body: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut request, mut piece) = (String::new(), [0; 4096]);
    while !request.contains("\r\n\r\n") || (request.starts_with("POST") && !request.contains("client_id=")) {
        let count = stream.read(&mut piece).unwrap();
        request.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
    write_answer(&mut stream, status, body);
    request
}
