//! The access tokens of a record, each with its clear and its secret half.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rfc3339;
use crate::secret::Secret;

/// The clear half of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    /// The API that the token is for (RFC 8707); `None` if it was requested without a resource.
    #[serde(default)]
    pub(crate) resource: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// `None` if the server gave no lifetime.
    #[serde(default, with = "rfc3339::optional")]
    pub(crate) expires_at: Option<SystemTime>,
    /// When the token was last refreshed; `None` if it is as old as the record.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) obtained_at: Option<SystemTime>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Access {
    /// Returns the time until the token expires, zero if it has expired. `None` if the server gave no lifetime.
    pub(crate) fn remaining(&self, now: SystemTime) -> Option<Duration> {
        Some(self.expires_at?.duration_since(now).unwrap_or_default())
    }
}

/// An access token of an open record: both halves together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) access: &'a Access,
    pub(crate) secret: &'a Secret,
    pub(crate) obtained_at: SystemTime,
}

impl Token<'_> {
    /// Returns the whole lifetime of the token. `None` if the server gave none.
    pub(crate) fn lifetime(self) -> Option<Duration> {
        self.access.expires_at?.duration_since(self.obtained_at).ok()
    }
}
