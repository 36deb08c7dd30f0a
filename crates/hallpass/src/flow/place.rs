//! Where a new sign-in will be kept: found out, tried and told before the browser opens.

use std::sync::Arc;

use super::Context;
use crate::config::Storage;
use crate::error::{Result, StoreError};
use crate::store::{Seal, StoreKind, StoredRecord};
use crate::ui::{LoginEvent, LoginUi};
use crate::world::keychain::KeychainError;

/// What cannot be saved must fail now, not after the user has signed in. Returns the record that the login
/// will replace.
pub(super) fn probe(context: &Context) -> Result<Option<StoredRecord>> {
    let previous = readable(context)?;
    if let Some(previous) = &previous {
        previous.check_writable(context.store.path())?;
    }
    context.store.probe()?;
    Ok(previous)
}

/// The record, if there is one that can be read: a login sets any other aside.
pub(super) fn readable(context: &Context) -> Result<Option<StoredRecord>> {
    match context.store.read() {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        result => Ok(result?),
    }
}

/// A key for the new record, where the policy and the keychain let there be one.
pub(super) fn choose(context: &Arc<Context>, ui: &mut dyn LoginUi) -> Result<NewSeal> {
    let (seal, no_keychain) = match context.config.storage {
        Storage::File | Storage::Memory => (None, None),
        Storage::Keychain => (Some(key(context, ui).map_err(StoreError::NoKeychain)?), None),
        Storage::Auto => match key(context, ui) {
            Ok(seal) => (Some(seal), None),
            Err(why) => (None, Some(why)),
        },
    };
    let seal = NewSeal { context: context.clone(), seal };
    context.cancel.check()?;
    let kind = match (&context.config.storage, seal.seal()) {
        (Storage::Memory, _) => StoreKind::Memory,
        (_, Some(_)) => StoreKind::Keychain,
        (_, None) => StoreKind::File,
    };
    let path = context.store.path().map(ToOwned::to_owned);
    ui.event(LoginEvent::Store { kind, path, no_keychain });
    Ok(seal)
}

fn key(context: &Context, ui: &mut dyn LoginUi) -> Result<Seal, KeychainError> {
    match context.store.new_seal() {
        Err(KeychainError::Locked) if ui.can_unlock() => {
            ui.event(LoginEvent::Unlocking);
            context.store.unlock(&context.cancel)?;
            context.store.new_seal()
        }
        result => result,
    }
}

/// A key that no record names yet. Dropped without one, it is removed again.
pub(super) struct NewSeal {
    context: Arc<Context>,
    seal: Option<Seal>,
}

impl NewSeal {
    pub(super) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// A record names it now.
    pub(super) fn keep(mut self) {
        self.seal = None;
    }
}

impl Drop for NewSeal {
    fn drop(&mut self) {
        if let Some(seal) = &self.seal {
            self.context.store.break_seal(seal);
        }
    }
}
