//! Passes for verbs that work from the stored record.

use hallpass::{Environment, Hallpass};

use crate::args::{Asked, Common};
use crate::failure::Failure;
use crate::settings::profile_http::ProfileHttp;
use crate::settings::profiles::{ConfigDir, SERVICE, selected};
use crate::settings::target::Target;
use crate::system::keychain::CommandKeychain;
use crate::system::signals;

/// A pass for a verb that works from the stored record. A call that names another issuer or client than
/// the record's is refused.
pub(crate) fn stored_pass(common: &Common, asked: &Asked) -> Result<Hallpass, Failure> {
    let environment = Environment::of_process();
    let profile = selected(common, &environment)?;
    let target = Target::of(asked);
    let pass = stored(&profile, environment)?;
    if target != Target::default() {
        refuse_other_session(&pass, &target)?;
    }
    Ok(pass)
}

/// A pass that works from the profile's record, and reads its settings only if something is sent.
pub(crate) fn stored(profile: &str, environment: Environment) -> Result<Hallpass, Failure> {
    let http = ProfileHttp::new(ConfigDir::of(&environment)?, profile);
    let keychain = CommandKeychain::new(&environment);
    let builder = Hallpass::stored(SERVICE).profile(profile).environment(environment);
    let pass = builder.http(http).keychain(keychain).build()?;
    signals::mind(&pass);
    Ok(pass)
}

fn refuse_other_session(pass: &Hallpass, target: &Target) -> Result<(), Failure> {
    let status = pass.status();
    let (issuer, client_id) = (status.issuer.as_deref(), status.client_id.as_deref());
    if target.fits(issuer, client_id) {
        return Ok(());
    }
    let (issuer, client_id) = (issuer.unwrap_or_default(), client_id.unwrap_or_default());
    let at = target.issuer.as_deref().unwrap_or(issuer);
    Err(hallpass::Error::from(hallpass::error::Misuse::OtherSession {
        profile: status.profile,
        stored: format!("{issuer} (client {client_id})"),
        asked: match &target.client_id {
            Some(client_id) => format!("{at} (client {client_id})"),
            None => at.to_owned(),
        },
    })
    .into())
}
