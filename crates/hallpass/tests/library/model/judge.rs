//! What must hold, whatever happens.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

use hallpass::error::{LoginRequired, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Error};
use serde_json::Value;

use super::story::{Act, End};
use super::town::Town;

/// What is wrong with what happened.
pub(super) type Verdict = Found<()>;
pub(super) type Found<T> = Result<T, String>;

macro_rules! demand {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
pub(super) use demand;

/// The record as it lies on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Look {
    bytes: Option<Vec<u8>>,
    pub(super) refresh_token: Option<String>,
    access_token: Option<String>,
    pub(super) is_ended: bool,
    pub(super) key_id: Option<String>,
}

impl Look {
    pub(super) fn is_there(&self) -> bool {
        self.bytes.is_some()
    }
}

impl Town {
    pub(super) fn look(&self) -> Found<Look> {
        let Ok(bytes) = fs::read(self.0.bench.path()) else {
            return Ok(Look {
                bytes: None,
                refresh_token: None,
                access_token: None,
                is_ended: false,
                key_id: None,
            });
        };
        let record: Value = serde_json::from_slice(&bytes).map_err(|error| format!("the record: {error}"))?;
        let secrets = self.0.keychain.secrets(&record).ok_or("the record does not open with any key")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Look {
            bytes: Some(bytes),
            refresh_token: text(&secrets["refresh_token"]),
            access_token: text(&secrets["access_tokens"][0]),
            is_ended: record.get("tombstone").is_some(),
            key_id: text(&record["seal"]["key_id"]),
        })
    }

    /// The rule above all others.
    pub(super) fn compare(&self, before: &Look, after: &Look, act: &Act) -> Verdict {
        let (server, is_login) = (&self.0.server, matches!(act, Act::Login { end: End::Well, .. }));
        if matches!(act, Act::Logout(_)) {
            demand!(!after.is_there(), "a record is left after the logout");
            return Ok(());
        }
        let Some(old) = &before.refresh_token else {
            demand!(!after.is_there() || is_login, "a record came from nowhere");
            return Ok(());
        };
        let Some(new) = &after.refresh_token else { return Err(format!("{old} is gone")) };
        if new == old {
            demand!(after.is_ended || !before.is_ended, "{old} rose from the dead");
            demand!(before.is_ended == after.is_ended || server.has_refused(old), "{old} was buried alive");
            return Ok(());
        }
        let is_newer = server.follows(new, old) || (is_login && server.came_by_login(new));
        demand!(is_newer, "{old} gave way to {new}");
        demand!(!after.is_ended, "{new} was buried at once");
        demand!(is_login || before.key_id == after.key_id, "another key without a login");
        Ok(())
    }

    /// Where the keychain always let go of keys, it has the record's and no other.
    pub(super) fn has_no_stray_keys(&self) -> Verdict {
        if self.0.was_locked.load(Ordering::SeqCst) {
            return Ok(());
        }
        let keys: BTreeSet<String> = self.0.keychain.key_ids().into_iter().collect();
        let named: BTreeSet<String> = self.look()?.key_id.into_iter().collect();
        demand!(keys == named, "keys {keys:?}, though the record names {named:?}");
        Ok(())
    }

    pub(super) fn was_used(&self, look: &Look) -> bool {
        look.refresh_token.as_deref().is_some_and(|token| self.0.server.was_used(token))
    }

    pub(super) fn judge_token(&self, token: &AccessToken, after: &Look) -> Verdict {
        demand!(self.0.server.knows_access_token(token.expose()), "{} is none", token.expose());
        demand!(
            after.access_token.as_deref() == Some(token.expose()),
            "{} is not the stored one",
            token.expose()
        );
        Ok(())
    }

    pub(super) fn judge_error(
        &self,
        error: &Error,
        before: &Look,
        after: &Look,
        was_used: bool,
        tried: usize,
    ) -> Verdict {
        let server = &self.0.server;
        match error {
            Error::LoginRequired(LoginRequired::NotSignedIn { .. }) => {
                demand!(!after.is_there(), "not signed in, though there is a record");
            }
            Error::LoginRequired(why @ (LoginRequired::Ended(_) | LoginRequired::ResponseLost { .. })) => {
                demand!(after.is_ended, "{why} is not written down");
                let token = after.refresh_token.as_deref().unwrap();
                demand!(server.has_refused(token), "{why}, though the server never said so of {token}");
                demand!(!server.would_grant(token), "{why}, though the server would grant");
                let is_known = self.0.is_journal_whole.load(Ordering::SeqCst);
                let is_named = matches!(why, LoginRequired::ResponseLost { .. });
                demand!(
                    before.is_ended || !was_used || !is_known || is_named,
                    "{why}, and not a word of the answer that was lost"
                );
            }
            Error::Network(network) => {
                demand!(after == before, "{error} changed the record");
                demand!(tried > 0 || network.kind == NetworkErrorKind::RetryLater, "{error} without a try");
            }
            Error::Store(StoreError::Keychain { .. }) => {
                demand!(after == before && tried == 0, "{error} changed something");
                demand!(self.0.was_locked.load(Ordering::SeqCst), "{error}, though the keychain is open");
            }
            other => return Err(format!("unheard of: {other:?}")),
        }
        Ok(())
    }

    /// The grant of another user than the one who signed in now is given back.
    pub(super) fn judge_replaced(&self, before: &Look, after: &Look) -> Verdict {
        let (Some(old), Some(new)) = (&before.refresh_token, &after.refresh_token) else { return Ok(()) };
        let server = &self.0.server;
        if server.user_of(old) != server.user_of(new) && !self.0.was_locked.load(Ordering::SeqCst) {
            demand!(before.is_ended || !server.is_grant_alive(old), "the grant of {old} lives on");
        }
        Ok(())
    }
}
