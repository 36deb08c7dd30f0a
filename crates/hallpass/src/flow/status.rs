//! How a session stands: from the record alone, or by asking the server.

use super::{Context, userinfo};
use crate::error::{Error, LoginRequired};
use crate::session::{State, Status};
use crate::store::Record;
use crate::user::User;

/// From the record; nothing is sent.
pub(crate) fn status(context: &Context) -> Status {
    match context.record() {
        Ok(record) => of_record(context, &record),
        Err(error) => without_record(context, state_of(error)),
    }
}

/// Asks the server, renewing the access token where that is due. One without userinfo cannot be asked: the
/// session stays unverified.
pub(crate) fn check(context: &Context) -> Status {
    let before = status(context);
    if before.state != State::Unverified {
        return before;
    }
    match userinfo::fetch_user(context) {
        Ok(_) => Status { state: State::Verified, ..status(context) },
        Err(Error::ServerIncompatible(_)) => status(context),
        Err(error) => Status { state: state_of(error), ..status(context) },
    }
}

fn of_record(context: &Context, record: &Record) -> Status {
    let access = record.access.first();
    Status {
        state: stored_state(context, record),
        user: record.user.clone().map(|user| User { claims: record.claims.clone(), ..user }),
        issuer: Some(record.issuer.clone()),
        client_id: Some(record.client_id.clone()),
        expires_at: access.and_then(|access| access.expires_at),
        renewable: record.renewable,
        ..without_record(context, State::Unverified)
    }
}

/// A session is over when the server ended it, or when it expired and cannot renew itself.
fn stored_state(context: &Context, record: &Record) -> State {
    if let Some(tombstone) = &record.tombstone {
        let error =
            crate::error::OAuthError::new(&tombstone.error, tombstone.error_description.as_deref(), None);
        return State::LoginRequired(LoginRequired::Ended(Some(error)).into());
    }
    let is_dead = record
        .access
        .first()
        .and_then(|access| access.remaining(context.now()))
        .is_some_and(|left| left.is_zero());
    if is_dead && record.secret.refresh_token.is_none() {
        return State::LoginRequired(LoginRequired::Expired.into());
    }
    State::Unverified
}

fn state_of(error: Error) -> State {
    match error {
        Error::LoginRequired(_) => State::LoginRequired(error),
        error => State::Unavailable(error),
    }
}

fn without_record(context: &Context, state: State) -> Status {
    Status {
        profile: context.config.profile.clone(),
        state,
        user: None,
        issuer: None,
        client_id: None,
        expires_at: None,
        renewable: false,
        store: context.store.kind(),
        path: context.store.path().map(ToOwned::to_owned),
    }
}
