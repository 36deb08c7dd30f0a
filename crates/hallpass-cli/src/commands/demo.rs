//! `hallpass demo`: a sign-in, a refresh and a sign-out against a server of its own.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use hallpass::browser::{Browser, Opener, SystemBrowser};
use hallpass::{Environment, Hallpass, Revocation, Session, Storage, Terminal, User};
use hallpass_dev::{DevServer, Robot};
use serde_json::{Value, json};

use crate::args::{Common, Demo};
use crate::commands::sign_in::sign_in;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::screen::Screen;
use crate::output::{json, say};
use crate::system::signals;

/// How long to wait for the user before the robot signs in instead.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn run(common: &Common, args: &Demo) -> Result<ExitCode, Failure> {
    let server = DevServer::start().map_err(|error| unexpected("start the demo server", &error))?;
    let home = tempfile::tempdir().map_err(|error| unexpected("create a temporary directory", &error))?;
    let opener = SystemBrowser::new(&Environment::from_process()).plan().opener;
    let can_show_browser = opener != Opener::None && !opener.needs_terminal() && io::stderr().is_terminal();
    let user = if can_show_browser && !args.headless { DemoUser::Human } else { DemoUser::Robot };
    let demo = Tour { server, user, as_json: common.json };
    let pass = demo.pass(home.path())?;
    demo.introduce();
    let session = demo.sign_in(&pass)?;
    demo.show_user(&pass, &session)?;
    demo.refresh(&pass)?;
    demo.sign_out(&pass)?;
    drop(pass);
    home.close().map_err(|error| unexpected("remove the temporary directory", &error))?;
    demo.say("\nNothing is left on this machine. To sign in to your own server:\n  hallpass login --issuer https://login.example.com --client-id ID");
    Ok(ExitCode::SUCCESS)
}

fn unexpected(action: &str, error: &io::Error) -> Failure {
    Failure::Unexpected(format!("cannot {action}: {error}"))
}

/// The user of the demo.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DemoUser {
    Human,
    Robot,
}

struct Tour {
    server: DevServer,
    user: DemoUser,
    as_json: bool,
}

impl Tour {
    fn pass(&self, home: &Path) -> Result<Hallpass, Failure> {
        let own = match self.user {
            DemoUser::Human => Some(SystemBrowser::new(&Environment::from_process())),
            DemoUser::Robot => None,
        };
        let browser = DemoBrowser { own, robot: self.server.robot() };
        let builder = Hallpass::builder("demo", self.server.issuer(), "demo").state_dir(home);
        let pass = builder.storage(Storage::File).browser(browser).build()?;
        signals::track(&pass);
        Ok(pass)
    }

    fn introduce(&self) {
        let issuer = self.server.issuer();
        if self.as_json {
            json::print_line(&json!({"event": "server", "issuer": issuer}));
        }
        self.say(&format!("A development server is running at {issuer} for this demo."));
        self.say(match self.user {
            DemoUser::Human => "Sign in as test@example.com with the password \"password\".\n",
            DemoUser::Robot => "A robot stands in for you and your browser.\n",
        });
    }

    fn sign_in(&self, pass: &Hallpass) -> Result<Session, Failure> {
        let screen = match self.user {
            _ if self.as_json => Screen::json(),
            DemoUser::Human => Screen::text(Terminal::stderr()),
            // The robot pastes nothing, and signs in before there is anything to count down.
            DemoUser::Robot => Screen::text(Terminal::new(Box::new(io::stderr()), false)),
        };
        sign_in(pass, screen)
    }

    /// Shows the saved user; the server's journal proves that it was not asked.
    fn show_user(&self, pass: &Hallpass, session: &Session) -> Result<(), Failure> {
        let before = self.server.journal().entries().len();
        let user = pass.whoami()?;
        ensure(self.server.journal().entries().len() == before, "whoami sent a request")?;
        let email = session.user().map(User::label).unwrap_or_default();
        if !self.as_json {
            say::success("Successfully logged in!");
            say::message(&format!("Email: {email}\n"));
        }
        let text =
            format!("Logged in as: {} (read from the saved credentials, without a request)", user.label());
        self.step("whoami", json!({"event": "whoami", "user": json::user(&user)}), &text);
        Ok(())
    }

    fn refresh(&self, pass: &Hallpass) -> Result<(), Failure> {
        let before = pass.access_token()?;
        let after = pass.force_refresh()?;
        let is_new = before.secret() != after.secret();
        let was_asked = self.server.journal().count("/token") == 2;
        ensure(is_new && was_asked, "the access token was not refreshed")?;
        self.step(
            "token",
            json!({"event": "refreshed", "expires_at": json::time(after.expires_at())}),
            "Refreshed: a new access token, and a new refresh token instead of the used one",
        );
        Ok(())
    }

    fn sign_out(&self, pass: &Hallpass) -> Result<(), Failure> {
        let report = pass.logout()?;
        let is_revoked = [&report.refresh_token, &report.access_token]
            .iter()
            .all(|outcome| **outcome == Revocation::Revoked);
        ensure(report.erased && is_revoked, "the server did not confirm the logout")?;
        ensure(self.server.journal().count("/revoke") == 2, "the server was not told about the logout")?;
        ensure(pass.whoami().is_err(), "still signed in after the logout")?;
        self.step(
            "logout",
            json!({"event": "logged_out", "report": json::logout(&report)}),
            "Revoked both tokens at the server and deleted the saved credentials",
        );
        Ok(())
    }

    fn step(&self, verb: &str, event: Value, text: &str) {
        if self.as_json {
            json::print_line(&event);
        } else {
            say::step(verb, text);
        }
    }

    fn say(&self, text: &str) {
        if !self.as_json {
            say::message(text);
        }
    }
}

fn ensure(condition: bool, problem: &str) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(Failure::Unexpected(problem.to_owned())) }
}

/// Opens the user's own browser first. If there is none, or the user doesn't sign in for a while, the robot does. Once the
/// sign-in is complete the demo exits, and with it the thread that waits here.
struct DemoBrowser {
    own: Option<SystemBrowser>,
    robot: Robot,
}

impl Browser for DemoBrowser {
    fn open(&self, url: &str) -> io::Result<()> {
        if let Some(own) = &self.own {
            match own.open(url) {
                Ok(()) => {
                    std::thread::sleep(PATIENCE);
                    say::over_status("No sign-in after 90 seconds. A robot signs in instead.");
                }
                Err(error) => say::over_status(&format!(
                    "Could not open a browser ({error}). A robot signs in instead."
                )),
            }
        }
        self.robot.visit(url).map(drop)
    }
}
