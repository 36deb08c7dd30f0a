//! The real program on both flavors of the tokio runtime, and the effect of Ctrl-C.
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

const FLAVORS: [&[&str]; 2] = [&[], &["--multi-thread"]];

/// A user's machine: an empty home directory, and a browser that records the URL it is opened with.
struct Machine {
    home: TempDir,
    issuer: String,
    flavor: &'static [&'static str],
}

impl Machine {
    fn new(server: &DevServer, flavor: &'static [&'static str]) -> Machine {
        let home = tempfile::tempdir().unwrap();
        // Renamed into place, so that the URL is never read half-written.
        let script = "cd \"$(dirname \"$0\")\" && printf %s \"$1\" > url.new && mv url.new url\n";
        fs::write(home.path().join("browser.sh"), script).unwrap();
        Machine { home, issuer: server.issuer().to_owned(), flavor }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn begin(&self, verb: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mytool-tokio"));
        command.arg(verb).args(self.flavor);
        command.env_clear().env("HOME", self.path()).env("PATH", "/usr/bin:/bin");
        command.env("BROWSER", format!("sh {}/browser.sh", self.path().display()));
        command.env("MYTOOL_ISSUER", &self.issuer);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn run(&self, verb: &str) -> Outcome {
        self.begin(verb).wait_with_output().unwrap().into()
    }

    /// Starts a login, waits for the browser to open and returns the authorization URL.
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

    /// Returns the session as another process of the same program sees it.
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
    fn exits_with(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

fn press_ctrl_c(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

#[test]
fn from_login_to_logout_on_both_flavors() {
    let server = DevServer::start().unwrap();
    for flavor in FLAVORS {
        let machine = Machine::new(&server, flavor);
        assert!(machine.login(&server).exits_with(0).stderr.ends_with("Successfully logged in!\n"));
        assert_eq!(machine.run("whoami").exits_with(0).stdout, "Logged in as: test@example.com\n");
        assert!(machine.run("me").exits_with(0).stdout.contains("\"email\":\"test@example.com\""));
        assert_eq!(
            machine.run("logout").exits_with(0).stderr,
            "Logged out; the server revoked the tokens.\n"
        );
        assert!(machine.run("whoami").exits_with(4).stderr.ends_with("run: mytool-tokio login\n"));
    }
}

#[test]
fn an_expiring_token_is_refreshed_on_both_flavors() {
    let server = DevServer::builder().token_ttl(Duration::from_secs(6)).start().unwrap();
    let machines = FLAVORS.map(|flavor| Machine::new(&server, flavor));
    machines.iter().for_each(|machine| drop(machine.login(&server).exits_with(0)));
    // A token with such a short lifetime is refreshed once half of it has passed.
    std::thread::sleep(Duration::from_millis(3100));
    for machine in &machines {
        server.journal().clear();
        machine.run("me").exits_with(0);
        assert_eq!(server.journal().entries()[0].path, "/token");
    }
}

#[test]
fn a_401_from_the_api_causes_one_refresh_and_one_retry() {
    let refreshed =
        r#"{"access_token":"next","token_type":"Bearer","expires_in":3600,"refresh_token":"next"}"#;
    for flavor in FLAVORS {
        for (last, code) in [("200 OK", 0), ("401 Unauthorized", 1)] {
            let server = DevServer::start().unwrap();
            let machine = Machine::new(&server, flavor);
            machine.login(&server).exits_with(0);
            let script = [("401 Unauthorized", ""), ("200 OK", refreshed), (last, "{}")];
            let listener = in_place_of(server);
            let api =
                std::thread::spawn(move || script.map(|(status, body)| respond(&listener, status, body)));
            let me = machine.run("me").exits_with(code);
            assert!(code == 0 || me.stderr.contains("the API call failed") && me.stderr.contains("401"));
            let requests = api.join().unwrap();
            assert!(requests[0].starts_with("GET /userinfo ") && requests[1].starts_with("POST /token "));
            assert!(requests[2].starts_with("GET /userinfo ") && requests[2].contains("Bearer next\r\n"));
        }
    }
}

#[test]
fn ctrl_c_ends_the_wait_for_the_browser_within_a_second() {
    let server = DevServer::start().unwrap();
    for flavor in FLAVORS {
        let machine = Machine::new(&server, flavor);
        let (child, _) = machine.begin_login();
        let pressed = Instant::now();
        press_ctrl_c(&child);
        let login = Outcome::from(child.wait_with_output().unwrap()).exits_with(130);
        assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
        assert!(login.stderr.ends_with("error: cancelled\n"), "{}", login.stderr);
        machine.run("whoami").exits_with(4);
    }
}

#[test]
fn ctrl_c_cancels_a_pending_api_call_within_a_second() {
    for flavor in FLAVORS {
        let server = DevServer::start().unwrap();
        let machine = Machine::new(&server, flavor);
        machine.login(&server).exits_with(0);
        let silent = in_place_of(server);
        let child = machine.begin("me");
        let _call = request_of(&silent);
        let pressed = Instant::now();
        press_ctrl_c(&child);
        Outcome::from(child.wait_with_output().unwrap()).exits_with(130);
        assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
    }
}

/// The old refresh token works only once, so the new one must not be lost.
#[test]
fn ctrl_c_during_a_refresh_saves_the_new_tokens() {
    for flavor in FLAVORS {
        let server = DevServer::builder().token_ttl(Duration::from_secs(1)).start().unwrap();
        let machine = Machine::new(&server, flavor);
        machine.login(&server).exits_with(0);
        let slow = in_place_of(server);
        std::thread::sleep(Duration::from_millis(600));
        let child = machine.begin("me");
        let refresh = request_of(&slow);
        press_ctrl_c(&child);
        std::thread::sleep(Duration::from_millis(300));
        grant(refresh, "the-new-one");
        Outcome::from(child.wait_with_output().unwrap()).exits_with(130);
        assert_eq!(machine.pass().access_token().unwrap().expose(), "the-new-one");
    }
}

/// Returns a listener on the port of `server`, which is stopped.
fn in_place_of(server: DevServer) -> TcpListener {
    let port = server.port();
    server.stop();
    TcpListener::bind(("127.0.0.1", port)).unwrap()
}

/// Returns the next connection, once it has received something.
fn request_of(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    let _ = stream.read(&mut [0; 4096]).unwrap();
    stream
}

fn grant(mut stream: TcpStream, access_token: &str) {
    let body = format!(
        r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600,"refresh_token":"next"}}"#
    );
    write_response(&mut stream, "200 OK", &body);
}

fn write_response(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
}

/// Responds to the next connection and returns its request.
fn respond(listener: &TcpListener, status: &str, body: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut request, mut piece) = (String::new(), [0; 4096]);
    while !request.contains("\r\n\r\n") || (request.starts_with("POST") && !request.contains("client_id=")) {
        let count = stream.read(&mut piece).unwrap();
        request.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
    write_response(&mut stream, status, body);
    request
}
