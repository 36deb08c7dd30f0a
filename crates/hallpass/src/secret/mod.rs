//! The type that holds secrets.

pub(crate) mod wiped;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// A token, code or verifier: wiped from memory when dropped, and printed as `[redacted]`.
///
/// [`expose`](Secret::expose) is the only way to the value: search for it to find every place where a secret is used.
/// Comparing two secrets of the same length takes the same time wherever they differ.
///
/// ```
/// let secret = hallpass::Secret::new("s3cr3t".to_owned());
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), "s3cr3t");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Secret {
        Secret(SecretString::from(value))
    }

    /// The value in plain text. Send it only to the server that it is meant for, and never log it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Secret {
        Secret::new(value)
    }
}

impl serde::Serialize for Secret {
    /// Writes the value in plain text. Only the secret part of a stored record is serialized.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
