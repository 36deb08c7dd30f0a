//! One login at a time per profile: ten programs that all find no session open one browser tab.

use std::time::Duration;

use super::deadline::Deadline;
use super::storage;
use crate::error::Result;
use crate::flow::Context;
use crate::interrupt::TICK;
use crate::session::Session;
use crate::settings::{Client, Storage};
use crate::store::{LockAttempt, LoginGuard, StoredRecord};
use crate::ui::{LoginEvent, LoginUi};

/// With less time left, the user could not finish in the browser.
const LEAST_TIME: Duration = Duration::from_secs(15);

/// The outcome of waiting for our turn.
pub(super) enum Turn {
    /// Our turn, while the guard lives. Without a guard others don't wait for us, as the caller wished.
    Ours(Option<LoginGuard>),
    /// Another process finished the login that this one would have made.
    Done(Box<Session>),
}

/// Waits while another process signs in, and uses its session if that is the one we want.
pub(super) fn take(
    context: &Context,
    ui: &mut dyn LoginUi,
    client: &Client,
    deadline: Deadline,
    before: Option<&StoredRecord>,
) -> Result<Turn> {
    if !context.config.takes_turns {
        return Ok(Turn::Ours(None));
    }
    let (guard, finisher) = match context.store.login_lock_or_holder()? {
        LockAttempt::Locked(guard) => (guard, "another process".to_owned()),
        LockAttempt::HeldBy(holder) => {
            ui.event(LoginEvent::OtherLogin { process: holder.clone() });
            (wait(context, deadline)?, format!("process {holder}"))
        }
    };
    // Another login may have finished even before we could wait for it.
    if let Some(record) = storage::readable(context)?
        && is_new(before, &record)
        && is_wanted(context, client, &record)
    {
        let note = format!("{finisher} finished this sign-in");
        return Ok(Turn::Done(Box::new(Session::new(&context.store, &record, vec![note]))));
    }
    if deadline.left() < LEAST_TIME.min(deadline.limit / 2) {
        return Err(deadline.error());
    }
    Ok(Turn::Ours(Some(guard)))
}

fn wait(context: &Context, deadline: Deadline) -> Result<LoginGuard> {
    while !deadline.left().is_zero() {
        context.cancel.check()?;
        if let Some(guard) = context.store.try_login_lock()? {
            return Ok(guard);
        }
        std::thread::sleep(TICK);
    }
    Err(deadline.error())
}

fn is_new(before: Option<&StoredRecord>, after: &StoredRecord) -> bool {
    match before {
        _ if after.tombstone.is_some() => false,
        Some(before) => before.obtained_at != after.obtained_at,
        None => true,
    }
}

/// Whether a record is what this login would have made.
fn is_wanted(context: &Context, client: &Client, record: &StoredRecord) -> bool {
    let config = &context.config;
    let is_account = match (&config.account, &record.user) {
        (None, _) => true,
        (Some(account), Some(user)) => user.matches_account(account),
        (Some(_), None) => false,
    };
    let has_scopes =
        config.scopes_are_ours || config.scopes.iter().all(|scope| record.scopes_requested.contains(scope));
    let resource = record.access.first().and_then(|access| access.resource.as_ref());
    client.is_issuer(&record.issuer)
        && record.client_id == client.client_id
        && is_stored_as_wanted(config.storage, record)
        && is_account
        && has_scopes
        && resource == config.resource.as_ref()
}

fn is_stored_as_wanted(storage: Storage, record: &StoredRecord) -> bool {
    match storage {
        Storage::Keychain => record.seal.is_some(),
        Storage::File => record.seal.is_none(),
        Storage::Auto | Storage::Memory => true,
    }
}
