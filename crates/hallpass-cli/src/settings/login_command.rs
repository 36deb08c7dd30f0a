//! The command that signs in again, for hints.

use hallpass::Environment;

use crate::failure::Failure;
use crate::settings::profiles::ConfigDir;
use crate::settings::variable;

/// Returns the command that signs in to a profile; `None` is the current one.
pub(crate) fn login_command(profile: Option<&str>) -> String {
    let mut command = "hallpass login".to_owned();
    if let Some(profile) = profile {
        command += &format!(" --profile {profile}");
    }
    // Settings that cannot be read are reported by the login itself.
    if !knows_server(profile).unwrap_or(true) {
        command += " --issuer URL --client-id ID";
    }
    command
}

fn knows_server(profile: Option<&str>) -> Result<bool, Failure> {
    if variable("HALLPASS_ISSUER").is_some() {
        return Ok(true);
    }
    let config_dir = ConfigDir::from_environment(&Environment::from_process())?;
    let profile = match profile {
        Some(profile) => profile.to_owned(),
        None => config_dir.current()?,
    };
    let (own, config) = config_dir.files(&profile)?;
    Ok(own.issuer.is_some() || config.issuer.is_some())
}
