//! Chooses the profile of a login.

use hallpass::Hallpass;

use crate::args::{Common, Login};
use crate::failure::Failure;
use crate::settings::profiles::{ConfigDir, SERVICE, named};
use crate::settings::target::Target;

/// The profile of a login.
pub(crate) struct LoginProfile {
    pub(crate) name: String,
    pub(crate) matched: Match,
}

/// How a profile belongs to the server and client of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// It is the named or current profile, and is of the same server and client, or new.
    Selected,
    /// It is of another server or client, which `--replace` gives up: its settings do not count.
    Replaced,
    /// The current profile is of another server or client, so this one is used instead.
    Separate,
}

/// Returns the named profile, else the current one, else one that belongs to the target.
pub(crate) fn choose(
    common: &Common,
    args: &Login,
    config_dir: &ConfigDir,
    target: &Target,
) -> Result<LoginProfile, Failure> {
    let named = named(common)?;
    let name = match &named {
        Some(name) => name.clone(),
        None => config_dir.current()?,
    };
    let stored = stored_target(config_dir, &name)?;
    if target.fits(&stored) {
        return Ok(LoginProfile { name, matched: Match::Selected });
    }
    match named {
        Some(_) if args.replace => Ok(LoginProfile { name, matched: Match::Replaced }),
        Some(_) => {
            let issuer = stored.issuer.as_deref().unwrap_or("another server");
            let client_id = stored.client_id.as_deref().unwrap_or("another client");
            Err(Failure::usage(
                format!("profile \"{name}\" belongs to {issuer} (client {client_id})"),
                "choose another name with --profile, or add --replace",
            ))
        }
        None => Ok(LoginProfile { name: separate(config_dir, target)?, matched: Match::Separate }),
    }
}

/// Returns issuer and client of a profile from its settings, else from its record.
fn stored_target(config_dir: &ConfigDir, profile: &str) -> Result<Target, Failure> {
    let file = config_dir.settings(profile)?;
    if file.issuer.is_some() {
        return Ok(Target { issuer: file.issuer, client_id: file.client_id });
    }
    Ok(Target::from_status(Hallpass::stored(SERVICE).profile(profile).build()?.status()))
}

/// Returns the profile that belongs to the target, else a new name from the issuer's host, with a number if that name
/// is taken.
fn separate(config_dir: &ConfigDir, target: &Target) -> Result<String, Failure> {
    for name in config_dir.with_settings() {
        if let Ok(stored) = stored_target(config_dir, &name)
            && stored.issuer.is_some()
            && target.fits(&stored)
        {
            return Ok(name);
        }
    }
    let host = target.issuer.as_deref().and_then(host_name).unwrap_or_else(|| "other".to_owned());
    let mut name = host.clone();
    let mut number = 1;
    while stored_target(config_dir, &name)? != Target::default() {
        number += 1;
        name = format!("{host}-{number}");
    }
    Ok(name)
}

/// Returns the host and port of a URL, with other characters than a profile name may have replaced by `-`.
fn host_name(issuer: &str) -> Option<String> {
    let authority = issuer.split("://").nth(1)?.split('/').next()?.to_ascii_lowercase();
    let name: String =
        authority.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let name = name.trim_matches(['-', '.']).chars().take(60).collect::<String>();
    if name.is_empty() { None } else { Some(name) }
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
