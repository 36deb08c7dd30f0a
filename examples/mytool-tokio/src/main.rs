//! `mytool-tokio`: sign-in in a program that runs on tokio. Ctrl-C drops the future that is being awaited; [`run`] then waits
//! for what must not be cut off.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use hallpass::{AccessToken, Error, Hallpass, Pages, Terminal};
use reqwest::{Client, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::ctrl_c;

const ISSUER: &str = "http://127.0.0.1:4000";
const CLIENT_ID: &str = "demo";

/// The whole integration. It sends and reads nothing, so it isn't async.
fn pass() -> hallpass::Result<Hallpass> {
    let issuer = setting("MYTOOL_ISSUER", ISSUER);
    let client_id = setting("MYTOOL_CLIENT_ID", CLIENT_ID);
    Hallpass::builder("mytool-tokio", &issuer, &client_id)
        .user_agent(concat!("mytool-tokio/", env!("CARGO_PKG_VERSION")))
        .pages(Pages::new("MyTool on tokio").color("#7c3aed")?)
        .build()
}

fn setting(variable: &str, default: &str) -> String {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

/// An example of an async program with sign-in.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Use the multi-threaded runtime
    #[arg(long, global = true)]
    multi_thread: bool,
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
    run(&cli).map_or_else(|failure| report(&failure), |()| ExitCode::SUCCESS)
}

/// After Ctrl-C, a refresh may still be running on a thread that the runtime doesn't wait for. Its refresh token is already
/// used, so the new one must be saved before the program ends. A login clears its line on the terminal.
fn run(cli: &Cli) -> Result<(), Failure> {
    let pass = pass()?;
    let runtime = runtime(cli.multi_thread).map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(or_ctrl_c(perform(&cli.command, &pass)));
    pass.finish_saving(Duration::from_secs(30));
    outcome
}

/// Builds the runtime by hand only to offer both flavors; `#[tokio::main]` works as well.
fn runtime(multi_thread: bool) -> io::Result<Runtime> {
    let mut builder = if multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()
}

async fn or_ctrl_c(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        biased; // installs the Ctrl-C handler before the work begins
        Ok(()) = ctrl_c() => Err(Error::Cancelled.into()),
        outcome = work => outcome,
    }
}

async fn perform(command: &Command, pass: &Hallpass) -> Result<(), Failure> {
    match command {
        Command::Login => login(pass).await?,
        Command::Whoami => println!("Logged in as: {}", pass.whoami_async().await?.label()),
        Command::Me => println!("{}", me(pass).await?),
        Command::Logout => eprintln!("{}", pass.logout_async().await?),
    }
    Ok(())
}

async fn login(pass: &Hallpass) -> hallpass::Result<()> {
    pass.login_async(Terminal::stderr()).await?;
    eprintln!("Successfully logged in!");
    Ok(())
}

/// Calls the API, and once more with a refreshed token if it returns 401: a token that hasn't expired may have been revoked.
/// A second 401 has another cause.
async fn me(pass: &Hallpass) -> Result<String, Failure> {
    let (http, tokens) = (Client::new(), pass.token_source());
    let token = tokens.access_token_async().await?;
    let mut answer = call_api(&http, &token).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        answer = call_api(&http, &tokens.refresh_async(&token).await?).await?;
    }
    Ok(answer.error_for_status()?.text().await?)
}

/// Calls the server's userinfo endpoint in place of an API, so that the example needs none. Use a constant URL for yours:
/// the token must not go to any other host.
async fn call_api(http: &Client, token: &AccessToken) -> reqwest::Result<Response> {
    let url = format!("{}/userinfo", token.issuer().trim_end_matches('/'));
    http.get(url).bearer_auth(token.expose()).send().await
}

/// Why the program failed.
enum Failure {
    SignIn(Error),
    Api(reqwest::Error),
    Runtime(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::SignIn(error)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Failure {
        Failure::Api(error)
    }
}

fn report(failure: &Failure) -> ExitCode {
    let (message, code) = match failure {
        Failure::SignIn(error @ Error::LoginRequired(_)) => (format!("{error}\nrun: mytool-tokio login"), 4),
        Failure::SignIn(error @ Error::Network(_)) => (error.to_string(), 5),
        Failure::SignIn(error @ Error::Cancelled) => (error.to_string(), 130),
        Failure::SignIn(error) => (error.to_string(), 1),
        Failure::Api(error) => (format!("the API call failed: {error}"), 1),
        Failure::Runtime(error) => (error.to_string(), 1),
    };
    eprintln!("error: {message}");
    ExitCode::from(code)
}
