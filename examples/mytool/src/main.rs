//! `mytool`: a command-line program with sign-in. All of the integration is in [`pass`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hallpass::{AccessToken, Error, Hallpass, Pages, Terminal};

const ISSUER: &str = "http://127.0.0.1:4000";
const CLIENT_ID: &str = "demo";

/// The whole integration. The commands below only call the pass that it returns.
fn pass() -> hallpass::Result<Hallpass> {
    let issuer = setting("MYTOOL_ISSUER", ISSUER);
    let client_id = setting("MYTOOL_CLIENT_ID", CLIENT_ID);
    let pages = Pages::new("MyTool").color("#0f766e")?.done_text("Back to your terminal: try mytool me.");
    Hallpass::builder("mytool", &issuer, &client_id)
        .user_agent(concat!("mytool/", env!("CARGO_PKG_VERSION")))
        .pages(pages)
        .build()
}

fn setting(variable: &str, default: &str) -> String {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

/// An example of a program with sign-in.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sign in through the browser
    Login,
    /// Show who is signed in
    Whoami,
    /// Show your account as the API knows it
    Me,
    /// Sign out
    Logout,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    let pass = pass()?;
    match command {
        Command::Login => login(&pass)?,
        Command::Whoami => println!("Logged in as: {}", pass.whoami()?.label()),
        Command::Me => println!("{}", me(&pass)?),
        Command::Logout => logout(&pass)?,
    }
    Ok(())
}

/// Needs no signal handler: nothing is saved before the end, so Ctrl-C changes nothing, and the shell restores its terminal.
/// If your program has a Ctrl-C handler of its own, call `pass.finish_saving` in it, so that a refresh isn't cut off, and
/// `release` on the terminal's keyboard.
fn login(pass: &Hallpass) -> hallpass::Result<()> {
    pass.login(&mut Terminal::stderr())?;
    eprintln!("Successfully logged in!");
    Ok(())
}

/// Calls the API, and once more with a refreshed token if it returns 401: a token that hasn't expired may have been revoked.
/// A second 401 has another cause.
fn me(pass: &Hallpass) -> Result<String, Failure> {
    let tokens = pass.token_source();
    let token = tokens.access_token()?;
    token.notes().iter().for_each(|note| eprintln!("note: {note}"));
    match call_api(&token) {
        Err(ureq::Error::StatusCode(401)) => Ok(call_api(&tokens.refresh(&token)?)?),
        answer => Ok(answer?),
    }
}

/// Calls the server's userinfo endpoint in place of an API, so that the example needs none. Use a constant URL for yours:
/// the token must not go to any other host.
fn call_api(token: &AccessToken) -> Result<String, ureq::Error> {
    let url = format!("{}/userinfo", token.issuer().trim_end_matches('/'));
    let request = ureq::get(url).header("Authorization", token.authorization_header().expose());
    request.call()?.body_mut().read_to_string()
}

/// Prints the report: one sentence about what was deleted here and revoked at the server.
fn logout(pass: &Hallpass) -> hallpass::Result<()> {
    eprintln!("{}", pass.logout()?);
    Ok(())
}

/// Why the program failed.
enum Failure {
    SignIn(Error),
    Api(ureq::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::SignIn(error)
    }
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Failure {
        Failure::Api(error)
    }
}

fn report(failure: &Failure) -> ExitCode {
    let (message, code) = match failure {
        Failure::SignIn(error @ Error::LoginRequired(_)) => (format!("{error}\nrun: mytool login"), 4),
        Failure::SignIn(error @ Error::Network(_)) => (error.to_string(), 5),
        Failure::SignIn(error) => (error.to_string(), 1),
        Failure::Api(error) => (format!("the API call failed: {error}"), 1),
    };
    eprintln!("error: {message}");
    ExitCode::from(code)
}
