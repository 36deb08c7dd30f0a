//! The real program against a development server, each time with a home of its own.
#![cfg(unix)] // the browser is a shell script

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hallpass::{Environment, Hallpass};
use hallpass_dev::{DevServer, Robot, Visit};
use tempfile::TempDir;

/// A person's machine: an empty home, and a browser that writes down where it was sent.
struct Machine {
    home: TempDir,
    issuer: String,
}

impl Machine {
    fn new(server: &DevServer) -> Machine {
        let home = tempfile::tempdir().unwrap();
        // Renamed into place, so that nobody reads half an address.
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

    /// Starts a login and waits until the browser was opened.
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

    /// What another process of the same program sees.
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
    fn ends(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

#[test]
fn from_login_to_logout() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);

    let (login, visit) = machine.login(&server.robot());
    let login = login.ends(0);
    assert!(
        login.stdout.is_empty() && login.stderr.ends_with("Successfully logged in!\n"),
        "{}",
        login.stderr
    );
    assert!(visit.body.contains("You are signed in · MyTool") && visit.body.contains("#0f766e"));

    assert_eq!(machine.run("whoami").ends(0).stdout, "Logged in as: test@example.com\n");
    assert!(machine.run("me").ends(0).stdout.contains("\"email\":\"test@example.com\""));
    assert_eq!(machine.run("logout").ends(0).stderr, "Logged out; the server revoked the tokens.\n");
    assert_eq!(server.journal().count("/revoke"), 2);

    let after = machine.run("whoami").ends(4);
    assert!(after.stdout.is_empty() && after.stderr.ends_with("run: mytool login\n"), "{}", after.stderr);
    machine.run("me").ends(4);
    assert_eq!(machine.run("logout").ends(0).stderr, "Nobody was signed in.\n");
}

#[test]
fn a_token_that_the_api_refuses_is_renewed_once_and_the_call_repeated() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    machine.login(&server.robot()).0.ends(0);
    let token = machine.pass().access_token().unwrap();
    let form = [("token", token.expose()), ("client_id", "demo")];
    ureq::post(format!("{}/revoke", server.issuer())).send_form(form).unwrap();
    server.journal().clear();

    machine.run("me").ends(0);
    let calls: Vec<_> = server.journal().requests_to("/userinfo").iter().map(|call| call.status).collect();
    assert_eq!(calls, [Some(401), Some(200)]);
    assert_eq!(server.journal().count("/token"), 1);
}

#[test]
fn a_session_that_the_server_ended_asks_for_a_login() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    machine.login(&server.robot()).0.ends(0);
    // The same sign-in, ended from elsewhere: the stored refresh token is dead.
    fs::copy(record(&machine), machine.path().join("kept")).unwrap();
    machine.run("logout").ends(0);
    fs::copy(machine.path().join("kept"), record(&machine)).unwrap();

    let me = machine.run("me").ends(4);
    assert!(
        me.stderr.contains("the server ended this session") && me.stderr.ends_with("run: mytool login\n")
    );
}

fn record(machine: &Machine) -> std::path::PathBuf {
    machine.pass().status().path.expect("a file keeps it")
}

#[test]
fn a_refusal_is_no_success() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    let (login, visit) = machine.login(&server.robot().deny());
    assert!(login.ends(1).stderr.contains("sign-in was refused"));
    assert_eq!(visit.status, 400);
    machine.run("whoami").ends(4);
}

#[test]
fn a_server_that_is_away_is_the_networks_affair() {
    let server = DevServer::start().unwrap();
    let machine = Machine::new(&server);
    server.stop();
    machine.run("login").ends(5);
}
