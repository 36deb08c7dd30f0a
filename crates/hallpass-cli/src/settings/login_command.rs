//! The command that signs in again.

use hallpass::Environment;

use crate::failure::Failure;
use crate::settings::file::variable;
use crate::settings::profiles::ConfigDir;

/// The exact command that signs in to a profile; `None` is the current one.
pub(crate) fn login_command(profile: Option<&str>) -> String {
    let of_profile = profile.map(|profile| format!(" --profile {profile}")).unwrap_or_default();
    let server = if knows_server(profile) { "" } else { " --issuer URL --client-id ID" };
    format!("hallpass login{of_profile}{server}")
}

/// Whether a login of a profile, or of the current one, knows where to. Settings that cannot be read are for that login to
/// tell.
fn knows_server(profile: Option<&str>) -> bool {
    let is_named = || {
        let config_dir = ConfigDir::of(&Environment::of_process())?;
        let profile = profile.map_or_else(|| config_dir.current(), |profile| Ok(profile.to_owned()))?;
        let (own, config) = config_dir.files(&profile)?;
        Ok::<_, Failure>([own, config].iter().any(|file| file.issuer.is_some()))
    };
    variable("HALLPASS_ISSUER").is_some() || is_named().unwrap_or(true)
}
