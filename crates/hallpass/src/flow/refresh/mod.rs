//! Handing out an access token: the stored one while it is fresh, else a renewed one.
//!
//! Fresh costs one read. What renewing takes is in [`transaction`]; what processes tell each other about it, in
//! [`journal_rules`].

mod confirm;
mod freshness;
mod journal_rules;
mod transaction;

use std::time::SystemTime;

use super::Context;
use crate::error::{Error, LoginRequired, NetworkError, NetworkErrorKind, Result, ServerIncompatible};
use crate::protocol::id_token::UnverifiedIdToken;
use crate::secret::Secret;
use crate::session::AccessToken;
use crate::store::Record;

pub(crate) use freshness::Ask;
pub use freshness::TokenWish;

/// The access token, renewed where it has to be.
pub(crate) fn access_token(context: &Context, ask: &Ask<'_>) -> Result<AccessToken> {
    let record = context.record()?;
    fresh(context, ask, &record).map_or_else(|| renew(context, ask, record), Ok)
}

/// The stored one where it will do.
fn fresh(context: &Context, ask: &Ask<'_>, record: &Record) -> Option<AccessToken> {
    let index = ask.fresh(record, context.now()).filter(|_| !ask.force)?;
    Some(AccessToken::new(record, index, read_only(context, record)))
}

/// What the user should know of a record that this version may not change.
fn read_only(context: &Context, record: &Record) -> Vec<String> {
    let newer = record.check_writable(context.store.path()).err();
    newer.map(|error| format!("{error}; it can be read until the access token ends")).into_iter().collect()
}

/// The access token where that takes no network and no keychain.
#[cfg(feature = "tokio")]
pub(crate) fn at_hand(context: &Context, ask: &Ask<'_>) -> Option<AccessToken> {
    let stored = context.stored().ok().filter(|stored| context.store.opens_at_once(stored))?;
    fresh(context, ask, &context.store.open(stored).ok()?)
}

/// The ID token, renewed once by its own `exp`.
pub(crate) fn id_token(context: &Context) -> Result<Secret> {
    let record = context.record()?;
    let stored = current_id_token(&record, context.now());
    if let Some(token) = stored {
        return Ok(token);
    }
    record.secret.id_token.as_ref().ok_or(ServerIncompatible::NoIdToken)?;
    access_token(context, &Ask { force: true, ..Ask::default() })?;
    Ok(current_id_token(&context.record()?, context.now()).ok_or(ServerIncompatible::NoIdToken)?)
}

fn current_id_token(record: &Record, now: SystemTime) -> Option<Secret> {
    let token = record.secret.id_token.as_ref()?;
    let claims = UnverifiedIdToken::parse(token).ok()?.claims().clone();
    (claims.exp > now).then(|| token.clone())
}

/// A token that still works outlives a passing failure, unless the caller insists on a newer one.
fn renew(context: &Context, ask: &Ask<'_>, seen: Record) -> Result<AccessToken> {
    let fallback = if ask.insists() { None } else { ask.alive(&seen, context.now()) };
    let result = may_be_renewed(context, &seen, ask)
        .and_then(|()| transaction::run(context, ask, &seen, fallback.is_some()));
    match (result, fallback) {
        (Ok((record, notes)), _) => granted(&record, ask, notes),
        (Err(error), Some(index)) if is_passing(&error) => {
            let note =
                format!("the access token could not be renewed just now ({error}); the old one still works");
            Ok(AccessToken::new(&seen, index, vec![note]))
        }
        (Err(error), _) => Err(error),
    }
}

/// Reasons that are known without asking anybody: a session that was ended, or never could be renewed, or that a
/// later version wrote.
fn may_be_renewed(context: &Context, record: &Record, ask: &Ask<'_>) -> Result<()> {
    if let Some(tombstone) = &record.tombstone {
        return Err(tombstone.ended().into());
    }
    record.check_writable(context.store.path())?;
    match (&record.secret.refresh_token, ask.alive(record, context.now())) {
        (Some(_), _) => Ok(()),
        (None, Some(_)) => Err(LoginRequired::NoRefreshToken.into()),
        (None, None) => Err(LoginRequired::Expired.into()),
    }
}

/// Failures that say nothing about the session: the token that is still alive is as good as before.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Network(_) | Error::Store(_) | Error::LoginRequired(LoginRequired::NoRefreshToken))
}

fn granted(record: &Record, ask: &Ask<'_>, notes: Vec<String>) -> Result<AccessToken> {
    let lives_as_asked = |index: usize| {
        let obtained_at = record.obtained_at(&record.access[index]);
        ask.min_ttl.is_none() || ask.fresh(record, obtained_at).is_some()
    };
    match record.access_index(ask.resource) {
        Some(index) if lives_as_asked(index) => Ok(AccessToken::new(record, index, notes)),
        _ => Err(NetworkError::new(NetworkErrorKind::LifetimeTooShort, &record.issuer, "").into()),
    }
}
