//! The record: everything stored about one sign-in.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::rfc3339;
use crate::error::{LoginRequired, OAuthError, StoreError};
use crate::protocol::client::AuthMethod;
use crate::secret::Secret;
use crate::secret::wiped::WipedBytes;
use crate::user::User;
use crate::world::keychain::Key;

/// The format version written by this version of Hallpass.
pub(crate) const VERSION: u64 = 1;

/// One sign-in. The clear half holds the user, the server and the expiration times; the secret half holds the tokens,
/// apart, so they can be encrypted as one piece.
///
/// Unknown members are kept and written back. `S` is the type of the secret half: [`Kept`] in a record as stored,
/// [`Secrets`] in an open one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record<S = Secrets> {
    pub(crate) version: u64,
    pub(crate) service: String,
    pub(crate) profile: String,
    /// The number of writes. If it changed since the last read, another process has written the record.
    pub(crate) generation: u64,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) auth_method: AuthMethod,
    /// The server's endpoints, stored so that a refresh or logout needs no discovery and can't be redirected by it.
    #[serde(default)]
    pub(crate) endpoints: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) scopes_requested: Vec<String>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
    /// The server's own names of claims that it names differently, by their standard names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) claim_names: BTreeMap<String, String>,
    #[serde(with = "rfc3339")]
    pub(crate) obtained_at: SystemTime,
    pub(crate) renewable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tombstone: Option<Tombstone>,
    /// The clear half of each access token, one per resource. The first is the session's own.
    pub(crate) access: Vec<Access>,
    /// How the secret half is sealed, or `None` if it isn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<Seal>,
    pub(crate) secret: S,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// A record as stored on disk.
pub(crate) type StoredRecord = Record<Kept>;

/// How the secret half of a record is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// The algorithm, by its name in RFC 7518 §5.1.
    pub(crate) alg: String,
    /// The ID of the key in the keychain.
    pub(crate) key_id: String,
    /// The nonce, base64url-encoded; new for each write.
    pub(crate) nonce: String,
    /// The key itself, if the record is open. With it, the record can be sealed again even if the keychain is no longer
    /// available.
    #[serde(skip)]
    pub(crate) key: Option<Key>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// The secret half on disk: a JSON object, or a string if it's sealed.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Open(Secrets),
    /// The encrypted secrets, base64url-encoded.
    Sealed(String),
}

/// The clear half of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    /// The resource the token is for (RFC 8707), or `None` if it was requested without one.
    #[serde(default)]
    pub(crate) resource: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The expiration time, or `None` if the server gave no lifetime.
    #[serde(default, with = "rfc3339::optional")]
    pub(crate) expires_at: Option<SystemTime>,
    /// The time of the last refresh, or `None` if it's that of the record.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) obtained_at: Option<SystemTime>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// An access token of a record: its clear half and the token itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) access: &'a Access,
    pub(crate) secret: &'a Secret,
}

/// The end of a session: the server responded `invalid_grant` to the stored refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_description: Option<String>,
    /// The time of a refresh whose response was lost, which is the likely reason.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) lost_at: Option<SystemTime>,
}

impl Tombstone {
    /// The reason why a new login is required.
    pub(crate) fn ended(&self) -> LoginRequired {
        let error = OAuthError::new(&self.error, self.error_description.as_deref(), None);
        match self.lost_at {
            Some(lost_at) => LoginRequired::ResponseLost { error, lost_at },
            None => LoginRequired::Ended(Some(error)),
        }
    }
}

/// The secret half of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// The access tokens, in the order of [`Record::access`].
    #[serde(default)]
    pub(crate) access_tokens: Vec<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<Secret>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl StoredRecord {
    /// Parses a record. A newer one is read if it fits this format, but never written back.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a newer record that doesn't fit, [`StoreError::Corrupt`] for anything else: its
    /// cause never quotes the file.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<StoredRecord, StoreError> {
        let record: StoredRecord =
            serde_json::from_slice(bytes).map_err(|cause| match version_of(bytes) {
                Some(version) if version > VERSION => StoreError::Newer { path: path.to_owned(), version },
                _ => corrupt(path, &format!("line {}, column {}", cause.line(), cause.column())),
            })?;
        match &record.secret {
            Kept::Open(secret) if secret.access_tokens.len() != record.access.len() => {
                Err(corrupt(path, "access and access_tokens differ in length"))
            }
            Kept::Sealed(_) if record.seal.is_none() => {
                Err(corrupt(path, "secret is encrypted, but seal is missing"))
            }
            Kept::Open(_) if record.seal.is_some() => {
                Err(corrupt(path, "seal is present, but secret is not encrypted"))
            }
            _ => Ok(record),
        }
    }

    /// Returns the open record, or the unchanged one if it's sealed.
    pub(crate) fn into_open(self) -> Result<Record, Box<StoredRecord>> {
        let (clear, kept) = self.exchange(());
        match kept {
            Kept::Open(secrets) => Ok(clear.exchange(secrets).0),
            sealed @ Kept::Sealed(_) => Err(Box::new(clear.exchange(sealed).0)),
        }
    }

    /// The content of the record's file.
    pub(crate) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = WipedBytes::default();
        let written = serde_json::to_writer_pretty(&mut bytes, self).map_err(io::Error::from);
        written.and_then(|()| writeln!(bytes)).expect("strings, numbers and lists of them can be written");
        bytes.into_inner()
    }
}

