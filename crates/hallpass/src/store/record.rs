//! The record: everything that is known about one sign-in, as it lies on the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::protocol::client::AuthMethod;
use crate::secret::Secret;
use crate::user::User;

/// The format that this version writes.
pub(crate) const VERSION: u64 = 1;

/// One sign-in. The clear half tells who is signed in where and until when; the secret half holds what
/// must stay secret, apart, so that it can be sealed as one piece.
///
/// Members that this version does not know are kept and written back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
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
    #[serde(with = "rfc3339")]
    pub(crate) obtained_at: SystemTime,
    pub(crate) renewable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tombstone: Option<Tombstone>,
    /// What was granted, one entry for each resource; the first is the session's own.
    pub(crate) access: Vec<Access>,
    pub(crate) secret: Secrets,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
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

impl Record {
    /// Reads a record.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Record, StoreError> {
        let newer = || version_of(bytes).filter(|version| *version > VERSION);
        match serde_json::from_slice::<Record>(bytes) {
            Ok(record)
                if record.version <= VERSION && record.access.len() == record.secret.access_tokens.len() =>
            {
                Ok(record)
            }
            Ok(record) if record.version <= VERSION => {
                Err(corrupt(path, "access and access_tokens differ in number"))
            }
            Ok(record) => Err(StoreError::Newer { path: path.to_owned(), version: record.version }),
            Err(cause) => Err(match newer() {
                Some(version) => StoreError::Newer { path: path.to_owned(), version },
                None => corrupt(path, &place_of(&cause)),
            }),
        }
    }

    /// The record as it is written.
    pub(crate) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        zeroize::Zeroizing::new(bytes)
    }

    /// Whether two records may share one grant at the server: same issuer, client and user.
    pub(crate) fn is_of_same_user(&self, other: &Record) -> bool {
        let sub = |record: &Record| record.user.as_ref().map(|user| user.sub.clone());
        self.issuer == other.issuer && self.client_id == other.client_id && sub(self) == sub(other)
    }

    /// The entry for a resource, or the session's own.
    pub(crate) fn access_index(&self, resource: Option<&str>) -> Option<usize> {
        match resource {
            None => (!self.access.is_empty()).then_some(0),
            Some(_) => self.access.iter().position(|access| access.resource.as_deref() == resource),
        }
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
mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text).map_err(D::Error::custom)
    }

    pub(super) mod optional {
        use super::*;

        pub(in super::super) fn serialize<S: Serializer>(
            time: &Option<SystemTime>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
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

    fn parse(text: &str) -> Result<Record, StoreError> {
        Record::parse(text.as_bytes(), Path::new("/r.json"))
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
    fn a_newer_format_is_named_and_never_taken_for_a_broken_file() {
        for text in
            [V1.replacen("\"version\": 1", "\"version\": 2", 1), r#"{"version":7,"all":"new"}"#.to_owned()]
        {
            assert!(matches!(parse(&text), Err(StoreError::Newer { .. })));
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
