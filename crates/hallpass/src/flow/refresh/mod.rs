//! Access tokens: the stored one while it is fresh, or else a refreshed one.
//!
//! A fresh token costs one read. A refresh is a [`transaction`]; [`journal_rules`] are how processes share its outcome.

mod confirm;
mod exchange;
mod freshness;
mod journal_rules;
mod note;
mod token_request;
mod transaction;

use std::time::{Duration, SystemTime};

use super::{Context, LOCK_LIMIT};
use crate::error::{Error, LoginRequired, NetworkError, NetworkErrorKind, Result, ServerIncompatible};
use crate::protocol::id_token::UnverifiedIdToken;
use crate::secret::Secret;
use crate::session::AccessToken;
use crate::store::{Record, Token};

use note::Note;
pub use token_request::TokenRequest;
use transaction::{Refreshed, Transaction};

/// Returns an access token that meets the request, refreshed if necessary.
pub(crate) fn access_token(context: &Context, request: &TokenRequest) -> Result<AccessToken> {
    let record = context.record()?;
    match stored(context, request, &record) {
        Some(token) => Ok(token),
        None => refresh(context, request, &record),
    }
}

/// Returns the stored access token if it meets the request, and reading it takes neither the network nor the keychain.
#[cfg(feature = "tokio")]
pub(crate) fn access_token_at_once(context: &Context, request: &TokenRequest) -> Option<AccessToken> {
    let record = context.stored().ok()?;
    if !context.store.opens_without_keychain(&record) {
        return None;
    }
    stored(context, request, &context.store.open(record).ok()?)
}

/// Returns the ID token, refreshed once if it has expired.
pub(crate) fn id_token(context: &Context) -> Result<Secret> {
    let record = context.record()?;
    if let Some(token) = unexpired_id_token(&record, context.now()) {
        return Ok(token);
    }
    if record.secret.id_token.is_none() {
        return Err(ServerIncompatible::NoIdToken.into());
    }
    access_token(context, &TokenRequest::default().refreshed())?;
    Ok(unexpired_id_token(&context.record()?, context.now()).ok_or(ServerIncompatible::NoIdToken)?)
}

fn unexpired_id_token(record: &Record, now: SystemTime) -> Option<Secret> {
    let token = record.secret.id_token.as_ref()?;
    let parsed = UnverifiedIdToken::parse(token).ok()?;
    if parsed.claims().exp > now { Some(token.clone()) } else { None }
}

fn stored(context: &Context, request: &TokenRequest, record: &Record) -> Option<AccessToken> {
    if request.refreshed {
        return None;
    }
    let token = request.fresh_token(record, context.now())?;
    let newer = record.check_writable(context.store.path()).err();
    Some(with_notes(record, token, newer.into_iter().map(Note::ReadOnly).collect()))
}

/// Refreshes the token. If that fails for a reason that says nothing about the session, returns the token that `seen`
/// has, unless the request requires a newer one.
fn refresh(context: &Context, request: &TokenRequest, seen: &Record) -> Result<AccessToken> {
    let fallback =
        if request.accepts_unexpired() { request.unexpired_token(seen, context.now()) } else { None };
    // A caller with a valid token does not wait for the lock.
    let lock_limit = if fallback.is_some() { Duration::ZERO } else { LOCK_LIMIT };
    match (Transaction::new(context, request, seen).run(lock_limit), fallback) {
        (Ok(refreshed), _) => from_refreshed(request, refreshed),
        (Err(error), Some(token)) if is_temporary(&error) => {
            Ok(with_notes(seen, token, vec![Note::NotRefreshed(error)]))
        }
        (Err(error), _) => Err(error),
    }
}

fn from_refreshed(request: &TokenRequest, refreshed: Refreshed) -> Result<AccessToken> {
    let Refreshed { record, notes } = refreshed;
    match record.token(request.resource.as_deref()) {
        // The time that the token had when it was issued, because the refresh itself took some of it.
        Some(token)
            if request.min_ttl.is_none() || request.fresh_token(&record, token.obtained_at).is_some() =>
        {
            Ok(with_notes(&record, token, notes))
        }
        _ => Err(NetworkError::new(NetworkErrorKind::LifetimeTooShort, &record.issuer, "").into()),
    }
}

fn is_temporary(error: &Error) -> bool {
    matches!(error, Error::Network(_) | Error::Store(_) | Error::LoginRequired(LoginRequired::NoRefreshToken))
}

fn with_notes(record: &Record, token: Token<'_>, notes: Vec<Note>) -> AccessToken {
    AccessToken::new(record, token, notes.iter().map(Note::to_string).collect())
}
