//! `mytool`: a command-line program whose users sign in. All that it has to know of Hallpass is in [`pass`].
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program, and it has a person to talk to"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hallpass::{AccessToken, Error, Hallpass, Pages, Terminal};

const ISSUER: &str = "http://127.0.0.1:4000";
const CLIENT_ID: &str = "demo";

/// The whole integration; the verbs below only call what it returns.
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

/// An example of a program that its users sign in to.
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
    /// Say who is signed in
    Whoami,
    /// Ask the API about yourself
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

/// No signal handler is needed here: nothing is stored before the end, so Ctrl-C leaves all as it was, and the shell puts
/// its terminal right. (One that hits a refresh is another matter: a program with a handler of its own calls
/// `pass.finish_saving` in it, and `release` of the terminal's keyboard.)
fn login(pass: &Hallpass) -> hallpass::Result<()> {
    pass.login(&mut Terminal::stderr())?;
    eprintln!("Successfully logged in!");
    Ok(())
}

/// A token that looks alive may have been revoked, and only the API's 401 tells. One new token, one
/// replay: a second 401 has another reason.
fn me(pass: &Hallpass) -> Result<String, Failure> {
    let tokens = pass.token_source();
    let token = tokens.access_token()?;
    token.notes().iter().for_each(|note| eprintln!("note: {note}"));
    match call_api(&token) {
        Err(ureq::Error::StatusCode(401)) => Ok(call_api(&tokens.renew(&token)?)?),
        answer => Ok(answer?),
    }
}

/// The server's userinfo endpoint plays the API, so that the example runs without one. Yours has an address
/// of its own: a constant, because the token may go to no other host.
fn call_api(token: &AccessToken) -> Result<String, ureq::Error> {
    let url = format!("{}/userinfo", token.issuer().trim_end_matches('/'));
    let request = ureq::get(url).header("Authorization", token.authorization_header().expose());
    request.call()?.body_mut().read_to_string()
}

/// The report is one true sentence about what was erased here and what the server did.
fn logout(pass: &Hallpass) -> hallpass::Result<()> {
    eprintln!("{}", pass.logout()?);
    Ok(())
}

/// Hallpass tells whose move it is; what the API says is the program's own affair.
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
