//! How a session stands: from the record alone, or by asking the server.

use super::{Context, userinfo};
use crate::error::{Error, LoginRequired};
use crate::session::{State, Status};
use crate::settings::Storage;
use crate::store::{StoreKind, StoredRecord};
use crate::user::User;

/// From the record; nothing is sent.
pub(crate) fn status(context: &Context) -> Status {
    match context.stored() {
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

fn of_record(context: &Context, record: &StoredRecord) -> Status {
    let access = record.access.first();
    Status {
        state: stored_state(context, record),
        user: record.user.clone().map(|user| User { claims: record.claims.clone(), ..user }),
        issuer: Some(record.issuer.clone()),
        client_id: Some(record.client_id.clone()),
        expires_at: access.and_then(|access| access.expires_at),
        renewable: record.renewable,
        store: context.store.kind_of(record),
        ..without_record(context, State::Unverified)
    }
}

/// A session is over when the server ended it, or when it expired and cannot renew itself.
fn stored_state(context: &Context, record: &StoredRecord) -> State {
    if let Some(tombstone) = &record.tombstone {
        return State::LoginRequired(tombstone.ended().into());
    }
    let is_dead = record
        .access
        .first()
        .and_then(|access| access.remaining(context.now()))
        .is_some_and(|left| left.is_zero());
    if is_dead && !record.renewable {
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
        store: expected_kind(context),
        path: context.store.path().map(ToOwned::to_owned),
    }
}

/// For a profile without a record: the settings of the next login, as far as they are known before it.
fn expected_kind(context: &Context) -> StoreKind {
    match context.config.storage {
        Storage::Memory => StoreKind::Memory,
        Storage::Keychain => StoreKind::Keychain,
        Storage::Auto | Storage::File => StoreKind::File,
    }
}
