//! The record: everything that is stored about one session.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::access::{Access, Token};
use super::rfc3339;
use super::secrets::{Secrets, StoredSecrets};
use crate::error::{LoginRequired, OAuthError, StoreError};
use crate::protocol::client::AuthMethod;
use crate::secret::Secret;
use crate::secret::wiped::WipedBytes;
use crate::user::User;
use crate::world::keychain::Key;

/// The version of the format that this code writes.
pub(crate) const VERSION: u64 = 1;

/// One session. The clear half says who is signed in, where and until when. The secret half holds the tokens, apart, so
/// that it can be encrypted as a whole.
///
/// Members that this version does not know are kept and written back. `S` is the form of the secret half:
/// [`StoredSecrets`] as it is on disk, [`Secrets`] once it is open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record<S = Secrets> {
    pub(crate) version: u64,
    pub(crate) service: String,
    pub(crate) profile: String,
    /// The number of writes. A different number means that the record was written in the meantime.
    pub(crate) generation: u64,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) auth_method: AuthMethod,
    /// The endpoints at the time of the login, by name. A refresh or a logout then needs no discovery, and changed
    /// metadata cannot redirect its tokens.
    #[serde(default)]
    pub(crate) endpoints: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) scopes_requested: Vec<String>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
    /// The server's own names of standard claims, by standard name, if they differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) claim_names: BTreeMap<String, String>,
    #[serde(with = "rfc3339")]
    pub(crate) obtained_at: SystemTime,
    pub(crate) renewable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tombstone: Option<Tombstone>,
    /// The clear halves of the access tokens, one per resource. The first is the session's own.
    pub(crate) access: Vec<Access>,
    /// How the secret half is encrypted; `None` if it is plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<Seal>,
    pub(crate) secret: S,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// A record as it is on disk.
pub(crate) type StoredRecord = Record<StoredSecrets>;

/// The encryption of the secret half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// The algorithm, by its name in RFC 7518 §5.1.
    pub(crate) alg: String,
    /// The key's name in the keychain.
    pub(crate) key_id: String,
    /// In base64url; a new one for each write.
    pub(crate) nonce: String,
    /// The key itself, if the record is open. The record can then be encrypted again without the keychain.
    #[serde(skip)]
    pub(crate) key: Option<Key>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// The reason why the server ended the session: it rejected the stored refresh token with `invalid_grant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_description: Option<String>,
    /// When a refresh was sent whose response was lost: the likely cause.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) lost_at: Option<SystemTime>,
}

impl Tombstone {
    /// Returns the reason as the error that asks for a new login.
    pub(crate) fn ended(&self) -> LoginRequired {
        let error = OAuthError::new(&self.error, self.error_description.as_deref(), None);
        match self.lost_at {
            Some(lost_at) => LoginRequired::ResponseLost { error, lost_at },
            None => LoginRequired::Ended(Some(error)),
        }
    }
}

