//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use hallpass::{Provider, Storage};

const AFTER_HELP: &str = "\
Examples:
  hallpass demo                                          try everything against a local server
  hallpass login --issuer https://login.example.com --client-id mytool
  hallpass token --header | curl -H @- https://api.example.com/me
  hallpass whoami --json

Exit codes:
  0 success                            5 network or server error, try again
  1 unexpected error                   6 sign-in denied by the user or the server
  2 wrong usage or settings            7 timed out waiting for the user
  3 server broke the protocol          8 credentials cannot be read or written
  4 not signed in                      125 exec could not start the program
                                       130, 143, 129 interrupted by a signal";

const STORAGE_HELP: &str = "Where to store credentials [default: auto] [env: HALLPASS_STORAGE]";

/// Sign in from the command line, and get access tokens for your programs
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, arg_required_else_help = true, after_help = AFTER_HELP, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Parses the calls that scripts make most often. To describe every command to clap takes longer than all else
    /// that a cached token needs.
    pub(crate) fn frequent(args: &[Option<&str>]) -> Option<Cli> {
        let header = match args {
            [Some("token")] => false,
            [Some("token"), Some("--header")] => true,
            _ => return None,
        };
        let command = Command::Token(Token { header, ..Token::default() });
        Some(Cli { common: Common::default(), command })
    }
}

/// Options of every command, listed after its own.
#[derive(Debug, Args, Default)]
pub(crate) struct Common {
    /// Profile to use [default: the current one, see `hallpass profiles list`] [env: HALLPASS_PROFILE]
    #[arg(long, global = true, value_name = "NAME", display_order = 100)]
    pub(crate) profile: Option<String>,
    /// Print JSON to stdout
    #[arg(long, global = true, display_order = 101)]
    pub(crate) json: bool,
    /// Log requests to stderr (never tokens)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 102)]
    pub(crate) verbose: u8,
    /// Print only errors and what is needed to sign in
    #[arg(short, long, global = true, display_order = 103)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in with your browser
    Login(Box<Login>),
    /// Show who is signed in
    Whoami(Whoami),
    /// Print a valid access token
    Token(Token),
    /// Run a program with an access token in its environment
    Exec(Exec),
    /// Sign out: revoke the tokens and delete the credentials
    Logout(Logout),
    /// Show the account, server, expiry and storage of signed-in profiles
    Status(Status),
    /// List, select, move or remove profiles
    Profiles(Profiles),
    /// Run a local authorization server for development
    Dev(Dev),
    /// Try sign-in, refresh and sign-out against a local server
    Demo(Demo),
    /// Check that sign-in will work on this machine
    Doctor(Doctor),
    /// Print a completion script for your shell
    Completions(Completions),
}

/// The authorization server and the client.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct ServerArgs {
    /// Issuer URL of the authorization server [env: HALLPASS_ISSUER]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Client ID registered with the server [env: HALLPASS_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
}

