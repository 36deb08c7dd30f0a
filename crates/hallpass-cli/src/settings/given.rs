//! The settings that a call to `login` was given, before the settings files count.

use std::fs;
use std::path::Path;

use clap::ValueEnum;
use hallpass::{Provider, Secret};

use crate::args::{Login, StorageArg};
use crate::failure::{Failure, FileAction};
use crate::output::say;
use crate::settings::env_file::EnvFile;
use crate::settings::file::SettingsFile;
use crate::settings::target::Target;
use crate::settings::variable;

/// Settings from options, else variables, else the `.env` file.
pub(crate) struct Given {
    pub(crate) file: SettingsFile,
    /// The secret itself, from a variable or the `.env` file. Command lines can be read by every process on the
    /// machine, so there is no option for it.
    pub(crate) client_secret: Option<Secret>,
}

impl Given {
    /// Reads the variables and the `.env` file.
    pub(crate) fn read(args: &Login) -> Result<Given, Failure> {
        let env_file = match &args.env_file {
            Some(path) => read_env_file(path)?,
            None => EnvFile::default(),
        };
        let mut variables = SettingsFile::from_variables(variable);
        if args.storage.is_none() {
            variables.storage = storage_variable()?;
        }
        let secret = || variable("HALLPASS_CLIENT_SECRET").or_else(|| env_file.get("HALLPASS_CLIENT_SECRET"));
        let client_secret = if args.client_secret_file.is_none() { secret() } else { None };
        let dotenv = SettingsFile::from_variables(|name| env_file.get(name));
        Ok(Given {
            file: SettingsFile::from_args(args).or(variables).or(dotenv),
            client_secret: client_secret.map(Secret::new),
        })
    }

    /// The server and client that were given; a provider may stand for its only issuer.
    pub(crate) fn target(&self) -> Target {
        let provider = || Provider::parse(self.file.provider.as_deref()?).ok()?.issuer();
        Target { issuer: self.file.issuer.clone().or_else(provider), client_id: self.file.client_id.clone() }
    }
}

fn read_env_file(path: &Path) -> Result<EnvFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::settings(FileAction::Read, path, &error))?;
    let file = EnvFile::parse(&text).map_err(|line| {
        Failure::settings(FileAction::Parse, path, &format!("line {line} is not of the form NAME=value"))
    })?;
    if !file.ignored.is_empty() {
        say::note(&format!("ignored in {}: {}", path.display(), file.ignored.join(", ")));
    }
    Ok(file)
}

fn storage_variable() -> Result<Option<StorageArg>, Failure> {
    let Some(text) = variable("HALLPASS_STORAGE") else { return Ok(None) };
    match StorageArg::from_str(&text, false) {
        Ok(storage) => Ok(Some(storage)),
        Err(_) => Err(Failure::usage(
            format!("invalid HALLPASS_STORAGE \"{text}\" (expected one of: auto, keychain, file)"),
            "correct the variable, or unset it",
        )),
    }
}
