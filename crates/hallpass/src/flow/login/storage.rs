//! The storage for a new session: chosen, tried and shown before the browser opens.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{Error, KeychainError, Result, StoreError};
use crate::flow::Context;
use crate::settings::Storage;
use crate::store::{Seal, StoreKind, StoredRecord};
use crate::ui::{LoginEvent, LoginUi};

/// How long the user waits before the login says what for.
const SILENT_WAIT: Duration = Duration::from_secs(1);

/// Fails now if the session could not be saved later. Returns the record that the login will replace.
pub(crate) fn probe(context: &Context) -> Result<Option<StoredRecord>> {
    let previous = readable(context)?;
    if let Some(previous) = &previous {
        previous.check_writable(context.store.path())?;
    }
    context.store.probe()?;
    Ok(previous)
}

/// Returns the record if there is one that can be read. A login moves any other aside.
pub(crate) fn readable(context: &Context) -> Result<Option<StoredRecord>> {
    match context.store.read() {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        result => Ok(result?),
    }
}

/// Generates a key for the new record, if the policy and the keychain allow it.
pub(crate) fn choose(context: &Arc<Context>, ui: &mut dyn LoginUi) -> Result<NewSeal> {
    let (seal, no_keychain) = match context.config.storage {
        Storage::File | Storage::Memory => (None, None),
        Storage::Keychain => (Some(key(context, ui).map_err(StoreError::NoKeychain)?), None),
        Storage::Auto => match key(context, ui) {
            Ok(seal) => (Some(seal), None),
            Err(error) => (None, Some(error)),
        },
    };
    let is_sealed = seal.is_some();
    let seal = NewSeal::new(context, seal);
    context.cancel.check()?;
    let kind = match (&context.config.storage, is_sealed) {
        (Storage::Memory, _) => StoreKind::Memory,
        (_, true) => StoreKind::Keychain,
        (_, false) => StoreKind::File,
    };
    let path = context.store.path().map(ToOwned::to_owned);
    ui.event(LoginEvent::Store { kind, path, no_keychain });
    Ok(seal)
}

fn key(context: &Context, ui: &mut dyn LoginUi) -> Result<Seal, KeychainError> {
    match new_seal(context, ui) {
        Err(KeychainError::Locked) if ui.can_unlock() => {
            ui.event(LoginEvent::Unlocking);
            context.store.unlock(&context.cancel)?;
            context.store.new_seal()
        }
        result => result,
    }
}

/// Generates a key, and says so if that takes long: several calls, each with a limit of its own.
fn new_seal(context: &Context, ui: &mut dyn LoginUi) -> Result<Seal, KeychainError> {
    let (done, seal) = mpsc::channel();
    let store = context.store.clone();
    thread::spawn(move || drop(done.send(store.new_seal())));
    let outcome = match seal.recv_timeout(SILENT_WAIT) {
        Err(RecvTimeoutError::Timeout) => {
            ui.event(LoginEvent::SlowKeychain);
            seal.recv().ok()
        }
        outcome => outcome.ok(),
    };
    outcome.unwrap_or_else(|| Err(KeychainError::Failed("it panicked".to_owned())))
}

/// The key for the record that a login will write, if there is one, and whether the record was written. Clones share their
/// state: the login can withdraw the key that the exchange is about to use.
#[derive(Clone)]
pub(crate) struct NewSeal {
    context: Arc<Context>,
    state: Arc<Mutex<State>>,
}

enum State {
    Open(Option<Seal>),
    Written,
    Withdrawn,
}

impl NewSeal {
    fn new(context: &Arc<Context>, seal: Option<Seal>) -> NewSeal {
        NewSeal { context: context.clone(), state: Arc::new(Mutex::new(State::Open(seal))) }
    }

    /// Writes the record, which makes the key permanent, unless the key was withdrawn.
    pub(crate) fn write<T>(&self, write: impl FnOnce(Option<&Seal>) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        self.context.cancel.check()?;
        let State::Open(seal) = &*state else { return Err(Error::Cancelled) };
        let written = write(seal.as_ref())?;
        *state = State::Written;
        Ok(written)
    }

    /// Removes the key and prevents any later write. Waits for a write in progress. Returns `false` if the record was
    /// written.
    pub(crate) fn withdraw(&self) -> bool {
        let mut state = self.state();
        if let State::Open(Some(seal)) = &*state {
            self.context.store.break_seal(seal);
        }
        if matches!(*state, State::Open(_)) {
            *state = State::Withdrawn;
        }
        matches!(*state, State::Withdrawn)
    }

    /// The state is consistent even after a panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A login that fails leaves no key behind.
impl Drop for NewSeal {
    fn drop(&mut self) {
        self.withdraw();
    }
}
