//! The places that settings come from besides the command line: environment, files.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::args::StorageArg;
use crate::failure::Failure;

/// A settings file: `profiles/<name>.toml`, written by `login`, and `config.toml`, the person's alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SettingsFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) redirect_uri: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<StorageArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) browser: Option<String>,
    /// `off` forbids the device grant; a setting of `config.toml` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<DeviceSetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_cert: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub(crate) param: std::collections::BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub(crate) endpoint: std::collections::BTreeMap<String, String>,
    /// What this version does not know is written back.
    #[serde(flatten)]
    pub(crate) unknown: toml::Table,
}

/// Whether the device grant may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeviceSetting {
    /// Where it is asked for, or where this machine looks remote.
    Auto,
    /// Never.
    Off,
}

impl SettingsFile {
    /// A person's own file: a typing mistake in it is named.
    pub(crate) fn read_strictly(path: &Path) -> Result<SettingsFile, Failure> {
        let file = SettingsFile::read(path)?;
        match file.unknown.keys().next() {
            Some(name) => Err(Failure::settings("use", path, &format!("there is no setting \"{name}\""))),
            None => Ok(file),
        }
    }

    /// A file that is not there has no settings.
    pub(crate) fn read(path: &Path) -> Result<SettingsFile, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SettingsFile::default()),
            Err(error) => return Err(Failure::settings("read", path, &error)),
        };
        toml::from_str(&text).map_err(|error| Failure::settings("use", path, &error.message()))
    }

    /// What cannot be written must fail before anybody has signed in.
    pub(crate) fn probe(path: &Path) -> Result<(), Failure> {
        stage(path).map(drop).map_err(|error| Failure::settings("write", path, &error))
    }

    /// Replaced in one step, readable by this user alone.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::settings("write", path, error);
        let text = toml::to_string(self).map_err(|error| failed(&error))?;
        replace(path, &text).map_err(|error| failed(&error))
    }
}

/// Writes a small file of our own through a temporary one beside it.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = stage(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// The temporary file; that it can be made says that [`replace`] will work.
fn stage(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_dir(dir)?;
    tempfile::NamedTempFile::new_in(dir)
}

/// Settings say which server gets the refresh token, so their folder is the user's alone whatever the umask.
fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("profiles/a.toml");
        let file = SettingsFile {
            issuer: Some("https://a.example".to_owned()),
            redirect_uri: vec!["http://localhost:9999/callback".to_owned()],
            param: [("audience".to_owned(), "x".to_owned())].into(),
            ..SettingsFile::default()
        };
        file.write(&path).unwrap();
        assert_eq!(SettingsFile::read(&path).unwrap(), file);
    }

    #[test]
    fn a_typing_mistake_in_a_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        fs::write(&path, "isuer = \"https://a.example\"").unwrap();
        let Failure::Settings { message, .. } = SettingsFile::read_strictly(&path).unwrap_err() else {
            panic!()
        };
        assert!(message.contains("isuer"), "{message}");
    }

    #[test]
    fn what_a_newer_version_wrote_is_written_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        fs::write(&path, "later = 7\n[param]\na = \"b\"\n[newest]\nc = [1]\n").unwrap();
        let file = SettingsFile::read(&path).unwrap();
        file.write(&path).unwrap();
        assert_eq!(SettingsFile::read(&path).unwrap(), file);
        assert_eq!(file.unknown.keys().collect::<Vec<_>>(), ["later", "newest"]);
    }
}
