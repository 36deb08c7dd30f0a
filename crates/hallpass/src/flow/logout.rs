//! Signing out: revoked at the server as far as it lets us, erased here in any case.

use std::time::Duration;

use super::Context;
use super::endpoint::{client_auth, endpoint_of, post};
use crate::error::{Error, Result, StoreError};
use crate::protocol::client::ClientAuth;
use crate::protocol::metadata::Endpoint;
use crate::protocol::revocation::{self, Revocation, TokenTypeHint};
use crate::secret::Secret;
use crate::session::LogoutReport;
use crate::store::{Record, StoredRecord};

/// A logout must not hang on a server: this long for each token.
const REVOCATION_LIMIT: Duration = Duration::from_secs(5);
/// A refresh that is under way ends soon; one that hangs must not keep anybody signed in.
const LOCK_LIMIT: Duration = Duration::from_secs(5);

/// Revokes the refresh token, then the access tokens, then erases the record, readable or not, whatever server
/// it is of: a program that moved to another one can still sign its users out of the old one.
pub(crate) fn logout(context: &Context) -> Result<LogoutReport> {
    let guard = lock(context)?;
    let _saving = context.saving.begin();
    let stored = context.store.read();
    let seal = stored.as_ref().ok().and_then(|record| record.as_ref()?.seal.clone());
    let report = match stored {
        Ok(Some(record)) => revoke_stored(context, record),
        Ok(None) => report(context, Revocation::None, Revocation::None),
        Err(error) => unreadable(context, &error),
    };
    let erased = context.store.erase(seal.as_ref())?;
    drop(guard);
    Ok(LogoutReport { erased, ..report })
}

/// Nothing to erase needs no lock file; a lock that is held too long or cannot be made is passed over.
fn lock(context: &Context) -> Result<Option<crate::store::Guard>> {
    if context.store.is_clean() {
        return Ok(None);
    }
    match context.lock(LOCK_LIMIT) {
        Ok(guard) => Ok(Some(guard)),
        Err(Error::Network(_) | Error::Store(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn report(context: &Context, refresh_token: Revocation, access_token: Revocation) -> LogoutReport {
    let profile = context.config.profile.clone();
    LogoutReport {
        profile,
        erased: false,
        refresh_token,
        access_token,
        access_token_until: None,
        shared_with: Vec::new(),
    }
}

fn unreadable(context: &Context, error: &StoreError) -> LogoutReport {
    let unknown = Revocation::Failed(format!("they could not be read ({error})"));
    report(context, unknown, Revocation::None)
}

/// The same for a record whose secrets may be sealed.
pub(super) fn revoke_stored(context: &Context, record: StoredRecord) -> LogoutReport {
    match context.store.open(record) {
        Ok(record) => revoke(context, &record),
        Err(error) => unreadable(context, &error),
    }
}

/// Gives every token of a record back, as far as the server lets us; the record stays.
pub(super) fn revoke(context: &Context, record: &Record) -> LogoutReport {
    let refresh_token = match &record.secret.refresh_token {
        Some(_) if record.tombstone.is_some() => Revocation::None,
        Some(token) => revoke_one(context, record, token, TokenTypeHint::RefreshToken, revocation::judge),
        None => Revocation::None,
    };
    let judge = |client: &ClientAuth<'_>, status, body: &[u8]| {
        revocation::judge_access_token(&refresh_token, client, status, body)
    };
    let outcomes: Vec<Revocation> = record
        .tokens()
        .map(|token| revoke_one(context, record, token.secret, TokenTypeHint::AccessToken, judge))
        .collect();
    let access_token_until = record.access.iter().filter_map(|access| access.expires_at).max();
    let shared_with = context.store.siblings(record);
    LogoutReport { access_token_until, shared_with, ..report(context, refresh_token, worst(outcomes)) }
}

fn revoke_one(
    context: &Context,
    record: &Record,
    token: &Secret,
    hint: TokenTypeHint,
    judge: impl Fn(&ClientAuth<'_>, u16, &[u8]) -> Revocation,
) -> Revocation {
    let Some(url) = endpoint_of(record, Endpoint::Revocation) else { return Revocation::Unsupported };
    let client = client_auth(record);
    let mut request = post(&url, revocation::request(&client, token, hint));
    request.timeout = REVOCATION_LIMIT;
    match context.send("revocation endpoint", request) {
        Ok(answer) => judge(&client, answer.status, &answer.body),
        Err(error) => Revocation::Failed(error.to_string()),
    }
}

/// The outcome that the user must know of, when there were several tokens.
fn worst(outcomes: Vec<Revocation>) -> Revocation {
    let rank = |outcome: &Revocation| match outcome {
        Revocation::None => 0,
        Revocation::Revoked => 1,
        Revocation::Unsupported => 2,
        Revocation::ClientRefused(_) => 3,
        Revocation::Failed(_) => 4,
    };
    outcomes.into_iter().max_by_key(rank).unwrap_or(Revocation::None)
}
