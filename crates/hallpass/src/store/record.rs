//! The record: everything that is known about one sign-in, as it lies on the disk.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{LoginRequired, OAuthError, StoreError};
use crate::protocol::client::AuthMethod;
use crate::secret::Secret;
use crate::secret::wiped::WipedBytes;
use crate::user::User;
use crate::world::keychain::Key;

/// The format that this version writes.
pub(crate) const VERSION: u64 = 1;

/// One sign-in. The clear half tells who is signed in where and until when; the secret half holds what
/// must stay secret, apart, so that it can be sealed as one piece.
///
/// Members that this version does not know are kept and written back. `S` is what is known of the secret half: it is
/// [`Kept`] as it lies on the disk, and [`Secrets`] once it is open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record<S = Secrets> {
    pub(crate) version: u64,
    pub(crate) service: String,
    pub(crate) profile: String,
    /// Counts the writes: a reader that finds another number knows that somebody wrote meanwhile.
    pub(crate) generation: u64,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) auth_method: AuthMethod,
    /// Kept with the session so that a refresh or a logout needs no discovery, and cannot be repointed by it.
    #[serde(default)]
    pub(crate) endpoints: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) scopes_requested: Vec<String>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
    /// Claims by the standard's names, with the server's own names, where those differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) claim_names: BTreeMap<String, String>,
    #[serde(with = "rfc3339")]
    pub(crate) obtained_at: SystemTime,
    pub(crate) renewable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tombstone: Option<Tombstone>,
    /// What was granted, one entry for each resource; the first is the session's own.
    pub(crate) access: Vec<Access>,
    /// How the secret half is sealed; without it, it lies open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<Seal>,
    pub(crate) secret: S,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// A record as it lies on the disk.
pub(crate) type StoredRecord = Record<Kept>;

/// What seals the secret half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// As RFC 7518 §5.1 spells it.
    pub(crate) alg: String,
    /// Which key of the keychain.
    pub(crate) key_id: String,
    /// Base64url; another one for each write.
    pub(crate) nonce: String,
    /// The key itself where the record is open: what was opened can be sealed again, whatever becomes of the keychain
    /// meanwhile.
    #[serde(skip)]
    pub(crate) key: Option<Key>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// The secret half on the disk: an object that lies open, or a text that is sealed.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Open(Secrets),
    /// Base64url.
    Sealed(String),
}

/// One access token's clear half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    /// RFC 8707; `None` is the token that was asked for without a resource.
    #[serde(default)]
    pub(crate) resource: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// `None` where the server gave no lifetime.
    #[serde(default, with = "rfc3339::optional")]
    pub(crate) expires_at: Option<SystemTime>,
    /// When it was renewed last; without it, with the record.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) obtained_at: Option<SystemTime>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// Why and when the server ended the session: it answered `invalid_grant` to the stored refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_description: Option<String>,
    /// When a renewal was sent whose answer was lost: the likely reason.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) lost_at: Option<SystemTime>,
}

impl Tombstone {
    /// The reason for a new login.
    pub(crate) fn ended(&self) -> LoginRequired {
        let error = OAuthError::new(&self.error, self.error_description.as_deref(), None);
        match self.lost_at {
            Some(lost_at) => LoginRequired::ResponseLost { error, lost_at },
            None => LoginRequired::Ended(Some(error)),
        }
    }
}

/// The secret half.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// In the order of [`Record::access`].
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
    /// Reads a record. One that a later version wrote is readable as far as it keeps to this format; it is never
    /// written back.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<StoredRecord, StoreError> {
        let record: StoredRecord = serde_json::from_slice(bytes).map_err(|cause| {
            match version_of(bytes).filter(|version| *version > VERSION) {
                Some(version) => StoreError::Newer { path: path.to_owned(), version },
                None => corrupt(path, &place_of(&cause)),
            }
        })?;
        match &record.secret {
            Kept::Open(secret) if secret.access_tokens.len() != record.access.len() => {
                Err(corrupt(path, "access and access_tokens differ in number"))
            }
            Kept::Sealed(_) if record.seal.is_none() => {
                Err(corrupt(path, "it does not say how it is sealed"))
            }
            Kept::Open(_) if record.seal.is_some() => {
                Err(corrupt(path, "it says that it is sealed, and is not"))
            }
            _ => Ok(record),
        }
    }

    /// The record itself where its secret half lies open, else the sealed one again.
    pub(crate) fn into_open(self) -> Result<Record, Box<StoredRecord>> {
        let (clear, kept) = self.exchange(());
        match kept {
            Kept::Open(secrets) => Ok(clear.exchange(secrets).0),
            sealed @ Kept::Sealed(_) => Err(Box::new(clear.exchange(sealed).0)),
        }
    }

    /// The record as it is written.
    pub(crate) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = WipedBytes::default();
        let written = serde_json::to_writer_pretty(&mut bytes, self).map_err(io::Error::from);
        written.and_then(|()| writeln!(bytes)).expect("texts, numbers and lists of them can be written");
        bytes.into_inner()
    }
}