impl StoredRecord {
    /// Parses a record. One of a later version is accepted as far as it has this format; it is never written back.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the place or the problem, never with content of the file;
    /// [`StoreError::Newer`] if a later version changed the format.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<StoredRecord, StoreError> {
        let corrupt = |cause: String| StoreError::Corrupt { path: path.to_owned(), cause };
        let record: StoredRecord = match serde_json::from_slice(bytes) {
            Ok(record) => record,
            Err(error) => match version_of(bytes) {
                Some(version) if version > VERSION => {
                    return Err(StoreError::Newer { path: path.to_owned(), version });
                }
                _ => return Err(corrupt(format!("line {}, column {}", error.line(), error.column()))),
            },
        };
        match (&record.secret, &record.seal) {
            (StoredSecrets::Plain(_), Some(_)) => {
                Err(corrupt("seal is present, but secret is not encrypted".to_owned()))
            }
            (StoredSecrets::Sealed(_), None) => {
                Err(corrupt("secret is encrypted, but seal is missing".to_owned()))
            }
            (StoredSecrets::Plain(secrets), None) if secrets.access_tokens.len() != record.access.len() => {
                Err(corrupt("access and access_tokens differ in length".to_owned()))
            }
            _ => Ok(record),
        }
    }

    /// Returns the open record if its secret half is plain, or else the record unchanged.
    pub(crate) fn into_open(self) -> Result<Record, Box<StoredRecord>> {
        let (clear, secrets) = self.replace_secret(());
        match secrets {
            StoredSecrets::Plain(secrets) => Ok(clear.replace_secret(secrets).0),
            sealed @ StoredSecrets::Sealed(_) => Err(Box::new(clear.replace_secret(sealed).0)),
        }
    }

    /// Returns the content of the record's file.
    pub(crate) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = WipedBytes::default();
        let written = serde_json::to_writer_pretty(&mut bytes, self).map_err(io::Error::from);
        written.and_then(|()| writeln!(bytes)).expect("strings, numbers and lists can always be written");
        bytes.into_inner()
    }
}

impl Record {
    /// Returns the record with its secret half in plain text.
    pub(crate) fn into_stored(self) -> StoredRecord {
        let (clear, secrets) = self.replace_secret(());
        clear.replace_secret(StoredSecrets::Plain(secrets)).0
    }

    /// Returns every access token, the session's own first.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        self.access.iter().zip(&self.secret.access_tokens).map(|(access, secret)| Token {
            access,
            secret,
            obtained_at: access.obtained_at.unwrap_or(self.obtained_at),
        })
    }

    /// Returns the access token for a resource, or the session's own.
    pub(crate) fn token(&self, resource: Option<&str>) -> Option<Token<'_>> {
        self.tokens().nth(self.token_index(resource)?)
    }

    /// Replaces the access token for a resource, or adds one with the session's scopes. Returns its clear half.
    pub(crate) fn put_token(&mut self, resource: Option<&str>, secret: Secret) -> &mut Access {
        let index = self.token_index(resource).unwrap_or(self.access.len());
        if index == self.access.len() {
            self.access.push(Access {
                resource: resource.map(str::to_owned),
                scopes: self.access.first().map(|own| own.scopes.clone()).unwrap_or_default(),
                expires_at: None,
                obtained_at: None,
                unknown: Map::new(),
            });
            self.secret.access_tokens.push(secret);
        } else {
            self.secret.access_tokens[index] = secret;
        }
        &mut self.access[index]
    }

    fn token_index(&self, resource: Option<&str>) -> Option<usize> {
        match resource {
            None if self.access.is_empty() => None,
            None => Some(0),
            Some(_) => self.access.iter().position(|access| access.resource.as_deref() == resource),
        }
    }
}

impl<S> Record<S> {
    /// Returns the name of the key that the record is encrypted with.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.seal.as_ref().map(|seal| seal.key_id.as_str())
    }

    /// Whether two records may share one grant at the server: same issuer, client and user.
    pub(crate) fn is_of_same_user<T>(&self, other: &Record<T>) -> bool {
        let sub = |user: &Option<User>| user.as_ref().map(|user| user.sub.clone());
        self.issuer == other.issuer
            && self.client_id == other.client_id
            && sub(&self.user) == sub(&other.user)
    }

    /// Checks that this version may write the record without losing what a later version stored in it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version wrote it.
    pub(crate) fn check_writable(&self, path: Option<&Path>) -> Result<(), StoreError> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err(StoreError::Newer { path: path.unwrap_or(Path::new("")).to_owned(), version: self.version })
    }

    /// Returns the record with another secret half, and the one that it had.
    pub(super) fn replace_secret<T>(self, secret: T) -> (Record<T>, S) {
        let record = Record {
            version: self.version,
            service: self.service,
            profile: self.profile,
            generation: self.generation,
            issuer: self.issuer,
            client_id: self.client_id,
            auth_method: self.auth_method,
            endpoints: self.endpoints,
            scopes_requested: self.scopes_requested,
            user: self.user,
            claims: self.claims,
            claim_names: self.claim_names,
            obtained_at: self.obtained_at,
            renewable: self.renewable,
            tombstone: self.tombstone,
            access: self.access,
            seal: self.seal,
            secret,
            unknown: self.unknown,
        };
        (record, self.secret)
    }
}

