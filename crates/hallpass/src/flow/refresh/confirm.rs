//! The ID token of a refresh (OpenID Connect Core §12.2): what needs no key is judged before anything is saved, the
//! rest after, because the new refresh token must not wait for it.

use crate::error::{Error, Result, ServerIncompatible};
use crate::flow::endpoint::endpoint_of;
use crate::flow::{Context, LOCK_LIMIT, jwks};
use crate::protocol::id_token::{Expectations, IdTokenClaims, UnverifiedIdToken};
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::Tokens;
use crate::protocol::userinfo::profile_claims;
use crate::secret::Secret;
use crate::store::Record;
use crate::user::User;

/// One that came and does not contradict the record, or why it cannot be read.
pub(super) type NewIdToken = Result<UnverifiedIdToken>;

/// What can be judged without keys. An ID token that cannot be read is taken out, so that it does not replace one
/// that can; the inner error says why.
///
/// # Errors
/// The server speaks of another user, issuer or client: nothing of its answer is kept.
pub(super) fn judge(record: &Record, tokens: &mut Tokens) -> Result<Option<NewIdToken>> {
    let Some(user) = &record.user else {
        // Nobody knows whom it has to speak of.
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

/// Checks signature and times of a saved ID token and adopts what it says about the user. One that cannot be
/// confirmed gives way to the one `before`, with a remark.
pub(super) fn id_token(
    context: &Context,
    saved: Record,
    token: Option<NewIdToken>,
    before: Option<Secret>,
) -> (Record, Vec<String>) {
    let error = match token.map(|token| verify(context, &saved, token?)) {
        None | Some(Ok(())) => return (saved, Vec::new()),
        Some(Err(error)) => error,
    };
    let mut notes =
        vec![format!("the renewed ID token could not be confirmed ({error}); who you are is as before")];
    let is_wrong = matches!(error, Error::ServerMisbehaved(_)) && saved.secret.id_token != before;
    let taken_back =
        if is_wrong { change(context, &saved, |record| record.secret.id_token = before) } else { Ok(()) };
    notes.extend(taken_back.err().map(|error| format!("it could not be taken out of the record: {error}")));
    (saved, notes)
}

fn verify(context: &Context, saved: &Record, token: UnverifiedIdToken) -> Result<()> {
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
    adopt(context, saved, keys.verify(token, &expected)?)
}

fn adopt(context: &Context, saved: &Record, claims: IdTokenClaims) -> Result<()> {
    let mut merged = saved.claims.clone();
    merged.extend(profile_claims(claims.all));
    if merged == saved.claims {
        return Ok(());
    }
    change(context, saved, |record| {
        record.user = User::from_claims(&merged);
        record.claims = merged;
    })
}

/// Changes the record, unless somebody wrote another one since.
fn change(context: &Context, saved: &Record, change: impl FnOnce(&mut Record)) -> Result<()> {
    let _guard = context.lock(LOCK_LIMIT)?;
    let mut record = context.record()?;
    if record.generation == saved.generation {
        change(&mut record);
        context.store.stage()?.save(record)?;
    }
    Ok(())
}
