//! Handing out an access token: the stored one while it is fresh, else a renewed one.
//!
//! Fresh costs one read. Otherwise, in this order: lock → read again, adopt what another process wrote →
//! reserve space → send → judge → save → unlock → verify the new ID token → hand out. What can fail late is
//! tried before the refresh token, which may be good for one use only, is spent.

use std::time::{Duration, SystemTime};

use serde_json::Map;

use super::{Context, LOCK_LIMIT, client_auth, endpoint_of, keys, post, status_error};
use crate::error::{
    Error, LoginRequired, NetworkError, NetworkErrorKind, OAuthError, Result, ServerIncompatible,
};
use crate::protocol::id_token::{Expectations, IdTokenClaims, UnverifiedIdToken};
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::{self, TokenVerdict, Tokens};
use crate::protocol::userinfo::profile_claims;
use crate::secret::Secret;
use crate::session::AccessToken;
use crate::store::{Access, Record, Staged, Tombstone};
use crate::user::User;

/// A token with less than this left is renewed, so that it does not die on its way to a server.
const MARGIN: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    /// At least this much life, or an error.
    pub(crate) min_ttl: Option<Duration>,
    /// A token that was issued after this call began, or an error.
    pub(crate) force: bool,
    /// The API that it is for (RFC 8707); `None` is the one of the login.
    pub(crate) resource: Option<&'a str>,
}

impl Ask<'_> {
    /// Whether a token that merely still works is not enough.
    fn insists(&self) -> bool {
        self.force || self.min_ttl.is_some()
    }

    /// The entry that can be handed out as it is. A session that the server ended has none, however long its
    /// tokens seem to live.
    fn fresh(&self, record: &Record, now: SystemTime) -> Option<usize> {
        let index = record.access_index(self.resource).filter(|_| record.tombstone.is_none())?;
        let access = &record.access[index];
        let Some(remaining) = access.remaining(now) else { return Some(index) };
        let needed = self.min_ttl.unwrap_or_else(|| margin(record, access));
        (remaining > needed).then_some(index)
    }

    /// The entry that still works, though not for long.
    fn alive(&self, record: &Record, now: SystemTime) -> Option<usize> {
        let index = record.access_index(self.resource)?;
        record.access[index].remaining(now).is_none_or(|remaining| !remaining.is_zero()).then_some(index)
    }
}

/// 30 seconds, but never more than half of the token's life: a token that lives for 20 s would else be
/// renewed at every call.
fn margin(record: &Record, access: &Access) -> Duration {
    let lifetime = access.expires_at.and_then(|end| end.duration_since(record.obtained_at).ok());
    lifetime.map_or(MARGIN, |lifetime| MARGIN.min(lifetime / 2))
}

/// The access token, renewed where it has to be.
pub(crate) fn access_token(context: &Context, ask: &Ask<'_>) -> Result<AccessToken> {
    let record = context.record()?;
    match ask.fresh(&record, context.now()) {
        Some(index) if !ask.force => Ok(AccessToken::new(&record, index, Vec::new())),
        _ => renew(context, ask, record),
    }
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
    let result = may_be_renewed(&seen, ask, context.now())
        .and_then(|()| locked(context, ask, &seen, fallback.is_some()));
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

/// Reasons that are known without asking anybody: a session that was ended, or never could be renewed.
fn may_be_renewed(record: &Record, ask: &Ask<'_>, now: SystemTime) -> Result<()> {
    if let Some(Tombstone { error, error_description, .. }) = &record.tombstone {
        let error = OAuthError::new(error, error_description.as_deref(), None);
        return Err(LoginRequired::Ended(Some(error)).into());
    }
    match (&record.secret.refresh_token, ask.alive(record, now)) {
        (Some(_), _) => Ok(()),
        (None, Some(_)) => Err(LoginRequired::NotRenewable.into()),
        (None, None) => Err(LoginRequired::Expired.into()),
    }
}

/// Failures that say nothing about the session: the token that is still alive is as good as before.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Network(_) | Error::Store(_) | Error::LoginRequired(LoginRequired::NotRenewable))
}

fn granted(record: &Record, ask: &Ask<'_>, notes: Vec<String>) -> Result<AccessToken> {
    match record.access_index(ask.resource) {
        Some(index) if ask.min_ttl.is_none() || ask.fresh(record, record.obtained_at).is_some() => {
            Ok(AccessToken::new(record, index, notes))
        }
        _ => Err(NetworkError::new(NetworkErrorKind::ShortLived, &record.issuer, "").into()),
    }
}