impl Record {
    /// The record with its secret half lying open.
    pub(crate) fn into_stored(self) -> StoredRecord {
        let (clear, secrets) = self.exchange(());
        clear.exchange(Kept::Open(secrets)).0
    }
}

impl<S> Record<S> {
    /// The key that it is sealed under.
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

    /// The entry for a resource, or the session's own.
    pub(crate) fn access_index(&self, resource: Option<&str>) -> Option<usize> {
        match resource {
            None => (!self.access.is_empty()).then_some(0),
            Some(_) => self.access.iter().position(|access| access.resource.as_deref() == resource),
        }
    }

    /// When the token of an entry came.
    pub(crate) fn obtained_at(&self, access: &Access) -> SystemTime {
        access.obtained_at.unwrap_or(self.obtained_at)
    }

    /// How long the token of an entry lives in all; `None` where nobody knows.
    pub(crate) fn lifetime(&self, access: &Access) -> Option<Duration> {
        access.expires_at?.duration_since(self.obtained_at(access)).ok()
    }

    /// # Errors
    /// [`StoreError::Newer`] where a later version wrote it: what this one does not know of it must not be lost.
    pub(crate) fn check_writable(&self, path: Option<&Path>) -> Result<(), StoreError> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err(StoreError::Newer { path: path.unwrap_or(Path::new("")).to_owned(), version: self.version })
    }

    /// The clear half with another secret half.
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
        f.write_str("secrets, open or sealed")
    }

    fn visit_str<E>(self, text: &str) -> Result<Kept, E> {
        Ok(Kept::Sealed(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kept, A::Error> {
        Secrets::deserialize(MapAccessDeserializer::new(map)).map(Kept::Open)
    }
}

impl Access {
    /// How long the token still lives; `None` where nobody knows.
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

/// Where the parser stopped, without a word of what stands there.
fn place_of(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Times as RFC 3339 in UTC, whole seconds.
pub(super) mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text).map_err(D::Error::custom)
    }

    pub(crate) mod optional {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(
            time: &Option<SystemTime>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<SystemTime>, D::Error> {
            Option::<String>::deserialize(deserializer)?
                .map(|text| humantime::parse_rfc3339(&text).map_err(D::Error::custom))
                .transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../../../../tests/fixtures/records/v1.json");

    fn parse(text: &str) -> Result<StoredRecord, StoreError> {
        StoredRecord::parse(text.as_bytes(), Path::new("/r.json"))
    }

    #[test]
    fn the_first_format_is_read_for_ever_and_written_back_unchanged() {
        let record = parse(V1).unwrap();
        assert_eq!(record.user.as_ref().unwrap().email.as_deref(), Some("test@example.com"));
        assert_eq!(
            record.access[0].expires_at,
            Some(humantime::parse_rfc3339("2026-11-22T11:00:00Z").unwrap())
        );
        assert_eq!(std::str::from_utf8(&record.to_bytes()).unwrap(), V1);
    }

    #[test]
    fn members_of_later_versions_survive() {
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
    fn a_newer_format_is_read_as_far_as_it_can_be_and_never_written() {
        let newer = parse(&V1.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
        assert!(matches!(newer.check_writable(None), Err(StoreError::Newer { version: 2, .. })));
        assert!(matches!(parse(r#"{"version":7,"all":"new"}"#), Err(StoreError::Newer { version: 7, .. })));
    }

    #[test]
    fn a_record_is_sealed_or_it_is_not() {
        let seal = r#""seal": {"alg": "A256GCM", "key_id": "k", "nonce": "n"}, "secret""#;
        assert!(matches!(parse(&V1.replace("\"secret\"", seal)), Err(StoreError::Corrupt { .. })));
        let start = V1.find("\"secret\"").unwrap();
        for (secret, is_sound) in [(seal, true), ("\"secret\"", false)] {
            let sealed = format!("{}{secret}: \"c2VhbGVk\"}}", &V1[..start]);
            assert_eq!(parse(&sealed).is_ok(), is_sound, "{sealed}");
        }
    }

    #[test]
    fn a_broken_file_is_named_without_its_content() {
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
