//! `HALLPASS_ACCESS_TOKEN`: a token from outside that rules over the stored session.

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::protocol::bearer;
use hallpass::{Environment, Error, Hallpass, Secret, Storage, User};

use crate::args::{Asked, Common};
use crate::failure::Failure;
use crate::profile_http::ProfileHttp;
use crate::profiles::{ConfigDir, SERVICE, selected};
use crate::say;
use crate::settings::{Target, stored};
use crate::sources::variable;

pub(crate) const NAME: &str = "HALLPASS_ACCESS_TOKEN";

/// The token, unless a profile was named on the command line: that is the nearer wish.
///
/// # Errors
/// A token with a character that no token has: a line end would be a second header (RFC 6749 appendix A.12).
pub(crate) fn get(common: &Common) -> Result<Option<Secret>, Failure> {
    let token = variable(NAME).filter(|_| common.profile.is_none());
    match &token {
        Some(text) if !bearer::is_valid_token(text) => {
            let message = format!("{NAME} has a character that a token cannot have");
            Err(Failure::usage(message, "look for a line end or a quote that came along when it was set"))
        }
        _ => Ok(token.map(Secret::new)),
    }
}

/// Whoever changes or shows the stored session should know that commands do not use it.
pub(crate) fn warn(common: &Common) {
    if !matches!(get(common), Ok(None)) {
        say::note(&format!("{NAME} is set and hides the stored sign-in; unset it to use what is stored"));
    }
}

/// Who the token speaks for. It is never taken for the stored session's: what the server says about it counts.
pub(crate) fn user(common: &Common, asked: &Asked, token: &Secret) -> Result<User, Failure> {
    pass(common, asked)?.user_behind(token).map_err(|error| match error {
        Error::LoginRequired(_) => Failure::usage(
            format!("{NAME} does not say which server it is of"),
            "name the server: HALLPASS_ISSUER=https://login.example.com",
        ),
        Error::Network(NetworkError { kind: NetworkErrorKind::Status(401), .. }) => {
            Failure::TokenRefused { variable: NAME }
        }
        error => error.into(),
    })
}

/// Asks the server that was named, else the stored session's.
fn pass(common: &Common, asked: &Asked) -> Result<Hallpass, Failure> {
    const ANY_CLIENT: &str = "any"; // userinfo goes by the token alone
    let environment = Environment::from_process();
    let profile = selected(common, &environment)?;
    let Target { issuer: Some(issuer), client_id } = Target::of(asked) else {
        return stored(&profile, environment);
    };
    let http = ProfileHttp::new(ConfigDir::of(&environment)?, &profile);
    let builder = Hallpass::builder(SERVICE, &issuer, client_id.as_deref().unwrap_or(ANY_CLIENT));
    Ok(builder.storage(Storage::Memory).environment(environment).http(http).build()?)
}
