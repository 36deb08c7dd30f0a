//! Results of the session's calls.

pub(crate) mod diagnosis;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::Error;
use crate::protocol::bearer;
use crate::protocol::revocation::Revocation;
use crate::secret::Secret;
use crate::store::{Record, Store, StoreKind, Token};
use crate::user::User;

pub use diagnosis::{Diagnosis, Finding, Subject, Verdict};

/// A sign-in that was verified and saved.
#[derive(Debug, Clone)]
pub struct Session {
    profile: String,
    issuer: String,
    client_id: String,
    user: Option<User>,
    scopes: Vec<String>,
    expires_at: Option<SystemTime>,
    renewable: bool,
    store: StoreKind,
    path: Option<PathBuf>,
    notes: Vec<String>,
}

impl Session {
    pub(crate) fn new<S>(store: &Store, record: &Record<S>, notes: Vec<String>) -> Session {
        let access = record.access.first();
        Session {
            profile: record.profile.clone(),
            issuer: record.issuer.clone(),
            client_id: record.client_id.clone(),
            user: record.user.clone().map(|user| User { claims: record.claims.clone(), ..user }),
            scopes: access.map(|access| access.scopes.clone()).unwrap_or_default(),
            expires_at: access.and_then(|access| access.expires_at),
            renewable: record.renewable,
            store: store.kind_of(record),
            path: store.path().map(Path::to_owned),
            notes,
        }
    }

    /// The profile that it was saved under.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The issuer, as the server spells it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client that signed in.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The signed-in user; `None` if neither an ID token nor userinfo told.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Granted scopes, maybe fewer than requested.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// When the access token ends; `None` where the server does not say.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Whether the session renews itself by a refresh token. If not, it lasts until
    /// [`expires_at`](Session::expires_at) and no longer.
    pub fn renewable(&self) -> bool {
        self.renewable
    }

    /// The kind of store that holds it.
    pub fn store(&self) -> StoreKind {
        self.store
    }

    /// The record's file, where there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Notes for the user although all went well: scopes that were not granted, a session that
    /// cannot renew itself.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A token to send as `Authorization: Bearer`. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct AccessToken {
    secret: Secret,
    profile: String,
    issuer: String,
    scopes: Vec<String>,
    expires_at: Option<SystemTime>,
    notes: Vec<String>,
}

impl AccessToken {
    pub(crate) fn new(record: &Record, token: Token<'_>, notes: Vec<String>) -> AccessToken {
        AccessToken {
            secret: token.secret.clone(),
            profile: record.profile.clone(),
            issuer: record.issuer.clone(),
            scopes: token.access.scopes.clone(),
            expires_at: token.access.expires_at,
            notes,
        }
    }

    /// The token in clear, for the one server that it is meant for.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// The value of the `Authorization` header for that server (RFC 6750 §2.1).
    pub fn authorization_header(&self) -> Secret {
        bearer::authorization_header(&self.secret)
    }

    /// The token in its box.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The profile it belongs to.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The server that issued it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its scopes.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// When it ends; `None` where the server does not say.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Notes for the user, for example that it could not be refreshed just now.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Result of a logout, here and at the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutReport {
    /// The profile.
    pub profile: String,
    /// Whether there was a record; it is gone now.
    pub erased: bool,
    /// Outcome for the refresh token.
    pub refresh_token: Revocation,
    /// Outcome for the access token. If the server cannot revoke it, it may work until it expires.
    pub access_token: Revocation,
    /// When the last of the access tokens ends by itself, where the server said so.
    pub access_token_until: Option<SystemTime>,
    /// Other profiles signed in at the same issuer, client and user: servers may have ended those too.
    pub shared_with: Vec<String>,
}

impl LogoutReport {
    /// Whether a token may still be alive at the server because it could not be reached or refused.
    pub fn is_unconfirmed(&self) -> bool {
        [&self.refresh_token, &self.access_token]
            .iter()
            .any(|outcome| matches!(outcome, Revocation::Failed(_) | Revocation::ClientRefused(_)))
    }

    /// The tokens that stay valid at a server without revocation.
    fn survivors(&self) -> String {
        let until = match self.access_token_until {
            Some(until) => format!("until {}", humantime::format_rfc3339_seconds(until)),
            None => "until it expires".to_owned(),
        };
        match self.refresh_token {
            Revocation::None => format!("The access token stays valid {until}"),
            _ => format!(
                "The refresh token stays valid until the server ends the session, the access token {until}"
            ),
        }
    }
}

impl fmt::Display for LogoutReport {
    /// One sentence that says what was deleted here and what the server did.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.erased, &self.refresh_token, &self.access_token) {
            (false, ..) => f.write_str("Not signed in."),
            (_, Revocation::ClientRefused(why), _) | (_, _, Revocation::ClientRefused(why)) => {
                let left = self.survivors();
                write!(f, "Logged out here, but the server does not revoke tokens for a client without a secret: {why}. {left}.")
            }
            (_, Revocation::Failed(why), _) | (_, _, Revocation::Failed(why)) => {
                write!(f, "Logged out here, but the server did not confirm that the tokens were revoked: {why}.")
            }
            (_, Revocation::Revoked, Revocation::Unsupported) => {
                f.write_str("Logged out; the server revoked the refresh token, but an access token may work until it expires.")
            }
            (_, Revocation::Unsupported, _) | (_, _, Revocation::Unsupported) => {
                f.write_str("Logged out here; this server cannot revoke tokens, so they work until they expire.")
            }
            (_, Revocation::None, Revocation::None) => f.write_str("Logged out here."),
            _ => f.write_str("Logged out; the server revoked the tokens."),
        }
    }
}

/// How a profile stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// There is a session; whether the server still honours it was not asked.
    Unverified,
    /// The server was asked just now and knows the session.
    Verified,
    /// Only a new login helps.
    LoginRequired(Error),
    /// It cannot be told: the store or the server does not answer.
    Unavailable(Error),
}

/// One profile's session at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The profile.
    pub profile: String,
    /// How it stands.
    pub state: State,
    /// The signed-in user, as far as known.
    pub user: Option<User>,
    /// The issuer; `None` where nothing is stored.
    pub issuer: Option<String>,
    /// The client; `None` where nothing is stored.
    pub client_id: Option<String>,
    /// When the access token ends.
    pub expires_at: Option<SystemTime>,
    /// Whether the session renews itself.
    pub renewable: bool,
    /// The kind of store that holds it.
    pub store: StoreKind,
    /// The record's file, where there is one.
    pub path: Option<PathBuf>,
}