#[derive(Debug, Args, Default)]
#[command(after_help = "\
Examples:
  hallpass login --issuer https://login.example.com --client-id mytool
  hallpass login                     sign in again with the saved settings
  hallpass login --device            sign in with a code on another device
  hallpass login --redirect-uri http://localhost:9999/callback --env-file .env
  hallpass login --if-needed         do nothing if already signed in
  hallpass login --explain           show whether a browser would open, and why")]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[arg(long, value_name = "NAME", help = provider_help())]
    pub(crate) provider: Option<String>,
    /// Scopes to request, separated by spaces [default: openid profile email offline_access] [env: HALLPASS_SCOPE]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// Redirect URI, exactly as registered; repeat to try several in order [default: http://127.0.0.1/callback on any port] [env: HALLPASS_REDIRECT_URI]
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Vec<String>,
    /// Address to listen on if the redirect URI is forwarded to it, for example from a container's published port
    #[arg(long, value_name = "IP:PORT", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Open the sign-in page with CMD; without CMD, open a browser even if you might not see it here [env: BROWSER]
    #[arg(long, value_name = "CMD", num_args = 0..=1, require_equals = true, conflicts_with = "no_browser")]
    pub(crate) browser: Option<Option<String>>,
    /// Print the URL instead of opening a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Sign in with a code on another device (RFC 8628)
    #[arg(long, conflicts_with_all = ["browser", "no_browser", "redirect_uri"])]
    pub(crate) device: bool,
    /// Read pasted URLs from stdin even if it is not a terminal
    #[arg(long, conflicts_with = "device")]
    pub(crate) paste: bool,
    /// Do not show a QR code
    #[arg(long)]
    pub(crate) no_qr: bool,
    /// Require this account (email, username or sub)
    #[arg(long, value_name = "ACCOUNT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) account: Option<String>,
    /// Ask the server to let you choose an account
    #[arg(long, conflicts_with = "prompt")]
    pub(crate) select_account: bool,
    /// Value of the prompt parameter, such as login or consent
    #[arg(long, value_name = "VALUE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) prompt: Option<String>,
    /// API that the token is for (RFC 8707) [env: HALLPASS_RESOURCE]
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    /// Extra parameter of the authorization request; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) param: Vec<(String, String)>,
    /// Endpoint to use instead of the advertised one: authorization, token, userinfo, jwks, revocation, device_authorization; repeatable
    #[arg(long, value_name = "NAME=URL", value_parser = pair)]
    pub(crate) endpoint: Vec<(String, String)>,
    /// File with the client secret, if the server requires one [env: HALLPASS_CLIENT_SECRET holds the secret itself]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// How long to wait for you to sign in [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,
    #[arg(long, value_name = "KIND", help = STORAGE_HELP)]
    pub(crate) storage: Option<StorageArg>,
    /// Do nothing if already signed in
    #[arg(long, conflicts_with = "force")]
    pub(crate) if_needed: bool,
    /// Start another sign-in even if one is in progress in another process
    #[arg(long)]
    pub(crate) force: bool,
    /// Let the named profile change to another server or client
    #[arg(long, requires = "profile")]
    pub(crate) replace: bool,
    /// Read issuer, client ID, client secret, scope, redirect URI and resource from a .env file
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// PEM file with additional CA certificates to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Show whether a browser would open and why, without signing in
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StorageArg {
    /// Keychain if available, otherwise a file
    Auto,
    /// File encrypted with a key in the keychain
    Keychain,
    /// File that only you can read, not encrypted
    File,
}

impl From<StorageArg> for Storage {
    fn from(storage: StorageArg) -> Storage {
        match storage {
            StorageArg::Auto => Storage::Auto,
            StorageArg::Keychain => Storage::Keychain,
            StorageArg::File => Storage::File,
        }
    }
}

/// A place that credentials can be moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MoveTo {
    /// File encrypted with a key in the keychain
    Keychain,
    /// File that only you can read, not encrypted
    File,
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Ask the server instead of reading the saved user
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args, Default)]
#[command(after_help = "\
Examples:
  hallpass token --header | curl -H @- https://api.example.com/me
  hallpass token --min-ttl 10m       for a job that runs ten minutes
  hallpass token --refresh           after a server returned 401")]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Minimum remaining lifetime; refreshes the token if it has less
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) min_ttl: Option<Duration>,
    /// Refresh the token even if it is still valid
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Print "Authorization: Bearer TOKEN", for `curl -H @-`
    #[arg(long, conflicts_with_all = ["id_token", "json"])]
    pub(crate) header: bool,
    /// Print the ID token instead
    #[arg(long, conflicts_with_all = ["min_ttl", "resource"])]
    pub(crate) id_token: bool,
    /// API that the token is for (RFC 8707)
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hallpass exec -- ./deploy --to production          reads the token from $ACCESS_TOKEN
  hallpass exec --env GITHUB_TOKEN -- gh api user

