//! The rules that hold after every step.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

use hallpass::error::{LoginRequired, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Error};
use serde_json::Value;

use super::history::{End, Step};
use super::simulation::Simulation;

/// The broken rule, if any.
pub(super) type Check = Checked<()>;
pub(super) type Checked<T> = Result<T, String>;

macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
pub(super) use ensure;

/// The record on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    bytes: Option<Vec<u8>>,
    pub(super) refresh_token: Option<String>,
    access_token: Option<String>,
    pub(super) is_ended: bool,
    pub(super) key_id: Option<String>,
}

impl Snapshot {
    pub(super) fn is_there(&self) -> bool {
        self.bytes.is_some()
    }
}

impl Simulation {
    pub(super) fn snapshot(&self) -> Checked<Snapshot> {
        let Ok(bytes) = fs::read(self.0.sandbox.path()) else {
            return Ok(Snapshot {
                bytes: None,
                refresh_token: None,
                access_token: None,
                is_ended: false,
                key_id: None,
            });
        };
        let record: Value = serde_json::from_slice(&bytes).map_err(|error| format!("the record: {error}"))?;
        let secrets = self.0.keychain.secrets(&record).ok_or("no key decrypts the record")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Snapshot {
            bytes: Some(bytes),
            refresh_token: text(&secrets["refresh_token"]),
            access_token: text(&secrets["access_tokens"][0]),
            is_ended: record.get("tombstone").is_some(),
            key_id: text(&record["seal"]["key_id"]),
        })
    }

    /// Checks that a step lost no working refresh token.
    pub(super) fn compare(&self, before: &Snapshot, after: &Snapshot, step: &Step) -> Check {
        let (server, is_login) = (&self.0.server, matches!(step, Step::Login { end: End::Well, .. }));
        if matches!(step, Step::Logout(_)) {
            ensure!(!after.is_there(), "a record is left after the logout");
            return Ok(());
        }
        let Some(old) = &before.refresh_token else {
            ensure!(!after.is_there() || is_login, "a record came from nowhere");
            return Ok(());
        };
        let Some(new) = &after.refresh_token else { return Err(format!("{old} is gone")) };
        if new == old {
            ensure!(after.is_ended || !before.is_ended, "{old} is no longer marked as ended");
            ensure!(
                before.is_ended == after.is_ended || server.has_refused(old),
                "{old} is marked as ended, but the server did not refuse it"
            );
            return Ok(());
        }
        let is_newer = server.follows(new, old) || (is_login && server.came_by_login(new));
        ensure!(is_newer, "{old} was replaced by {new}");
        ensure!(!after.is_ended, "{new} is marked as ended at once");
        ensure!(is_login || before.key_id == after.key_id, "another key without a login");
        Ok(())
    }

    /// Checks that the keychain has the record's key and no other, unless it was locked at some time.
    pub(super) fn check_keys(&self) -> Check {
        if self.0.was_locked.load(Ordering::SeqCst) {
            return Ok(());
        }
        let keys: BTreeSet<String> = self.0.keychain.key_ids().into_iter().collect();
        let named: BTreeSet<String> = self.snapshot()?.key_id.into_iter().collect();
        ensure!(keys == named, "keys {keys:?}, though the record names {named:?}");
        Ok(())
    }

    pub(super) fn was_used(&self, snapshot: &Snapshot) -> bool {
        snapshot.refresh_token.as_deref().is_some_and(|token| self.0.server.was_used(token))
    }

    pub(super) fn check_token(&self, token: &AccessToken, after: &Snapshot) -> Check {
        ensure!(
            self.0.server.knows_access_token(token.expose()),
            "{} is not valid at the server",
            token.expose()
        );
        ensure!(
            after.access_token.as_deref() == Some(token.expose()),
            "{} is not the stored one",
            token.expose()
        );
        Ok(())
    }

    pub(super) fn check_error(
        &self,
        error: &Error,
        before: &Snapshot,
        after: &Snapshot,
        was_used: bool,
        tried: usize,
    ) -> Check {
        let server = &self.0.server;
        match error {
            Error::LoginRequired(LoginRequired::NotSignedIn { .. }) => {
                ensure!(!after.is_there(), "not signed in, though there is a record");
            }
            Error::LoginRequired(why @ (LoginRequired::Ended(_) | LoginRequired::ResponseLost { .. })) => {
                ensure!(after.is_ended, "{why} is not written down");
                let token = after.refresh_token.as_deref().unwrap();
                ensure!(server.has_refused(token), "{why}, though the server never said so of {token}");
                ensure!(!server.would_grant(token), "{why}, though the server would grant");
                let is_known = self.0.is_journal_whole.load(Ordering::SeqCst);
                let is_named = matches!(why, LoginRequired::ResponseLost { .. });
                ensure!(
                    before.is_ended || !was_used || !is_known || is_named,
                    "{why}, without the response that was lost"
                );
            }
            Error::Network(network) => {
                ensure!(after == before, "{error} changed the record");
                ensure!(tried > 0 || network.kind == NetworkErrorKind::RetryLater, "{error} without a try");
            }
            Error::Store(StoreError::Keychain { .. }) => {
                ensure!(after == before && tried == 0, "{error} changed something");
                ensure!(self.0.was_locked.load(Ordering::SeqCst), "{error}, though the keychain is open");
            }
            other => return Err(format!("unexpected: {other:?}")),
        }
        Ok(())
    }

    /// Checks that a login of another user revoked the earlier grant.
    pub(super) fn check_replaced(&self, before: &Snapshot, after: &Snapshot) -> Check {
        let (Some(old), Some(new)) = (&before.refresh_token, &after.refresh_token) else { return Ok(()) };
        let server = &self.0.server;
        if server.user_of(old) != server.user_of(new) && !self.0.was_locked.load(Ordering::SeqCst) {
            ensure!(before.is_ended || !server.is_grant_alive(old), "the grant of {old} is not revoked");
        }
        Ok(())
    }
}
