//! Builds the pass of a command that works with the stored credentials.

use hallpass::error::Misuse;
use hallpass::{Environment, Error, Hallpass};

use crate::args::{Common, ServerArgs};
use crate::failure::Failure;
use crate::settings::profile_http::ProfileHttp;
use crate::settings::profiles::{ConfigDir, SERVICE, selected};
use crate::settings::target::Target;
use crate::system::keychain::CommandKeychain;
use crate::system::signals;

/// Builds the pass of the selected profile.
///
/// # Errors
/// [`Misuse::OtherSession`] if the call names another server or client than that of the stored credentials.
pub(crate) fn stored_pass(common: &Common, args: &ServerArgs) -> Result<Hallpass, Failure> {
    let environment = Environment::from_process();
    let profile = selected(common, &environment)?;
    let target = Target::from_args(args);
    let pass = stored(&profile, environment)?;
    // Reading the record takes time, and most calls name no server.
    if target != Target::default() {
        check_session(&pass, &target)?;
    }
    Ok(pass)
}

/// Builds the pass of a profile. Its settings are read only when a request is sent.
pub(crate) fn stored(profile: &str, environment: Environment) -> Result<Hallpass, Failure> {
    let http = ProfileHttp::new(ConfigDir::from_environment(&environment)?, profile);
    let keychain = CommandKeychain::new(&environment);
    let builder = Hallpass::stored(SERVICE).profile(profile).environment(environment);
    let pass = builder.http(http).keychain(keychain).build()?;
    signals::track(&pass);
    Ok(pass)
}

fn check_session(pass: &Hallpass, target: &Target) -> Result<(), Failure> {
    let stored = Target::from_status(pass.status());
    if target.fits(&stored) {
        return Ok(());
    }
    let issuer = stored.issuer.unwrap_or_default();
    let client_id = stored.client_id.unwrap_or_default();
    let asked_issuer = target.issuer.as_deref().unwrap_or(&issuer);
    let asked = match &target.client_id {
        Some(client_id) => format!("{asked_issuer} (client {client_id})"),
        None => asked_issuer.to_owned(),
    };
    let stored = format!("{issuer} (client {client_id})");
    Err(Error::from(Misuse::OtherSession { profile: pass.profile().to_owned(), stored, asked }).into())
}
