//! Profiles and the directory of their settings.

use std::fs;
use std::io;
use std::path::PathBuf;

use hallpass::Environment;

use crate::args::Common;
use crate::failure::{Failure, FileAction};
use crate::settings::file::{SettingsFile, replace};
use crate::settings::variable;

/// The service name of the command's own records.
pub(crate) const SERVICE: &str = "hallpass";
/// The profile that the first login creates.
pub(crate) const DEFAULT: &str = "default";

/// The directory of the settings files.
pub(crate) struct ConfigDir(PathBuf);

impl ConfigDir {
    /// Finds the directory. Where there is no home directory, it is `.config` in the state directory, since no
    /// program's records have that name.
    pub(crate) fn from_environment(environment: &Environment) -> Result<ConfigDir, Failure> {
        match (environment.config_dir(), environment.state_dir()) {
            (Ok(dir), _) => Ok(ConfigDir(dir)),
            (Err(_), Ok(state_dir)) => Ok(ConfigDir(state_dir.join(".config"))),
            (Err(error), Err(_)) => Err(error.into()),
        }
    }

    /// Reads the user's own settings.
    pub(crate) fn config(&self) -> Result<SettingsFile, Failure> {
        SettingsFile::read_strictly(&self.0.join("config.toml"))
    }

    /// Reads a profile's settings.
    pub(crate) fn settings(&self, profile: &str) -> Result<SettingsFile, Failure> {
        SettingsFile::read(&self.profile_file(profile))
    }

    /// Reads a profile's settings and the user's own.
    pub(crate) fn files(&self, profile: &str) -> Result<(SettingsFile, SettingsFile), Failure> {
        Ok((self.settings(profile)?, self.config()?))
    }

    /// The file that `login` writes for a profile.
    pub(crate) fn profile_file(&self, profile: &str) -> PathBuf {
        self.0.join("profiles").join(format!("{profile}.toml"))
    }

    /// Reads the name of the current profile from the file `current`.
    pub(crate) fn current(&self) -> Result<String, Failure> {
        let path = self.0.join("current");
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Ok(DEFAULT.to_owned()),
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DEFAULT.to_owned()),
            Err(error) => Err(Failure::settings(FileAction::Read, &path, &error)),
        }
    }

    /// Makes a profile the current one.
    pub(crate) fn set_current(&self, profile: &str) -> Result<(), Failure> {
        if self.current()? == profile {
            return Ok(());
        }
        replace(&self.0.join("current"), &format!("{profile}\n"))
    }

    /// Lists the profiles with a settings file, in alphabetical order.
    pub(crate) fn with_settings(&self) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0.join("profiles")).into_iter().flatten().flatten() {
            let file = entry.file_name();
            if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".toml"))
                && hallpass::check_profile_name(name).is_ok()
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        names
    }
}

/// Returns the profile that was named, by option or variable.
pub(crate) fn named(common: &Common) -> Result<Option<String>, Failure> {
    let named = common.profile.clone().or_else(|| variable("HALLPASS_PROFILE"));
    if let Some(name) = &named {
        hallpass::check_profile_name(name)?;
    }
    Ok(named)
}

/// Returns the profile that was named, else the current one.
pub(crate) fn selected(common: &Common, environment: &Environment) -> Result<String, Failure> {
    match named(common)? {
        Some(name) => Ok(name),
        None => ConfigDir::from_environment(environment)?.current(),
    }
}
