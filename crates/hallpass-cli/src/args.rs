//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Sign-in for command-line programs.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, about, arg_required_else_help = true, after_help = AFTER_HELP, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The calls that scripts make again and again, as clap reads them. Describing every command to clap takes
    /// longer than all else that a cached token needs.
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

const AFTER_HELP: &str = "\
Examples:
  hallpass demo                                          see all of it, on this machine alone
  hallpass login --issuer https://login.example.com --client-id mytool
  hallpass token --header | curl -H @- https://api.example.com/me
  hallpass whoami --json

Exit codes:
  0 done                               5 network or server, session kept: try again
  1 unexpected                         6 sign-in refused by the user or the server
  2 wrong usage or settings            7 timed out waiting for the user
  3 the server broke the protocol      8 the store cannot be read or written
  4 sign-in needed                     125 exec did not start the program
                                       130, 143, 129 interrupted; the store is whole";

/// Options of every command, shown after its own.
#[derive(Debug, Args, Default)]
pub(crate) struct Common {
    /// Which of several sign-ins [default: the current one, see `hallpass profiles`]
    #[arg(long, global = true, value_name = "NAME", display_order = 100)]
    pub(crate) profile: Option<String>,
    /// Answer as JSON on stdout
    #[arg(long, global = true, display_order = 101)]
    pub(crate) json: bool,
    /// Tell about requests on stderr (never tokens)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 102)]
    pub(crate) verbose: u8,
    /// Fewer words on stderr: what a login needs, and errors
    #[arg(short, long, global = true, display_order = 103)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in through the browser
    Login(Box<Login>),
    /// Say who is signed in
    Whoami(Whoami),
    /// Print a valid access token
    Token(Token),
    /// Run a program that finds an access token in its environment
    Exec(Exec),
    /// Sign out: revoke at the server, erase here
    Logout(Logout),
    /// Show every profile: who, where, until when, kept where
    Status(Status),
    /// List, choose, move or remove profiles
    Profiles(Profiles),
    /// Run a development authorization server on this machine
    Dev(Dev),
    /// See a sign-in, a refresh and a sign-out against a server of your own
    Demo(Demo),
    /// Look at all that a sign-in needs, without signing in
    Doctor(Doctor),
    /// Print completions for a shell
    Completions(Completions),
}

/// The server and the client that are meant.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct Asked {
    /// The authorization server [env: HALLPASS_ISSUER]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The client registered there [env: HALLPASS_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
}

#[derive(Debug, Args, Default)]
#[command(after_help = "\
Examples:
  hallpass login --issuer https://login.example.com --client-id mytool
  hallpass login --device            no browser here: a code for your phone
  hallpass login --redirect-uri http://localhost:9999/callback --env-file .env
  hallpass login                     again, with the settings of last time
  hallpass login --if-needed         only if nobody is signed in
  hallpass login --explain           what it would do here, and why")]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// A server whose peculiarities are known: clerk, paylent, google, github, gitlab, entra, auth0, okta, keycloak
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// What to ask for, separated by spaces [default: openid profile email offline_access] [env: HALLPASS_SCOPE]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// Where the browser comes back to, exactly as registered; repeat to try several [default: http://127.0.0.1/callback on any port] [env: HALLPASS_REDIRECT_URI]
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Vec<String>,
    /// Listen on this address, to which the redirect URI's is forwarded, for example by a container's published port
    #[arg(long, value_name = "IP:PORT", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Open with this program instead of the default browser [env: BROWSER]
    #[arg(long, value_name = "CMD", num_args = 0..=1, require_equals = true, conflicts_with = "no_browser")]
    pub(crate) browser: Option<Option<String>>,
    /// Only print the address
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Sign in on another device with a code (RFC 8628), without a browser here
    #[arg(long, conflicts_with_all = ["browser", "no_browser", "redirect_uri"])]
    pub(crate) device: bool,
    /// Take the address that the browser ended on from stdin, a pipe or a file (a terminal is read anyway)
    #[arg(long, conflicts_with = "device")]
    pub(crate) paste: bool,
    /// Draw no QR code
    #[arg(long)]
    pub(crate) no_qr: bool,
    /// Who has to sign in: an email address, a user name or a sub; nobody else is taken
    #[arg(long, value_name = "WHO", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) account: Option<String>,
    /// Have the server ask which account
    #[arg(long, conflicts_with = "prompt")]
    pub(crate) select_account: bool,
    /// How the server should ask, for example login or consent
    #[arg(long, value_name = "VALUE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) prompt: Option<String>,
    /// The API that the token is for (RFC 8707)
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    /// One more parameter of the authorization request
    #[arg(long, value_name = "K=V", value_parser = pair)]
    pub(crate) param: Vec<(String, String)>,
    /// An endpoint given by hand: authorization, token, userinfo, jwks, revocation, device_authorization
    #[arg(long, value_name = "NAME=URL", value_parser = pair)]
    pub(crate) endpoint: Vec<(String, String)>,
    /// A file with the client's secret, for servers that insist on one [env: HALLPASS_CLIENT_SECRET holds the secret itself]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// How long to wait for you in all [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = limit)]
    pub(crate) timeout: Option<Duration>,
    /// What keeps the sign-in [default: auto] [env: HALLPASS_STORAGE]
    #[arg(long, value_name = "KIND")]
    pub(crate) storage: Option<StorageArg>,
    /// Do nothing if the current sign-in works
    #[arg(long, conflicts_with = "force")]
    pub(crate) if_needed: bool,
    /// Do not wait for another process that has this sign-in open; open one more
    #[arg(long)]
    pub(crate) force: bool,
    /// Let this sign-in take the place of another server's or client's under the named profile
    #[arg(long, requires = "profile")]
    pub(crate) replace: bool,
    /// Read issuer, client id and secret, scope, redirect URI and resource from this file, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Trust the authorities in this PEM file too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Sign nobody in: say what would be done here about the browser, and why
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StorageArg {
    /// The keychain where it can be used, else a file
    Auto,
    /// Sealed under a key in the keychain, or not at all
    Keychain,
    /// A file that only you can read
    File,
}

