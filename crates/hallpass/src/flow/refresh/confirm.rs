//! The ID token of a refresh (OpenID Connect Core §12.2). What needs no key is checked before the tokens are saved; the
//! signature afterwards, because the new refresh token must not wait for it.

use super::note::Note;
use crate::error::{Error, Result, ServerIncompatible};
use crate::flow::endpoint::endpoint_of;
use crate::flow::{Context, LOCK_LIMIT, jwks};
use crate::protocol::id_token::{Expectations, UnverifiedIdToken};
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::Tokens;
use crate::protocol::userinfo::profile_claims;
use crate::secret::Secret;
use crate::store::Record;
use crate::user::User;

/// An ID token that does not contradict the record, or the reason why it cannot be parsed.
pub(super) type NewIdToken = Result<UnverifiedIdToken>;

/// Checks what needs no key. Takes an ID token out of `tokens` if it cannot be parsed, so that it does not replace a
/// valid one.
///
/// # Errors
/// [`Error::ServerMisbehaved`] if the ID token is for another user, issuer or client. None of the tokens may be kept
/// then.
pub(super) fn check(record: &Record, tokens: &mut Tokens) -> Result<Option<NewIdToken>> {
    let Some(user) = &record.user else {
        // There is no user to compare it with.
        tokens.id_token = None;
        return Ok(None);
    };
    let Some(raw) = &tokens.id_token else { return Ok(None) };
    let token = match UnverifiedIdToken::parse(raw) {
        Ok(token) => token,
        Err(rule) => {
            tokens.id_token = None;
            return Ok(Some(Err(rule.into())));
        }
    };
    match token.contradicts(&record.issuer, &user.sub, &record.client_id) {
        Some(rule) => Err(rule.into()),
        None => Ok(Some(Ok(token))),
    }
}

/// Verifies a saved ID token and updates the user's details from it. If it is invalid, puts the `previous` one back.
/// Returns what the user should know of that.
pub(super) fn confirm(
    context: &Context,
    saved: &Record,
    token: Option<NewIdToken>,
    previous: Option<Secret>,
) -> Vec<Note> {
    let Some(token) = token else { return Vec::new() };
    let Err(error) = token.and_then(|token| update_user(context, saved, token)) else { return Vec::new() };
    let is_wrong = matches!(error, Error::ServerMisbehaved(_)) && saved.secret.id_token != previous;
    let mut notes = vec![Note::IdTokenNotVerified(error)];
    if is_wrong && let Err(error) = change(context, saved, |record| record.secret.id_token = previous) {
        notes.push(Note::IdTokenNotRemoved(error));
    }
    notes
}

fn update_user(context: &Context, saved: &Record, token: UnverifiedIdToken) -> Result<()> {
    let url =
        endpoint_of(saved, Endpoint::Jwks).ok_or(ServerIncompatible::NoEndpoint(Endpoint::Jwks.member()))?;
    let keys = jwks::fetch(context, &url)?;
    let expected = Expectations {
        issuer: &saved.issuer,
        client_id: &saved.client_id,
        nonce: None,
        max_age: None,
        access_token: None,
        now: context.now(),
    };
    let mut claims = saved.claims.clone();
    claims.extend(profile_claims(keys.verify(token, &expected)?.all));
    if claims == saved.claims {
        return Ok(());
    }
    change(context, saved, |record| {
        record.user = User::from_claims(&claims);
        record.claims = claims;
    })
}

/// Changes the record, unless another process has written it since.
fn change(context: &Context, saved: &Record, change: impl FnOnce(&mut Record)) -> Result<()> {
    let _guard = context.lock(LOCK_LIMIT)?;
    let mut record = context.record()?;
    if record.generation == saved.generation {
        change(&mut record);
        context.store.stage()?.save(record)?;
    }
    Ok(())
}
