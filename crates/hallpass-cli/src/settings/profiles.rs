//! Which profile is meant, and where its settings are.

use std::fs;
use std::io;
use std::path::PathBuf;

use hallpass::Environment;

use crate::args::Common;
use crate::failure::Failure;
use crate::settings::file::{SettingsFile, replace, variable};

/// The service name of the command's own records.
pub(crate) const SERVICE: &str = "hallpass";
/// The profile that the first login makes.
pub(crate) const DEFAULT: &str = "default";

/// The folder of settings.
pub(crate) struct ConfigDir(PathBuf);

impl ConfigDir {
    pub(crate) fn of(environment: &Environment) -> Result<ConfigDir, Failure> {
        match (environment.config_dir(), environment.state_dir()) {
            (Ok(dir), _) => Ok(ConfigDir(dir)),
            // Nobody has a home here, but a place for the state was named. No program is called `.config`.
            (Err(_), Ok(state_dir)) => Ok(ConfigDir(state_dir.join(".config"))),
            (Err(error), Err(_)) => Err(error.into()),
        }
    }

    /// The person's own settings.
    pub(crate) fn config(&self) -> Result<SettingsFile, Failure> {
        SettingsFile::read_strictly(&self.0.join("config.toml"))
    }

    /// The file that `login` writes for a profile.
    pub(crate) fn profile_file(&self, profile: &str) -> PathBuf {
        self.0.join("profiles").join(format!("{profile}.toml"))
    }

    /// The profile that commands mean by default: one line in the file `current`.
    pub(crate) fn current(&self) -> Result<String, Failure> {
        let path = self.0.join("current");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT).to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DEFAULT.to_owned()),
            Err(error) => Err(Failure::settings("read", &path, &error)),
        }
    }

    /// Makes a profile the current one.
    pub(crate) fn set_current(&self, profile: &str) -> Result<(), Failure> {
        let path = self.0.join("current");
        if self.current()? == profile {
            return Ok(());
        }
        replace(&path, &format!("{profile}\n")).map_err(|error| Failure::settings("write", &path, &error))
    }

    pub(crate) fn settings(&self, profile: &str) -> Result<SettingsFile, Failure> {
        SettingsFile::read(&self.profile_file(profile))
    }

    /// The profile's own file and `config.toml`.
    pub(crate) fn files(&self, profile: &str) -> Result<(SettingsFile, SettingsFile), Failure> {
        Ok((self.settings(profile)?, self.config()?))
    }

    /// Profiles with a settings file, in alphabetical order.
    pub(crate) fn with_settings(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("profiles")).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter_map(|name| Some(name.strip_suffix(".toml")?.to_owned())).collect();
        names.retain(|name| hallpass::check_profile_name(name).is_ok());
        names.sort_unstable();
        names
    }
}

/// The profile that was named, by option or variable.
pub(crate) fn named(common: &Common) -> Result<Option<String>, Failure> {
    let named = common.profile.clone().or_else(|| variable("HALLPASS_PROFILE"));
    if let Some(name) = &named {
        hallpass::check_profile_name(name)?;
    }
    Ok(named)
}

/// The profile that is meant: the named one, else the current one.
pub(crate) fn selected(common: &Common, environment: &Environment) -> Result<String, Failure> {
    match named(common)? {
        Some(name) => Ok(name),
        None => ConfigDir::of(environment)?.current(),
    }
}