/// The transaction. Whoever has a token that still works does not queue for the lock.
fn locked(
    context: &Context,
    ask: &Ask<'_>,
    seen: &Record,
    can_do_without: bool,
) -> Result<(Record, Vec<String>)> {
    let guard = context.lock(if can_do_without { Duration::ZERO } else { LOCK_LIMIT })?;
    let record = context.record()?;
    if is_satisfied(ask, seen, &record, context.now()) {
        return Ok((record, Vec::new()));
    }
    may_be_renewed(&record, ask, context.now())?;
    let staged = context.store.stage()?;
    let answer = send(context, &record, ask)?;
    if let Some(other) = replaced(context, &record)? {
        return adopted(context, ask, other);
    }
    let mut tokens = match answer {
        Answer::Granted(tokens) => tokens,
        Answer::Ended(error) => return Err(bury(staged, record, error, context.now())),
    };
    let id_token = judge(&record, &mut tokens)?;
    let saved = staged.save(renewed(record, tokens, ask, context.now()))?;
    drop(guard);
    let confirmed = id_token.map(|token| confirm(context, &saved, token?));
    Ok((saved, confirmed.and_then(Result::err).map(not_confirmed).into_iter().collect()))
}

/// What stands in the record's place by now: a logout passes over a lock that is held for long, and not
/// every file system keeps locks. Neither a tombstone nor a renewed token may undo that. A record that cannot be
/// read just now was not replaced as far as anybody knows, and the new token must not be lost for it.
///
/// # Errors
/// [`LoginRequired`] after a logout.
fn replaced(context: &Context, sent: &Record) -> Result<Option<Record>> {
    match context.record() {
        Ok(current) => Ok((current.secret.refresh_token != sent.secret.refresh_token).then_some(current)),
        Err(error @ Error::LoginRequired(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn adopted(context: &Context, ask: &Ask<'_>, other: Record) -> Result<(Record, Vec<String>)> {
    if ask.fresh(&other, context.now()).is_some() {
        return Ok((other, Vec::new()));
    }
    let detail = "another process replaced it meanwhile; try again";
    Err(NetworkError::new(NetworkErrorKind::Busy, &other.issuer, detail).into())
}

fn not_confirmed(error: Error) -> String {
    format!("the renewed ID token could not be confirmed ({error}); who you are is as before")
}

/// Another process renewed it meanwhile: its token is not the one that this call saw first.
fn is_satisfied(ask: &Ask<'_>, seen: &Record, record: &Record, now: SystemTime) -> bool {
    let token = |record: &Record| {
        record.access_index(ask.resource).map(|index| record.secret.access_tokens[index].clone())
    };
    ask.fresh(record, now).is_some() && (!ask.force || token(seen) != token(record))
}

enum Answer {
    Granted(Tokens),
    Ended(OAuthError),
}

fn send(context: &Context, record: &Record, ask: &Ask<'_>) -> Result<Answer> {
    let url = endpoint_of(record, Endpoint::Token)
        .ok_or(ServerIncompatible::NoEndpoint(Endpoint::Token.member()))?;
    let refresh_token = record.secret.refresh_token.as_ref().ok_or(LoginRequired::NotRenewable)?;
    let resource = ask.resource.or(record.access.first().and_then(|access| access.resource.as_deref()));
    let request = post(&url, token::refresh_request(&client_auth(record), refresh_token, resource));
    let answer = context.send("token endpoint", request).map_err(|error| kept(&url, error))?;
    match token::judge(answer.status, &answer.body) {
        TokenVerdict::Granted(tokens) => Ok(Answer::Granted(tokens)),
        TokenVerdict::Refused(error) if error.error == "invalid_grant" => Ok(Answer::Ended(error)),
        TokenVerdict::Refused(_) | TokenVerdict::Status(_) => Err(status_error(&url, &answer)),
        TokenVerdict::Broken(rule) => Err(kept(&url, rule.into())),
        TokenVerdict::Unusable(lack) => Err(kept(&url, lack.into())),
    }
}

/// An answer that makes no sense (a captive portal's page, a redirect to it) says nothing about the session.
fn kept(url: &url::Url, error: Error) -> Error {
    match error {
        Error::ServerMisbehaved(_) | Error::ServerIncompatible(_) => {
            NetworkError::new(NetworkErrorKind::Broken, &super::host_of(url), &error.to_string()).into()
        }
        other => other,
    }
}

/// The server answered `invalid_grant` to exactly the stored token: written down, so that nobody asks again.
fn bury(staged: Staged<'_>, record: Record, error: OAuthError, now: SystemTime) -> Error {
    let tombstone = Tombstone {
        since: now,
        error: error.error.clone(),
        error_description: error.error_description.clone(),
    };
    match staged.save(Record { tombstone: Some(tombstone), ..record }) {
        Ok(_) => LoginRequired::Ended(Some(error)).into(),
        Err(error) => error.into(),
    }
}

/// What can be judged without keys, before anything is saved (OpenID Connect Core §12.2). An ID token that
/// cannot be read is taken out, so that it does not replace one that can; the inner error says why.
fn judge(record: &Record, tokens: &mut Tokens) -> Result<Option<Result<UnverifiedIdToken>>> {
    let (Some(raw), Some(user)) = (&tokens.id_token, &record.user) else { return Ok(None) };
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

/// The record with what came; what did not come stays (RFC 6749 §6).
fn renewed(mut record: Record, tokens: Tokens, ask: &Ask<'_>, now: SystemTime) -> Record {
    let index = record.access_index(ask.resource).unwrap_or_else(|| {
        let scopes = record.access.first().map(|access| access.scopes.clone()).unwrap_or_default();
        let resource = ask.resource.map(str::to_owned);
        record.access.push(Access { resource, scopes, expires_at: None, unknown: Map::new() });
        record.secret.access_tokens.push(tokens.access_token.clone());
        record.access.len() - 1
    });
    let access = &mut record.access[index];
    access.expires_at = tokens.expires_in.map(|lifetime| now + lifetime);
    access.scopes = tokens.scopes.unwrap_or_else(|| access.scopes.clone());
    record.secret.access_tokens[index] = tokens.access_token;
    record.secret.refresh_token = tokens.refresh_token.or(record.secret.refresh_token);
    record.secret.id_token = tokens.id_token.or(record.secret.id_token);
    record.obtained_at = now;
    record
}

/// Checks the new ID token's signature and times, and adopts what it says about the user.
fn confirm(context: &Context, saved: &Record, token: UnverifiedIdToken) -> Result<()> {
    let url =
        endpoint_of(saved, Endpoint::Jwks).ok_or(ServerIncompatible::NoEndpoint(Endpoint::Jwks.member()))?;
    let keys = keys::fetch(context, &url)?;
    let expected = Expectations {
        issuer: &saved.issuer,
        client_id: &saved.client_id,
        nonce: None,
        access_token: None,
        now: context.now(),
    };
    let claims = token.verify(&keys, &expected)?;
    adopt(context, saved, claims)
}

fn adopt(context: &Context, saved: &Record, claims: IdTokenClaims) -> Result<()> {
    let mut merged = saved.claims.clone();
    merged.extend(profile_claims(claims.all));
    if merged == saved.claims {
        return Ok(());
    }
    let _guard = context.lock(LOCK_LIMIT)?;
    let record = context.record()?;
    if record.generation == saved.generation {
        context.store.stage()?.save(Record { user: User::of_claims(&merged), claims: merged, ..record })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(lifetime: u64) -> Record {
        let v1 = include_str!("../../../../tests/fixtures/records/v1.json");
        let mut record = Record::parse(v1.as_bytes(), std::path::Path::new("v1")).unwrap();
        record.access[0].expires_at = Some(record.obtained_at + Duration::from_secs(lifetime));
        record
    }

    fn is_fresh(record: &Record, ask: &Ask<'_>, age: u64) -> bool {
        ask.fresh(record, record.obtained_at + Duration::from_secs(age)).is_some()
    }

    #[test]
    fn a_token_is_fresh_until_30_seconds_are_left() {
        let (record, ask) = (record(3600), Ask::default());
        assert!(is_fresh(&record, &ask, 3569));
        assert!(!is_fresh(&record, &ask, 3570));
        assert!(!is_fresh(&record, &ask, 9999));
    }

    #[test]
    fn p32_the_margin_is_never_more_than_half_of_a_short_life() {
        for lifetime in [2, 20, 50] {
            assert!(is_fresh(&record(lifetime), &Ask::default(), lifetime / 2 - 1), "{lifetime}");
            assert!(!is_fresh(&record(lifetime), &Ask::default(), lifetime / 2), "{lifetime}");
        }
    }

    #[test]
    fn without_a_lifetime_a_token_is_handed_out_until_told_otherwise() {
        let mut record = record(1);
        record.access[0].expires_at = None;
        assert!(is_fresh(&record, &Ask::default(), 99_999));
    }

    #[test]
    fn an_asked_for_life_rules_over_the_margin() {
        let ask = |seconds| Ask { min_ttl: Some(Duration::from_secs(seconds)), ..Ask::default() };
        assert!(is_fresh(&record(3600), &ask(0), 3599));
        assert!(!is_fresh(&record(3600), &ask(3000), 601));
    }

    #[test]
    fn another_resource_needs_a_token_of_its_own() {
        let ask = Ask { resource: Some("https://api.example.com"), ..Ask::default() };
        assert!(!is_fresh(&record(3600), &ask, 1));
    }
}
