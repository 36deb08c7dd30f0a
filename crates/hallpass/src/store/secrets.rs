//! The secret half of a record: plain or encrypted.

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// The secret half of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// In the order of [`Record::access`](super::Record::access). Read them with
    /// [`Record::token`](super::Record::token).
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

/// The secret half on disk: a JSON object if it is plain, a string if it is encrypted.
#[derive(Debug, Clone)]
pub(crate) enum StoredSecrets {
    Plain(Secrets),
    /// The ciphertext, in base64url.
    Sealed(String),
}

impl Serialize for StoredSecrets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            StoredSecrets::Plain(secrets) => secrets.serialize(serializer),
            StoredSecrets::Sealed(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for StoredSecrets {
    // `#[serde(untagged)]` would buffer the secrets in memory that is not wiped.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StoredSecrets, D::Error> {
        deserializer.deserialize_any(SecretsVisitor)
    }
}

struct SecretsVisitor;

impl<'de> Visitor<'de> for SecretsVisitor {
    type Value = StoredSecrets;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secrets, plain or encrypted")
    }

    fn visit_str<E>(self, text: &str) -> Result<StoredSecrets, E> {
        Ok(StoredSecrets::Sealed(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StoredSecrets, A::Error> {
        Secrets::deserialize(MapAccessDeserializer::new(map)).map(StoredSecrets::Plain)
    }
}
