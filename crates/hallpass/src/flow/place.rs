//! Where a new sign-in will be kept: found out, tried and told before the browser opens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Context;
use crate::config::Storage;
use crate::error::{Error, Result, StoreError};
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
    let seal = NewSeal::new(context, seal);
    context.cancel.check()?;
    let kind = match (&context.config.storage, seal.is_sealed) {
        (Storage::Memory, _) => StoreKind::Memory,
        (_, true) => StoreKind::Keychain,
        (_, false) => StoreKind::File,
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

/// A key that no record names yet, or none. The clone that is dropped first removes it again, so that a login that is
/// cancelled need not wait for an exchange that it leaves behind.
#[derive(Clone)]
pub(super) struct NewSeal {
    context: Arc<Context>,
    is_sealed: bool,
    seal: Arc<Mutex<Option<Seal>>>,
}

impl NewSeal {
    fn new(context: &Arc<Context>, seal: Option<Seal>) -> NewSeal {
        NewSeal { context: context.clone(), is_sealed: seal.is_some(), seal: Arc::new(Mutex::new(seal)) }
    }

    /// For a record that is written with it, which makes it stay. Nobody removes it meanwhile, and whoever cancels
    /// waits until the record is written or does not let it begin.
    pub(super) fn write<T>(&self, write: impl FnOnce(Option<&Seal>) -> Result<T>) -> Result<T> {
        let mut seal = self.lock();
        self.context.cancel.check()?;
        if seal.is_some() != self.is_sealed {
            return Err(Error::Cancelled);
        }
        let written = write(seal.as_ref())?;
        *seal = None;
        Ok(written)
    }

    /// A seal is whole, whatever panicked.
    fn lock(&self) -> MutexGuard<'_, Option<Seal>> {
        self.seal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NewSeal {
    fn drop(&mut self) {
        if let Some(seal) = self.lock().take() {
            self.context.store.break_seal(&seal);
        }
    }
}
