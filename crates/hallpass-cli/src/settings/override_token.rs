//! `HALLPASS_ACCESS_TOKEN`: an access token to use instead of the stored credentials.

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::{Environment, Error, Hallpass, Secret, Storage, User};

use crate::args::{Common, ServerArgs};
use crate::failure::Failure;
use crate::output::say;
use crate::settings::profile_http::ProfileHttp;
use crate::settings::profiles::{ConfigDir, SERVICE, selected};
use crate::settings::stored::stored;
use crate::settings::target::Target;
use crate::settings::variable;

pub(crate) const NAME: &str = "HALLPASS_ACCESS_TOKEN";

/// Returns the token, unless `--profile` is given, which wins.
///
/// # Errors
/// The token has a character that tokens cannot have (RFC 6749 appendix A.12). A line break would start another header.
pub(crate) fn get(common: &Common) -> Result<Option<Secret>, Failure> {
    if common.profile.is_some() {
        return Ok(None);
    }
    let Some(token) = variable(NAME) else { return Ok(None) };
    if !token.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        let message = format!("{NAME} contains a character that tokens cannot have");
        return Err(Failure::usage(message, "check its value for a line break or typographic quotes"));
    }
    Ok(Some(Secret::new(token)))
}

/// Prints a note if the token is set, for commands that change or show the stored credentials.
pub(crate) fn warn(common: &Common) {
    if !matches!(get(common), Ok(None)) {
        say::note(&format!("{NAME} is set and overrides your saved credentials; unset it to use them"));
    }
}

/// Asks the server whose token it is.
pub(crate) fn user(common: &Common, args: &ServerArgs, token: &Secret) -> Result<User, Failure> {
    pass(common, args)?.fetch_user_with(token).map_err(|error| match error {
        Error::LoginRequired(_) => Failure::usage(
            format!("{NAME} does not tell which server issued it"),
            "set the issuer: HALLPASS_ISSUER=https://login.example.com",
        ),
        Error::Network(NetworkError { kind: NetworkErrorKind::Status(401), .. }) => {
            Failure::TokenRejected { variable: NAME }
        }
        error => error.into(),
    })
}

/// Builds a pass for the server that was named, else for that of the stored credentials.
fn pass(common: &Common, args: &ServerArgs) -> Result<Hallpass, Failure> {
    let environment = Environment::from_process();
    let profile = selected(common, &environment)?;
    let Target { issuer: Some(issuer), client_id } = Target::from_args(args) else {
        return stored(&profile, environment);
    };
    // A userinfo request does not name the client.
    let client_id = client_id.as_deref().unwrap_or("any");
    let http = ProfileHttp::new(ConfigDir::from_environment(&environment)?, &profile);
    let builder = Hallpass::builder(SERVICE, &issuer, client_id);
    Ok(builder.storage(Storage::Memory).environment(environment).http(http).build()?)
}
