//! Which profile a login is for.

use hallpass::{Hallpass, Provider};

use crate::args::{Common, Login};
use crate::failure::Failure;
use crate::settings::env_file::EnvFile;
use crate::settings::profiles::{ConfigDir, SERVICE, named};
use crate::settings::target::Target;

/// The profile that a login is for.
pub(crate) struct Profile {
    pub(crate) name: String,
    /// It is of another server or client than before, so its old settings do not count.
    pub(crate) is_anew: bool,
    /// It was made, or found, for this server because the current one belongs to another.
    pub(crate) is_made: bool,
}

/// The named one, else the current one; a login to another server gets a profile of its own.
pub(crate) fn profile(
    common: &Common,
    args: &Login,
    config_dir: &ConfigDir,
    env_file: &EnvFile,
) -> Result<Profile, Failure> {
    let target = target(args, env_file);
    let named = named(common)?;
    let name = named.clone().map_or_else(|| config_dir.current(), Ok)?;
    let known = stored_target(config_dir, &name)?;
    match named {
        _ if fits(&target, &known) => Ok(Profile { name, is_anew: false, is_made: false }),
        Some(_) if args.replace => Ok(Profile { name, is_anew: true, is_made: false }),
        Some(_) => Err(other_server(&name, &known)),
        None => made_for(config_dir, &target),
    }
}

fn fits(target: &Target, known: &Target) -> bool {
    target.fits(known.issuer.as_deref(), known.client_id.as_deref())
}

fn target(args: &Login, env_file: &EnvFile) -> Target {
    let given = Target::of(&args.asked);
    let known = || Provider::parse(args.provider.as_deref()?).ok()?.issuer();
    Target {
        issuer: given.issuer.or_else(|| env_file.get("issuer").map(str::to_owned)).or_else(known),
        client_id: given.client_id.or_else(|| env_file.get("client_id").map(str::to_owned)),
    }
}

/// Issuer and client of a profile, by its settings, else by its record.
fn stored_target(config_dir: &ConfigDir, profile: &str) -> Result<Target, Failure> {
    let file = config_dir.settings(profile)?;
    if file.issuer.is_some() {
        return Ok(Target { issuer: file.issuer, client_id: file.client_id });
    }
    let status = Hallpass::stored(SERVICE).profile(profile).build()?.status();
    Ok(Target { issuer: status.issuer, client_id: status.client_id })
}

fn other_server(name: &str, known: &Target) -> Failure {
    let issuer = known.issuer.as_deref().unwrap_or("another server");
    let client_id = known.client_id.as_deref().unwrap_or("another client");
    Failure::usage(
        format!("profile \"{name}\" belongs to {issuer} (client {client_id})"),
        "choose another name with --profile, or add --replace",
    )
}

/// The profile that already is this server's and client's, else one named after the issuer's host; with a
/// number where that name is another's.
fn made_for(config_dir: &ConfigDir, target: &Target) -> Result<Profile, Failure> {
    for name in config_dir.with_settings() {
        if stored_target(config_dir, &name).is_ok_and(|known| known.issuer.is_some() && fits(target, &known))
        {
            return Ok(Profile { name, is_anew: false, is_made: true });
        }
    }
    let base = target.issuer.as_deref().and_then(host_name).unwrap_or_else(|| "other".to_owned());
    for number in 1.. {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let known = stored_target(config_dir, &name)?;
        if known == Target::default() {
            return Ok(Profile { name, is_anew: false, is_made: true });
        }
    }
    unreachable!("there is always another number")
}

/// The authority of a URL, with what a profile's name cannot have replaced.
fn host_name(issuer: &str) -> Option<String> {
    let authority = issuer.split("://").nth(1)?.split('/').next()?.to_ascii_lowercase();
    let name: String =
        authority.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let name = name.trim_matches(['-', '.']).chars().take(60).collect::<String>();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_named_after_the_host() {
        for (issuer, name) in [
            ("https://Login.Example.com/t/1", "login.example.com"),
            ("http://127.0.0.1:4000", "127.0.0.1-4000"),
            ("http://[::1]:4000/", "1--4000"),
        ] {
            let host = host_name(issuer).unwrap();
            assert_eq!(host, name);
            assert!(hallpass::check_profile_name(&host).is_ok(), "{host}");
        }
    }
}
