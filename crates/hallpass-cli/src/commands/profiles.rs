//! `hallpass profiles list | use | move | remove`

use std::io;
use std::path::Path;

use hallpass::{Environment, Storage, StoreKind};
use serde_json::{Value, json};

use crate::args::{Common, MoveTo, Profiles, ProfilesAction, StorageArg};
use crate::commands::logout;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::profiles::{ConfigDir, DEFAULT};
use crate::settings::stored;
use crate::sources::SettingsFile;
use crate::{json, say};

pub(crate) fn run(common: &Common, args: &Profiles) -> Result<ExitCode, Failure> {
    let config_dir = ConfigDir::of(&Environment::from_process())?;
    match &args.action {
        ProfilesAction::List => list(common, &config_dir),
        ProfilesAction::Use { name } => choose(common, &config_dir, name),
        ProfilesAction::Move { name, storage } => relocate(common, &config_dir, name, *storage),
        ProfilesAction::Remove { name } => remove(common, &config_dir, name),
    }
}

/// Profiles with a record or with settings.
fn known(config_dir: &ConfigDir) -> Result<Vec<String>, Failure> {
    let mut names = stored(DEFAULT, Environment::from_process())?.profiles()?;
    names.extend(config_dir.with_settings());
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn list(common: &Common, config_dir: &ConfigDir) -> Result<ExitCode, Failure> {
    let (names, current) = (known(config_dir)?, config_dir.current()?);
    if common.json {
        let entries =
            names.iter().map(|name| json!({"profile": name, "current": *name == current})).collect();
        json::print_line(&Value::Array(entries));
    } else if names.is_empty() {
        say::talk("No profiles yet. Sign in with: hallpass login --issuer URL --client-id ID");
    } else {
        names
            .iter()
            .for_each(|name| say::value(&format!("{} {name}", if *name == current { '*' } else { ' ' })));
    }
    Ok(ExitCode::SUCCESS)
}

fn need_known(config_dir: &ConfigDir, name: &str) -> Result<(), Failure> {
    hallpass::check_profile_name(name)?;
    let names = known(config_dir)?;
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let hint = match names.as_slice() {
        [] => "there is none yet; hallpass login makes one".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    };
    Err(Failure::usage(format!("no profile \"{name}\""), hint))
}

fn choose(common: &Common, config_dir: &ConfigDir, name: &str) -> Result<ExitCode, Failure> {
    need_known(config_dir, name)?;
    config_dir.set_current(name)?;
    if common.json {
        json::print_line(&json!({"profile": name, "current": true}));
    } else {
        say::talk(&format!("\"{name}\" is now the current profile."));
    }
    Ok(ExitCode::SUCCESS)
}

/// The next login of this profile keeps it in the same place.
fn relocate(common: &Common, config_dir: &ConfigDir, name: &str, to: MoveTo) -> Result<ExitCode, Failure> {
    need_known(config_dir, name)?;
    let (storage, setting) = match to {
        MoveTo::Keychain => (Storage::Keychain, StorageArg::Keychain),
        MoveTo::File => (Storage::File, StorageArg::File),
    };
    let pass = stored(name, Environment::from_process())?;
    let kind = pass.move_to(storage)?;
    let path = config_dir.profile_file(name);
    let settings = SettingsFile { storage: Some(setting), ..config_dir.settings(name)? };
    settings.write(&path)?;
    if common.json {
        json::print_line(
            &json!({"profile": name, "store": kind.as_str(), "path": pass.status().path.as_deref().map(Path::to_string_lossy)}),
        );
    } else {
        say::talk(&format!("\"{name}\" is now {}.", described(kind)));
    }
    Ok(ExitCode::SUCCESS)
}

fn described(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Keychain => "sealed by the keychain",
        _ => "in a file that only you can read",
    }
}

/// Signs out first: settings that are gone could not tell where the session was.
fn remove(common: &Common, config_dir: &ConfigDir, name: &str) -> Result<ExitCode, Failure> {
    need_known(config_dir, name)?;
    let report = stored(name, Environment::from_process())?.logout()?;
    let path = config_dir.profile_file(name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::settings("remove", &path, &error));
        }
        _ => {}
    }
    if config_dir.current()? == name {
        config_dir.set_current(DEFAULT)?;
    }
    if common.json {
        json::print_line(&json::logout(&report));
    } else {
        if report.erased {
            logout::tell(&report);
        }
        say::talk(&format!("Removed the profile \"{name}\"."));
    }
    Ok(if report.is_unconfirmed() { ExitCode::from(5) } else { ExitCode::SUCCESS })
}
