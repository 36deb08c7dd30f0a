//! One sign-in at a time for each profile: ten programs that all find nobody signed in open one browser tab.

use std::time::{Duration, Instant};

use super::storage;
use crate::error::{Error, Result};
use crate::flow::Context;
use crate::interrupt::TICK;
use crate::session::Session;
use crate::settings::{Client, Storage};
use crate::store::{Attempt, LoginGuard, StoredRecord};
use crate::ui::{LoginEvent, LoginUi};

/// With less time left, nobody could finish in the browser.
const LEAST_TIME: Duration = Duration::from_secs(15);

/// Whose turn it is.
pub(super) enum Turn {
    /// Ours, while the guard lives. Without one nobody waits for us, as the caller wished.
    Ours(Option<LoginGuard>),
    /// Another process finished the sign-in that this one would have asked for.
    Done(Box<Session>),
}

/// Waits while another process waits for the person, and takes over what it brings if that will do.
pub(super) fn take(
    context: &Context,
    ui: &mut dyn LoginUi,
    client: &Client,
    begun: Instant,
    before: Option<&StoredRecord>,
) -> Result<Turn> {
    if !context.config.takes_turns {
        return Ok(Turn::Ours(None));
    }
    let (guard, finisher) = match context.store.login_turn()? {
        Attempt::Locked(guard) => (guard, "another process".to_owned()),
        Attempt::HeldBy(holder) => {
            ui.event(LoginEvent::OtherLogin { process: holder.clone() });
            (wait(context, begun)?, format!("process {holder}"))
        }
    };
    // One may have been finished before we could wait for it.
    let after = storage::readable(context)?;
    if let Some(record) = after.filter(|record| is_new(before, record) && will_do(context, client, record)) {
        let note = format!("{finisher} finished this sign-in");
        return Ok(Turn::Done(Box::new(Session::new(&context.store, &record, vec![note]))));
    }
    if time_left(context, begun) < LEAST_TIME.min(context.config.login_timeout / 2) {
        return Err(out_of_time(context));
    }
    Ok(Turn::Ours(Some(guard)))
}

fn wait(context: &Context, begun: Instant) -> Result<LoginGuard> {
    while !time_left(context, begun).is_zero() {
        context.cancel.check()?;
        if let Some(guard) = context.store.free_login_turn()? {
            return Ok(guard);
        }
        std::thread::sleep(TICK);
    }
    Err(out_of_time(context))
}

pub(super) fn time_left(context: &Context, begun: Instant) -> Duration {
    context.config.login_timeout.saturating_sub(begun.elapsed())
}

/// Before there was a redirect URI.
pub(super) fn out_of_time(context: &Context) -> Error {
    Error::TimedOut { waited: context.config.login_timeout, redirect_uri: None, ignored: 0 }
}

fn is_new(before: Option<&StoredRecord>, after: &StoredRecord) -> bool {
    before.is_none_or(|before| before.obtained_at != after.obtained_at) && after.tombstone.is_none()
}

/// Whether the other one's record is what this login asks for.
fn will_do(context: &Context, client: &Client, record: &StoredRecord) -> bool {
    let account = context.config.account.as_deref();
    let is_meant =
        account.is_none_or(|account| record.user.as_ref().is_some_and(|user| user.matches_account(account)));
    let has_scopes = context.config.scopes_are_ours
        || context.config.scopes.iter().all(|scope| record.scopes_requested.contains(scope));
    let resource = record.access.first().and_then(|access| access.resource.as_ref());
    client.is_issuer(&record.issuer)
        && record.client_id == client.client_id
        && is_kept_as_asked(context, record)
        && is_meant
        && has_scopes
        && resource == context.config.resource.as_ref()
}

fn is_kept_as_asked(context: &Context, record: &StoredRecord) -> bool {
    match context.config.storage {
        Storage::Keychain => record.seal.is_some(),
        Storage::File => record.seal.is_none(),
        Storage::Auto | Storage::Memory => true,
    }
}
