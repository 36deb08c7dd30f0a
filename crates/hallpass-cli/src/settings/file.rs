//! Settings files: `profiles/<name>.toml` and `config.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::args::{Login, StorageArg};
use crate::failure::{Failure, FileAction};

/// Settings, as `login` writes them for a profile and the user writes them into `config.toml`.
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
    /// Read from `config.toml` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) browser: Option<String>,
    /// Never written to a profile's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<DeviceSetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_cert: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) param: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) endpoint: BTreeMap<String, String>,
    /// Settings of newer versions, which are kept when the file is written.
    #[serde(flatten)]
    pub(crate) unknown: toml::Table,
}

/// Whether the device grant (RFC 8628) may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeviceSetting {
    /// With `--device`, or if this machine looks like a remote one.
    Auto,
    /// Never.
    Off,
}

impl SettingsFile {
    /// Takes the options of a login.
    pub(crate) fn from_args(args: &Login) -> SettingsFile {
        SettingsFile {
            issuer: args.server.issuer.clone(),
            provider: args.provider.clone(),
            client_id: args.server.client_id.clone(),
            client_secret_file: args.client_secret_file.clone(),
            scope: args.scope.clone(),
            redirect_uri: args.redirect_uri.clone(),
            listen: args.listen,
            resource: args.resource.clone(),
            storage: args.storage,
            ca_cert: args.ca_cert.clone(),
            param: args.param.iter().cloned().collect(),
            endpoint: args.endpoint.iter().cloned().collect(),
            ..SettingsFile::default()
        }
    }

    /// Takes the settings that have a variable, by the value that `get` returns for it.
    pub(crate) fn from_variables(get: impl Fn(&str) -> Option<String>) -> SettingsFile {
        SettingsFile {
            issuer: get("HALLPASS_ISSUER"),
            client_id: get("HALLPASS_CLIENT_ID"),
            scope: get("HALLPASS_SCOPE"),
            redirect_uri: get("HALLPASS_REDIRECT_URI").into_iter().collect(),
            resource: get("HALLPASS_RESOURCE"),
            ..SettingsFile::default()
        }
    }

    /// Fills in from `other` what is not set here. Parameters and endpoints are merged by name.
    pub(crate) fn or(self, other: SettingsFile) -> SettingsFile {
        let mut unknown = other.unknown;
        unknown.extend(self.unknown);
        SettingsFile {
            issuer: self.issuer.or(other.issuer),
            provider: self.provider.or(other.provider),
            client_id: self.client_id.or(other.client_id),
            client_secret_file: self.client_secret_file.or(other.client_secret_file),
            scope: self.scope.or(other.scope),
            redirect_uri: if self.redirect_uri.is_empty() { other.redirect_uri } else { self.redirect_uri },
            listen: self.listen.or(other.listen),
            resource: self.resource.or(other.resource),
            storage: self.storage.or(other.storage),
            browser: self.browser.or(other.browser),
            device: self.device.or(other.device),
            ca_cert: self.ca_cert.or(other.ca_cert),
            param: merged(self.param, other.param),
            endpoint: merged(self.endpoint, other.endpoint),
            unknown,
        }
    }

    /// Reads a file that the user wrote, in which an unknown setting is a typing error.
    pub(crate) fn read_strictly(path: &Path) -> Result<SettingsFile, Failure> {
        let file = SettingsFile::read(path)?;
        match file.unknown.keys().next() {
            Some(name) => {
                let cause = format!("there is no setting \"{name}\"");
                Err(Failure::settings(FileAction::Parse, path, &cause))
            }
            None => Ok(file),
        }
    }

    /// Reads a file; a missing one has no settings.
    pub(crate) fn read(path: &Path) -> Result<SettingsFile, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SettingsFile::default()),
            Err(error) => return Err(Failure::settings(FileAction::Read, path, &error)),
        };
        toml::from_str(&text).map_err(|error| Failure::settings(FileAction::Parse, path, &error.message()))
    }

    /// Checks that the file can be written, by creating a temporary one beside it.
    pub(crate) fn check_writable(path: &Path) -> Result<(), Failure> {
        match temporary_file(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::settings(FileAction::Write, path, &error)),
        }
    }

    /// Writes the file in one step; only this user can read it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text =
            toml::to_string(self).map_err(|error| Failure::settings(FileAction::Write, path, &error))?;
        replace(path, &text)
    }
}

/// Adds the entries of `other` whose names are not in `own`.
fn merged(own: BTreeMap<String, String>, other: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = other;
    all.extend(own);
    all
}

/// Replaces a small file by way of a temporary one beside it.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let written = temporary_file(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    });
    written.map_err(|error| Failure::settings(FileAction::Write, path, &error))
}

fn temporary_file(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // Settings decide which server gets the refresh token, so no other user may write them, whatever the umask.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    tempfile::NamedTempFile::new_in(dir)
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
    fn what_is_set_wins_and_the_rest_is_filled_in() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let file = SettingsFile {
            issuer: Some("https://a.example".to_owned()),
            redirect_uri: vec!["http://127.0.0.1/a".to_owned()],
            param: [pair("a", "1")].into(),
            ..SettingsFile::default()
        };
        let other = SettingsFile {
            issuer: Some("https://b.example".to_owned()),
            scope: Some("openid".to_owned()),
            redirect_uri: vec!["http://127.0.0.1/b".to_owned()],
            param: [pair("a", "2"), pair("b", "2")].into(),
            ..SettingsFile::default()
        };
        let expected = SettingsFile {
            scope: Some("openid".to_owned()),
            param: [pair("a", "1"), pair("b", "2")].into(),
            ..file.clone()
        };
        assert_eq!(file.or(other), expected);
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