The program takes the place of hallpass. Exit code 125 means that it could not be started.")]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Environment variable that holds the token
    #[arg(long, value_name = "NAME", default_value = "ACCESS_TOKEN")]
    pub(crate) env: String,
    /// Program to run, and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Sign out of all profiles
    #[arg(long, conflicts_with = "profile")]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Ask the server whether the session is still valid
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Profiles {
    #[command(subcommand)]
    pub(crate) action: ProfilesAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfilesAction {
    /// List profiles; * marks the current one
    List,
    /// Make a profile the current one
    Use {
        /// Profile to use
        name: String,
    },
    /// Move credentials into the keychain or out of it
    Move {
        /// Profile to move
        name: String,
        #[arg(long, value_name = "KIND", help = "Where to store credentials")]
        storage: MoveTo,
    },
    /// Sign out of a profile and delete its settings
    Remove {
        /// Profile to remove
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hallpass dev
  hallpass login --issuer http://127.0.0.1:4000 --client-id demo      (in another terminal)")]
pub(crate) struct Dev {
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 4000)]
    pub(crate) port: u16,
    /// Account that can sign in; repeatable [default: test@example.com:password]
    #[arg(long, value_name = "EMAIL:PASSWORD", value_parser = account)]
    pub(crate) user: Vec<(String, String)>,
    /// Public client in addition to demo; repeatable [default URI: http://127.0.0.1/callback on any port]
    #[arg(long, value_name = "ID[=URI,…]", value_parser = client)]
    pub(crate) client: Vec<(String, Vec<String>)>,
    /// Lifetime of access tokens
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1h")]
    pub(crate) token_ttl: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Sign in automatically, without your browser
    #[arg(long)]
    pub(crate) headless: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hallpass doctor                    check the current profile's server
  hallpass doctor --issuer https://login.example.com
  hallpass login --explain           show only what concerns the browser")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[arg(long, value_name = "NAME", help = provider_help())]
    pub(crate) provider: Option<String>,
    #[arg(long, value_name = "KIND", help = STORAGE_HELP)]
    pub(crate) storage: Option<StorageArg>,
    /// PEM file with additional CA certificates to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell that will run the script
    pub(crate) shell: clap_complete::Shell,
}

fn provider_help() -> String {
    format!("Use the preset of a provider: {}", Provider::ALL.map(Provider::name).join(", "))
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "expected a duration such as 90s, 5m or 1h30m")
}

fn timeout(text: &str) -> Result<Duration, &'static str> {
    match duration(text)? {
        timeout if timeout.is_zero() => Err("must be longer than 0s"),
        timeout => Ok(timeout),
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected IP:PORT, such as 0.0.0.0:9999")
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn account(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((email, password)) if !email.is_empty() && !password.is_empty() => {
            Ok((email.to_owned(), password.to_owned()))
        }
        _ => Err("expected EMAIL:PASSWORD"),
    }
}

fn client(text: &str) -> Result<(String, Vec<String>), &'static str> {
    let (id, uris) =
        text.split_once('=').unwrap_or((text, "http://127.0.0.1/callback,http://[::1]/callback"));
    let uris: Vec<String> = uris.split(',').map(str::to_owned).collect();
    if id.is_empty() || uris.iter().any(String::is_empty) {
        return Err("expected ID or ID=URI,URI");
    }
    Ok((id.to_owned(), uris))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn frequent_calls_are_read_as_clap_reads_them() {
        for call in [vec!["token"], vec!["token", "--header"]] {
            let words: Vec<_> = call.iter().copied().map(Some).collect();
            let read = Cli::try_parse_from([vec!["hallpass"], call].concat()).unwrap();
            assert_eq!(format!("{:?}", Cli::frequent(&words).unwrap()), format!("{read:?}"));
        }
        assert!(Cli::frequent(&[Some("token"), Some("--refresh")]).is_none());
    }
}