fn version_of(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let record: Versioned = serde_json::from_slice(bytes).ok()?;
    Some(record.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../../../../tests/fixtures/records/v1.json");

    fn parse(text: &str) -> Result<StoredRecord, StoreError> {
        StoredRecord::parse(text.as_bytes(), Path::new("/r.json"))
    }

    #[test]
    fn version_1_is_read_and_written_back_unchanged() {
        let record = parse(V1).unwrap();
        assert_eq!(record.user.as_ref().unwrap().email.as_deref(), Some("test@example.com"));
        assert_eq!(
            record.access[0].expires_at,
            Some(humantime::parse_rfc3339("2026-11-22T11:00:00Z").unwrap())
        );
        assert_eq!(std::str::from_utf8(&record.to_bytes()).unwrap(), V1);
    }

    #[test]
    fn unknown_members_are_written_back() {
        let later = V1.replacen("\"version\": 1,", "\"version\": 1, \"later\": {\"a\": [1]},", 1).replacen(
            "\"refresh_token\":",
            "\"later_secret\": 7, \"refresh_token\":",
            1,
        );
        let written = String::from_utf8(parse(&later).unwrap().to_bytes().to_vec()).unwrap();
        let json: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(json["later"]["a"][0], 1);
        assert_eq!(json["secret"]["later_secret"], 7);
    }

    #[test]
    fn a_newer_format_is_read_if_possible_and_never_written() {
        let newer = parse(&V1.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
        assert!(matches!(newer.check_writable(None), Err(StoreError::Newer { version: 2, .. })));
        assert!(matches!(parse(r#"{"version":7,"all":"new"}"#), Err(StoreError::Newer { version: 7, .. })));
    }

    #[test]
    fn an_encrypted_record_has_a_seal_and_a_plain_one_has_none() {
        let seal = r#""seal": {"alg": "A256GCM", "key_id": "k", "nonce": "n"}, "secret""#;
        assert!(matches!(parse(&V1.replace("\"secret\"", seal)), Err(StoreError::Corrupt { .. })));
        let start = V1.find("\"secret\"").unwrap();
        for (secret, is_sound) in [(seal, true), ("\"secret\"", false)] {
            let sealed = format!("{}{secret}: \"c2VhbGVk\"}}", &V1[..start]);
            assert_eq!(parse(&sealed).is_ok(), is_sound, "{sealed}");
        }
    }

    #[test]
    fn a_corrupt_file_is_reported_without_its_content() {
        for text in ["", "{", "{\"version\":1}", "CANARY", "[]", &V1[..V1.len() / 2], &format!("{V1}{V1}")] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{text}");
            assert!(!error.to_string().contains("CANARY"));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", parse(V1).unwrap()).contains("CANARY"));
    }

    #[test]
    fn a_token_is_replaced_for_its_own_resource_alone() {
        const API: Option<&str> = Some("https://api.example.com");
        let mut record = parse(V1).unwrap().into_open().unwrap();
        assert!(record.token(API).is_none());
        for (resource, text) in [(API, "api"), (None, "own"), (API, "newer")] {
            record.put_token(resource, Secret::new(text.to_owned()));
        }
        let texts: Vec<&str> = record.tokens().map(|token| token.secret.expose()).collect();
        assert_eq!(texts, ["own", "newer"]);
        let api = record.token(API).unwrap().access;
        assert_eq!((api.resource.as_deref(), &api.scopes), (API, &record.access[0].scopes));
    }
}
