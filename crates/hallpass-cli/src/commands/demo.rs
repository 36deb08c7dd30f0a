//! `hallpass demo`: all of it in one command, against a server of its own.

use std::io::{self, IsTerminal};
use std::time::Duration;

use hallpass::browser::{Browser, Opener, SystemBrowser};
use hallpass::{Environment, Hallpass, Revocation, Session, Storage, Terminal, User};
use hallpass_dev::{DevServer, Robot};
use serde_json::{Value, json};

use crate::args::{Common, Demo};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::{json, say, signals};

/// Whoever does not come back from the browser by then gets to see the rest all the same.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn run(common: &Common, args: &Demo) -> Result<ExitCode, Failure> {
    let server = DevServer::start()
        .map_err(|error| Failure::Unexpected(format!("the demo's server did not start: {error}")))?;
    let home =
        tempfile::tempdir().map_err(|error| Failure::Unexpected(format!("no temporary folder: {error}")))?;
    let play = Play { server, is_alone: args.headless || nobody_is_watching(), as_json: common.json };
    let pass = play.pass(home.path())?;
    play.introduce();
    let session = play.sign_in(&pass)?;
    play.show_user(&pass, &session)?;
    play.renew(&pass)?;
    play.sign_out(&pass)?;
    drop(pass);
    home.close().map_err(|error| {
        Failure::Unexpected(format!("the temporary folder could not be removed: {error}"))
    })?;
    play.farewell();
    Ok(ExitCode::SUCCESS)
}

/// Without a terminal, and where nobody would see a browser beside it, nobody would press the buttons.
fn nobody_is_watching() -> bool {
    let opener = SystemBrowser::new(&Environment::from_process()).plan().opener;
    opener == Opener::None || opener.needs_terminal() || !io::stderr().is_terminal()
}

struct Play {
    server: DevServer,
    is_alone: bool,
    as_json: bool,
}

impl Play {
    fn pass(&self, home: &std::path::Path) -> Result<Hallpass, Failure> {
        let browser = DemoBrowser {
            own: (!self.is_alone).then(|| SystemBrowser::new(&Environment::from_process())),
            robot: self.server.robot(),
        };
        let builder = Hallpass::builder("demo", self.server.issuer(), "demo").state_dir(home);
        let pass = builder.storage(Storage::File).browser(browser).build()?;
        signals::mind(&pass);
        Ok(pass)
    }

    fn introduce(&self) {
        let issuer = self.server.issuer();
        if self.as_json {
            json::print_line(&json!({"event": "server", "issuer": issuer}));
        }
        self.talk(&format!(
            "A development authorization server is running at {issuer}, for this demo alone."
        ));
        if self.is_alone {
            self.talk("A robot plays the browser and presses the buttons.\n");
        } else {
            self.talk("Sign in as test@example.com with the password \"password\".\n");
        }
    }

    fn sign_in(&self, pass: &Hallpass) -> Result<Session, Failure> {
        let screen = if self.as_json { Screen::json() } else { Screen::words(self.terminal()) };
        screen.sign_in(pass)
    }

    /// A robot pastes nothing, and is done before there is a time to count down.
    fn terminal(&self) -> Terminal {
        match self.is_alone {
            true => Terminal::new(Box::new(io::stderr()), false),
            false => Terminal::stderr(),
        }
    }

    /// The record tells who it is; the journal shows that nobody was asked.
    fn show_user(&self, pass: &Hallpass, session: &Session) -> Result<(), Failure> {
        let asked = self.server.journal().entries().len();
        let user = pass.whoami()?;
        self.check(self.server.journal().entries().len() == asked, "whoami asked the server")?;
        let email = session.user().map(User::label).unwrap_or_default();
        if !self.as_json {
            say::success("Successfully logged in!");
            say::talk(&format!("Email: {email}\n"));
        }
        let text =
            format!("Logged in as: {} (read from the saved sign-in; the server was not asked)", user.label());
        self.step("whoami", json!({"event": "whoami", "user": json::user(&user)}), &text);
        Ok(())
    }

    /// A refresh that can be seen: another access token, and a refresh token that works once only.
    fn renew(&self, pass: &Hallpass) -> Result<(), Failure> {
        let before = pass.access_token()?;
        let after = pass.force_refresh()?;
        let is_new = before.secret() != after.secret();
        self.check(is_new && self.server.journal().count("/token") == 2, "the access token was not renewed")?;
        self.step(
            "token",
            json!({"event": "refreshed", "expires_at": json::time(after.expires_at())}),
            "Refreshed: a new access token, and a new refresh token in place of the spent one",
        );
        Ok(())
    }

    fn sign_out(&self, pass: &Hallpass) -> Result<(), Failure> {
        let report = pass.logout()?;
        let is_revoked = [&report.refresh_token, &report.access_token]
            .iter()
            .all(|outcome| **outcome == Revocation::Revoked);
        self.check(report.erased && is_revoked, "the logout was not confirmed")?;
        self.check(self.server.journal().count("/revoke") == 2, "the server was not told about the logout")?;
        self.check(pass.whoami().is_err(), "somebody is still signed in")?;
        self.step(
            "logout",
            json!({"event": "logged_out", "report": json::logout(&report)}),
            "The server revoked both tokens, and the saved sign-in is erased",
        );
        Ok(())
    }

    fn check(&self, is_true: bool, complaint: &str) -> Result<(), Failure> {
        if is_true { Ok(()) } else { Err(Failure::Unexpected(complaint.to_owned())) }
    }

    fn farewell(&self) {
        self.talk("\nNothing is left behind. To use it for real:\n  hallpass login --issuer https://login.example.com --client-id ID");
    }

    fn step(&self, verb: &str, event: Value, text: &str) {
        match self.as_json {
            true => json::print_line(&event),
            false => say::step(verb, text),
        }
    }

    fn talk(&self, text: &str) {
        if !self.as_json {
            say::talk(text);
        }
    }
}

/// The person's own browser first; the robot where there is none, and after a while. Once the sign-in is
/// done the demo ends, and this thread with it.
struct DemoBrowser {
    own: Option<SystemBrowser>,
    robot: Robot,
}

impl Browser for DemoBrowser {
    fn open(&self, url: &str) -> io::Result<()> {
        let Some(own) = &self.own else { return self.robot.visit(url).map(drop) };
        if let Err(error) = own.open(url) {
            say::over_status(&format!(
                "Could not open a browser ({error}). A robot signs in for you instead."
            ));
            return self.robot.visit(url).map(drop);
        }
        std::thread::sleep(PATIENCE);
        say::over_status("Nobody signed in for 90 seconds. A robot does it for you now.");
        self.robot.visit(url).map(drop)
    }
}
