//! `mytool-tokio`: sign-in inside a program that runs on tokio. The library blocks, so three rules keep the
//! runtime free: what may wait goes through [`blocking`], a fresh token is taken inline ([`access_token`]),
//! and Ctrl-C cancels the wait instead of abandoning it ([`login`]).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program, and it has a person to talk to"
)]

use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand};
use hallpass::{AccessToken, Error, Hallpass, Pages, Status, Terminal};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::ctrl_c;

const ISSUER: &str = "http://127.0.0.1:4000";
const CLIENT_ID: &str = "demo";

/// The whole integration; it sends and reads nothing yet, so it need not be awaited.
fn pass() -> hallpass::Result<Hallpass> {
    let issuer = setting("MYTOOL_ISSUER", ISSUER);
    let client_id = setting("MYTOOL_CLIENT_ID", CLIENT_ID);
    Hallpass::builder("mytool-tokio", &issuer, &client_id)
        .user_agent(concat!("mytool-tokio/", env!("CARGO_PKG_VERSION")))
        .pages(Pages::new("MyTool on tokio").colour("#7c3aed")?)
        .build()
}

fn setting(variable: &str, default: &str) -> String {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

/// An example of an asynchronous program that its users sign in to.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Run on several threads instead of one; nothing else changes
    #[arg(long, global = true)]
    multi_thread: bool,
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

/// At the end the runtime is dropped, which waits for blocking work that has begun. Keep it so (and away from
/// `shutdown_background` and `process::exit`): after a Ctrl-C, a refresh under way still saves the one token
/// that the server will take next time.
fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = runtime(cli.multi_thread).map_err(Failure::Runtime);
    let outcome = outcome.and_then(|runtime| runtime.block_on(run(&cli.command)));
    outcome.map_or_else(|failure| report(&failure), |()| ExitCode::SUCCESS)
}

/// `#[tokio::main]` does as well; this one is made by hand only to offer both flavours.
fn runtime(multi_thread: bool) -> io::Result<Runtime> {
    let mut builder = if multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()
}

async fn run(command: &Command) -> Result<(), Failure> {
    let pass = pass()?;
    match command {
        Command::Login => Ok(login(&pass).await?),
        Command::Whoami => or_ctrl_c(whoami(&pass)).await,
        Command::Me => or_ctrl_c(me(&pass)).await,
        Command::Logout => or_ctrl_c(logout(&pass)).await,
    }
}

/// Ctrl-C is told to the library and the login is still awaited: it ends within a tenth of a second, closes its
/// port and clears its line on the terminal.
async fn login(pass: &Hallpass) -> hallpass::Result<()> {
    let mut login = pin!(blocking(pass, |pass| pass.login(&mut Terminal::stderr())));
    tokio::select! {
        biased; // so that Ctrl-C is listened to before the login begins
        Ok(()) = ctrl_c() => {
            pass.canceller().cancel();
            login.await?;
        }
        outcome = &mut login => drop(outcome?),
    };
    eprintln!("Successfully logged in!");
    Ok(())
}

/// The other verbs are dropped at Ctrl-C: requests to the API end there and then.
async fn or_ctrl_c(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        biased;
        Ok(()) = ctrl_c() => Err(Error::Cancelled.into()),
        outcome = work => outcome,
    }
}

async fn whoami(pass: &Hallpass) -> Result<(), Failure> {
    let user = blocking(pass, Hallpass::whoami).await?;
    println!("Logged in as: {}", user.label());
    Ok(())
}

type Http = Client<HttpConnector, Empty<Bytes>>;
type ApiError = Box<dyn std::error::Error + Send + Sync>;

async fn me(pass: &Hallpass) -> Result<(), Failure> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let mut answer = call_api(&http, &access_token(pass).await?).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        let renewed = blocking(pass, Hallpass::force_refresh).await?;
        answer = call_api(&http, &renewed).await?;
    }
    println!("{}", text(answer).await?);
    Ok(())
}

/// The client is asynchronous, as a tokio program's is anyway: unlike a blocking call on another thread, its
/// request ends when it is dropped. hyper-util is the smallest of them; a larger one looks the same here.
///
/// The server's userinfo endpoint plays the API, so that the example runs without one. Yours has an address
/// of its own: a constant, because the token may go to no other host.
async fn call_api(http: &Http, token: &AccessToken) -> Result<Response<Incoming>, Failure> {
    let url = format!("{}/userinfo", token.issuer().trim_end_matches('/'));
    let bearer = format!("Bearer {}", token.expose());
    let request = Request::get(url).header(AUTHORIZATION, bearer).body(Empty::new()).map_err(api)?;
    http.request(request).await.map_err(api)
}

async fn text(answer: Response<Incoming>) -> Result<String, Failure> {
    if !answer.status().is_success() {
        return Err(api(answer.status().to_string()));
    }
    let body = answer.into_body().collect().await.map_err(api)?.to_bytes();
    String::from_utf8(body.into()).map_err(api)
}

fn api(error: impl Into<ApiError>) -> Failure {
    Failure::Api(error.into())
}

/// A fresh token costs one read of a small file, less than the way to another thread and back. One that has to
/// be renewed waits for a lock and for the network.
async fn access_token(pass: &Hallpass) -> hallpass::Result<AccessToken> {
    if is_fresh(&pass.status()) { pass.access_token() } else { blocking(pass, Hallpass::access_token).await }
}

/// The library renews a token when 30 seconds are left; twice that leaves time between this look and the next.
fn is_fresh(status: &Status) -> bool {
    status.expires_at.is_some_and(|end| end > SystemTime::now() + Duration::from_secs(60))
}

async fn logout(pass: &Hallpass) -> Result<(), Failure> {
    eprintln!("{}", blocking(pass, Hallpass::logout).await?);
    Ok(())
}

/// Runs a verb on a thread that may wait. A pass is cheap to clone.
async fn blocking<T: Send + 'static>(
    pass: &Hallpass,
    verb: impl FnOnce(&Hallpass) -> hallpass::Result<T> + Send + 'static,
) -> hallpass::Result<T> {
    let pass = pass.clone();
    tokio::task::spawn_blocking(move || verb(&pass)).await.expect("a verb neither panics nor is aborted")
}

/// Hallpass tells whose move it is; what the API says is the program's own affair.
enum Failure {
    SignIn(Error),
    Api(ApiError),
    Runtime(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::SignIn(error)
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
