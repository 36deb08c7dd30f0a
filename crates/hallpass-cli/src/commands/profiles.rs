//! `hallpass profiles list | use | move | remove`

use std::io;
use std::path::Path;

use hallpass::{Environment, Storage, StoreKind};
use serde_json::{Value, json};

use crate::args::{Common, MoveTo, Profiles, ProfilesAction, StorageArg};
use crate::commands::logout;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, FileAction};
use crate::output::{json, say};
use crate::settings::file::SettingsFile;
use crate::settings::profiles::{ConfigDir, DEFAULT};
use crate::settings::stored::stored;

pub(crate) fn run(common: &Common, args: &Profiles) -> Result<ExitCode, Failure> {
    let config_dir = ConfigDir::from_environment(&Environment::from_process())?;
    match &args.action {
        ProfilesAction::List => list(common, &config_dir),
        ProfilesAction::Use { name } => select(common, &config_dir, name),
        ProfilesAction::Move { name, storage } => relocate(common, &config_dir, name, *storage),
        ProfilesAction::Remove { name } => remove(common, &config_dir, name),
    }
}

/// Lists the profiles with a record or with settings.
fn known(config_dir: &ConfigDir) -> Result<Vec<String>, Failure> {
    let mut names = stored(DEFAULT, Environment::from_process())?.profiles()?;
    names.extend(config_dir.with_settings());
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn check_known(config_dir: &ConfigDir, name: &str) -> Result<(), Failure> {
    hallpass::check_profile_name(name)?;
    let names = known(config_dir)?;
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let hint = if names.is_empty() {
        "there are no profiles yet; create one with: hallpass login --issuer URL --client-id ID".to_owned()
    } else {
        format!("available profiles: {}", names.join(", "))
    };
    Err(Failure::usage(format!("no profile \"{name}\""), hint))
}

fn list(common: &Common, config_dir: &ConfigDir) -> Result<ExitCode, Failure> {
    let (names, current) = (known(config_dir)?, config_dir.current()?);
    if common.json {
        let entries =
            names.iter().map(|name| json!({"profile": name, "current": *name == current})).collect();
        json::print_line(&Value::Array(entries));
        return Ok(ExitCode::SUCCESS);
    }
    if names.is_empty() {
        say::message("No profiles yet. Sign in with: hallpass login --issuer URL --client-id ID");
    }
    for name in &names {
        let mark = if *name == current { '*' } else { ' ' };
        say::value(&format!("{mark} {name}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn select(common: &Common, config_dir: &ConfigDir, name: &str) -> Result<ExitCode, Failure> {
    check_known(config_dir, name)?;
    config_dir.set_current(name)?;
    if common.json {
        json::print_line(&json!({"profile": name, "current": true}));
    } else {
        say::message(&format!("\"{name}\" is now the current profile."));
    }
    Ok(ExitCode::SUCCESS)
}

/// Moves the credentials, and makes the profile's next login store them in the same place.
fn relocate(common: &Common, config_dir: &ConfigDir, name: &str, to: MoveTo) -> Result<ExitCode, Failure> {
    check_known(config_dir, name)?;
    let (storage, setting) = match to {
        MoveTo::Keychain => (Storage::Keychain, StorageArg::Keychain),
        MoveTo::File => (Storage::File, StorageArg::File),
    };
    let pass = stored(name, Environment::from_process())?;
    let kind = pass.move_to(storage)?;
    let settings = SettingsFile { storage: Some(setting), ..config_dir.settings(name)? };
    settings.write(&config_dir.profile_file(name))?;
    if common.json {
        let path = pass.status().path;
        let path = path.as_deref().map(Path::to_string_lossy);
        json::print_line(&json!({"profile": name, "store": kind.as_str(), "path": path}));
        return Ok(ExitCode::SUCCESS);
    }
    say::message(&match kind {
        StoreKind::Keychain => format!("\"{name}\" is now encrypted with a key in the keychain."),
        _ => format!("\"{name}\" is now in a file that only you can read."),
    });
    Ok(ExitCode::SUCCESS)
}

fn remove(common: &Common, config_dir: &ConfigDir, name: &str) -> Result<ExitCode, Failure> {
    check_known(config_dir, name)?;
    // The settings are still needed to revoke the tokens.
    let report = stored(name, Environment::from_process())?.logout()?;
    let path = config_dir.profile_file(name);
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(Failure::settings(FileAction::Remove, &path, &error));
    }
    if config_dir.current()? == name {
        config_dir.set_current(DEFAULT)?;
    }
    if common.json {
        json::print_line(&json::logout(&report));
    } else {
        if report.erased {
            logout::show(&report);
        }
        say::message(&format!("Removed profile \"{name}\"."));
    }
    Ok(logout::exit_code(&[report]))
}
