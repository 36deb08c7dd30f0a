//! The real program against a development server, in a new home directory for each test.
#![cfg(unix)] // the browser is a shell script

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hallpass::{Environment, Hallpass};
use hallpass_dev::{DevServer, Robot, Visit};
use tempfile::TempDir;

/// A user's machine: an empty home directory, and a browser that records the URL it is opened with.
struct Machine {
    home: TempDir,
    issuer: String,
}

impl Machine {
    fn new(server: &DevServer) -> Machine {
        let home = tempfile::tempdir().unwrap();
        // Renamed into place, so that the URL is never read half-written.
        let script = "cd \"$(dirname \"$0\")\" && printf %s \"$1\" > url.new && mv url.new url\n";
        fs::write(home.path().join("browser.sh"), script).unwrap();
        Machine { home, issuer: server.issuer().to_owned() }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn mytool(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mytool"));
        command.arg(verb).env_clear().env("HOME", self.path()).env("PATH", "/usr/bin:/bin");
        command.env("BROWSER", format!("sh {}/browser.sh", self.path().display()));
        command.env("MYTOOL_ISSUER", &self.issuer).stdin(Stdio::null());
        command
    }

    fn run(&self, verb: &str) -> Outcome {
        self.mytool(verb).output().unwrap().into()
    }

    /// Starts a login, waits for the browser to open and returns the authorization URL.
    fn begin_login(&self) -> (Child, String) {
        let url = self.path().join("url");
        let _ = fs::remove_file(&url);
        let child = self.mytool("login").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while !url.exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "no browser was opened");
            std::thread::sleep(Duration::from_millis(10));
        }
        (child, fs::read_to_string(url).unwrap())
    }

    fn login(&self, robot: &Robot) -> (Outcome, Visit) {
        let (child, url) = self.begin_login();
        let visit = robot.visit(&url).unwrap();
        (child.wait_with_output().unwrap().into(), visit)
    }

    /// Returns the session as another process of the same program sees it.
    fn pass(&self) -> Hallpass {
        let home = Environment::from_variables([("HOME", self.path().to_str().unwrap())]);
        Hallpass::builder("mytool", &self.issuer, "demo").environment(home).build().unwrap()
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

#[test]
fn from_login_to_logout() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);

    let (login, visit) = machine.login(&server.robot());
    let login = login.exits_with(0);
    assert!(
        login.stdout.is_empty() && login.stderr.ends_with("Successfully logged in!\n"),
        "{}",
        login.stderr
    );
    assert!(visit.body.contains("You are signed in · MyTool") && visit.body.contains("#0f766e"));

    assert_eq!(machine.run("whoami").exits_with(0).stdout, "Logged in as: test@example.com\n");
    assert!(machine.run("me").exits_with(0).stdout.contains("\"email\":\"test@example.com\""));
    assert_eq!(machine.run("logout").exits_with(0).stderr, "Logged out; the server revoked the tokens.\n");
    assert_eq!(server.journal().count("/revoke"), 2);

    let after = machine.run("whoami").exits_with(4);
    assert!(after.stdout.is_empty() && after.stderr.ends_with("run: mytool login\n"), "{}", after.stderr);
    machine.run("me").exits_with(4);
    assert_eq!(machine.run("logout").exits_with(0).stderr, "Not signed in.\n");
}

#[test]
fn a_401_from_the_api_causes_one_refresh_and_one_retry() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    machine.login(&server.robot()).0.exits_with(0);
    let token = machine.pass().access_token().unwrap();
    let form = [("token", token.expose()), ("client_id", "demo")];
    ureq::post(format!("{}/revoke", server.issuer())).send_form(form).unwrap();
    server.journal().clear();

    machine.run("me").exits_with(0);
    let calls: Vec<_> = server.journal().requests_to("/userinfo").iter().map(|call| call.status).collect();
    assert_eq!(calls, [Some(401), Some(200)]);
    assert_eq!(server.journal().count("/token"), 1);
}

#[test]
fn a_session_that_the_server_ended_needs_a_new_login() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    machine.login(&server.robot()).0.exits_with(0);
    // Logout revokes the refresh token; the restored record still has it.
    fs::copy(record(&machine), machine.path().join("kept")).unwrap();
    machine.run("logout").exits_with(0);
    fs::copy(machine.path().join("kept"), record(&machine)).unwrap();

    let me = machine.run("me").exits_with(4);
    assert!(
        me.stderr.contains("the server ended this session") && me.stderr.ends_with("run: mytool login\n")
    );
}

fn record(machine: &Machine) -> std::path::PathBuf {
    machine.pass().status().path.expect("the record is a file")
}

#[test]
fn a_denied_sign_in_fails() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    let (login, visit) = machine.login(&server.robot().deny());
    assert!(login.exits_with(1).stderr.contains("sign-in was refused"));
    assert_eq!(visit.status, 400);
    machine.run("whoami").exits_with(4);
}

#[test]
fn an_unreachable_server_is_a_network_error() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    server.stop();
    machine.run("login").exits_with(5);
}