/// What a sign-in can be moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MoveTo {
    /// Sealed under a key in the keychain
    Keychain,
    /// A file that only you can read
    File,
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Ask the server instead of the record
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args, Default)]
#[command(after_help = "\
Examples:
  hallpass token --header | curl -H @- https://api.example.com/me
  hallpass token --min-ttl 10m       for a job that runs ten minutes
  hallpass token --refresh           after a server answered 401")]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// How long it has to live at least; renewed if it does not
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) min_ttl: Option<Duration>,
    /// Renew it now
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Print "Authorization: Bearer TOKEN", for `curl -H @-`
    #[arg(long, conflicts_with_all = ["id_token", "json"])]
    pub(crate) header: bool,
    /// Print the ID token instead
    #[arg(long, conflicts_with_all = ["min_ttl", "resource"])]
    pub(crate) id_token: bool,
    /// A token for this API (RFC 8707)
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hallpass exec -- ./deploy --to production          finds the token in $ACCESS_TOKEN
  hallpass exec --env GITHUB_TOKEN -- gh api user

The program takes the place of this one and its exit code is the program's own; 125 says that it was not started.")]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// The variable that holds the token
    #[arg(long, value_name = "NAME", default_value = "ACCESS_TOKEN")]
    pub(crate) env: String,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Every profile
    #[arg(long, conflicts_with = "profile")]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Ask the server whether it still knows the session
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
    /// Show the profiles; the current one has a star
    List,
    /// Make a profile the current one
    Use {
        /// The profile
        name: String,
    },
    /// Move a sign-in into the keychain or out of it
    Move {
        /// The profile
        name: String,
        /// What shall keep it
        #[arg(long, value_name = "KIND")]
        storage: MoveTo,
    },
    /// Sign out of a profile and forget its settings
    Remove {
        /// The profile
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hallpass dev
  hallpass login --issuer http://127.0.0.1:4000 --client-id demo      (in another terminal)")]
pub(crate) struct Dev {
    /// Port on 127.0.0.1; 0 takes any
    #[arg(long, default_value_t = 4000)]
    pub(crate) port: u16,
    /// One more account; repeat for several
    #[arg(long, value_name = "EMAIL:PASSWORD", value_parser = account)]
    pub(crate) user: Vec<(String, String)>,
    /// One more public client [default redirect: http://127.0.0.1/callback on any port]
    #[arg(long, value_name = "ID[=URI,…]", value_parser = client)]
    pub(crate) client: Vec<(String, Vec<String>)>,
    /// How long access tokens live
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1h")]
    pub(crate) token_ttl: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Sign in by itself, without your browser
    #[arg(long)]
    pub(crate) headless: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hallpass doctor                    for the server of the current profile
  hallpass doctor --issuer https://login.example.com
  hallpass login --explain           only about the browser, and why that one")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// A server whose peculiarities are known: clerk, paylent, google, github, gitlab, entra, auth0, okta, keycloak
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// What would keep the sign-in [default: auto] [env: HALLPASS_STORAGE]
    #[arg(long, value_name = "KIND")]
    pub(crate) storage: Option<StorageArg>,
    /// Trust the authorities in this PEM file too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

fn time(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "write it as 90s, 5m or 1h30m")
}

fn limit(text: &str) -> Result<Duration, &'static str> {
    match time(text)? {
        limit if limit.is_zero() => Err("nobody signs in within no time"),
        limit => Ok(limit),
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write it as IP:PORT, for example 0.0.0.0:9999")
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn account(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((email, password)) if !email.is_empty() && !password.is_empty() => {
            Ok((email.to_owned(), password.to_owned()))
        }
        _ => Err("write it as EMAIL:PASSWORD".to_owned()),
    }
}

fn client(text: &str) -> Result<(String, Vec<String>), String> {
    let (id, uris) =
        text.split_once('=').unwrap_or((text, "http://127.0.0.1/callback,http://[::1]/callback"));
    let uris: Vec<String> = uris.split(',').map(str::to_owned).collect();
    if id.is_empty() || uris.iter().any(String::is_empty) {
        return Err("write it as ID or ID=URI,URI".to_owned());
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