impl Record {
    /// The access token for a resource, or the session's own.
    pub(crate) fn token(&self, resource: Option<&str>) -> Option<Token<'_>> {
        self.access_index(resource).map(|index| self.token_at(index))
    }

    /// The access token at an index from [`access_index`](Self::access_index).
    pub(crate) fn token_at(&self, index: usize) -> Token<'_> {
        Token { access: &self.access[index], secret: &self.secret.access_tokens[index] }
    }

    /// The record to store without a seal.
    pub(crate) fn into_stored(self) -> StoredRecord {
        let (clear, secrets) = self.exchange(());
        clear.exchange(Kept::Open(secrets)).0
    }
}

impl<S> Record<S> {
    /// The ID of the key that seals the record.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.seal.as_ref().map(|seal| seal.key_id.as_str())
    }

    /// Whether two records have the same issuer, client and user, and so may share a grant at the server.
    pub(crate) fn is_of_same_user<T>(&self, other: &Record<T>) -> bool {
        let sub = |user: &Option<User>| user.as_ref().map(|user| user.sub.clone());
        self.issuer == other.issuer
            && self.client_id == other.client_id
            && sub(&self.user) == sub(&other.user)
    }

    /// The index of the access token for a resource, or of the session's own.
    pub(crate) fn access_index(&self, resource: Option<&str>) -> Option<usize> {
        let is_it = |access: &Access| resource.is_none() || access.resource.as_deref() == resource;
        self.access.iter().position(is_it)
    }

    /// The time when an access token was received.
    pub(crate) fn obtained_at(&self, access: &Access) -> SystemTime {
        access.obtained_at.unwrap_or(self.obtained_at)
    }

    /// The full lifetime of an access token, or `None` if it's unknown.
    pub(crate) fn lifetime(&self, access: &Access) -> Option<Duration> {
        access.expires_at?.duration_since(self.obtained_at(access)).ok()
    }

    /// Checks that this version may overwrite the record.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer version wrote it, since this one could lose data.
    pub(crate) fn check_writable(&self, path: Option<&Path>) -> Result<(), StoreError> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err(StoreError::Newer { path: path.unwrap_or(Path::new("")).to_owned(), version: self.version })
    }

    /// Replaces the secret half and returns the previous one.
    pub(crate) fn exchange<T>(self, secret: T) -> (Record<T>, S) {
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

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Kept::Open(secrets) => secrets.serialize(serializer),
            Kept::Sealed(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kept, D::Error> {
        deserializer.deserialize_any(KeptVisitor)
    }
}

struct KeptVisitor;

impl<'de> Visitor<'de> for KeptVisitor {
    type Value = Kept;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Kept, E> {
        Ok(Kept::Sealed(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kept, A::Error> {
        Secrets::deserialize(MapAccessDeserializer::new(map)).map(Kept::Open)
    }
}

impl Access {
    /// The remaining lifetime, zero once expired, or `None` if it's unknown.
    pub(crate) fn remaining(&self, now: SystemTime) -> Option<Duration> {
        Some(self.expires_at?.duration_since(now).unwrap_or_default())
    }
}

fn version_of(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    serde_json::from_slice::<Versioned>(bytes).ok().map(|record| record.version)
}

fn corrupt(path: &Path, cause: &str) -> StoreError {
    StoreError::Corrupt { path: path.to_owned(), cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../../../../tests/fixtures/records/v1.json");

    fn parse(text: &str) -> Result<StoredRecord, StoreError> {
        StoredRecord::parse(text.as_bytes(), Path::new("/r.json"))
    }

    #[test]
    fn a_version_1_record_is_read_and_written_back_unchanged() {
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
    fn a_newer_record_is_read_if_possible_and_never_written() {
        let newer = parse(&V1.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
        assert!(matches!(newer.check_writable(None), Err(StoreError::Newer { version: 2, .. })));
        assert!(matches!(parse(r#"{"version":7,"all":"new"}"#), Err(StoreError::Newer { version: 7, .. })));
    }

    #[test]
    fn seal_and_encrypted_secret_come_together_or_not_at_all() {
        let seal = r#""seal": {"alg": "A256GCM", "key_id": "k", "nonce": "n"}, "secret""#;
        assert!(matches!(parse(&V1.replace("\"secret\"", seal)), Err(StoreError::Corrupt { .. })));
        let start = V1.find("\"secret\"").unwrap();
        for (secret, is_sound) in [(seal, true), ("\"secret\"", false)] {
            let sealed = format!("{}{secret}: \"c2VhbGVk\"}}", &V1[..start]);
            assert_eq!(parse(&sealed).is_ok(), is_sound, "{sealed}");
        }
    }

    #[test]
    fn the_error_of_a_corrupt_file_shows_none_of_its_content() {
        for text in ["", "{", "{\"version\":1}", "CANARY", "[]", &V1[..V1.len() / 2], &format!("{V1}{V1}")] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{text}");
            assert!(!error.to_string().contains("CANARY"));
        }
    }

    #[test]
    fn no_secret_shows_in_debug() {
        assert!(!format!("{:?}", parse(V1).unwrap()).contains("CANARY"));
    }
}
