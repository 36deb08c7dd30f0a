//! Where a new sign-in will be kept: found out, tried and told before the browser opens.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::KeychainError;
use crate::error::{Error, Result, StoreError};
use crate::flow::Context;
use crate::settings::Storage;
use crate::store::{Seal, StoreKind, StoredRecord};
use crate::ui::{LoginEvent, LoginUi};

/// How long a person waits without being told for what.
const WORDLESS: Duration = Duration::from_secs(1);

/// What cannot be saved must fail now, not after the user has signed in. Returns the record that the login
/// will replace.
pub(crate) fn probe(context: &Context) -> Result<Option<StoredRecord>> {
    let previous = readable(context)?;
    if let Some(previous) = &previous {
        previous.check_writable(context.store.path())?;
    }
    context.store.probe()?;
    Ok(previous)
}

/// The record, if there is one that can be read: a login sets any other aside.
pub(crate) fn readable(context: &Context) -> Result<Option<StoredRecord>> {
    match context.store.read() {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        result => Ok(result?),
    }
}

/// A key for the new record, where the policy and the keychain let there be one.
pub(crate) fn choose(context: &Arc<Context>, ui: &mut dyn LoginUi) -> Result<NewSeal> {
    let (seal, no_keychain) = match context.config.storage {
        Storage::File | Storage::Memory => (None, None),
        Storage::Keychain => (Some(key(context, ui).map_err(StoreError::NoKeychain)?), None),
        Storage::Auto => match key(context, ui) {
            Ok(seal) => (Some(seal), None),
            Err(why) => (None, Some(why)),
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

/// Each of its calls has a limit of its own; nobody should wait for all of them without a word.
fn new_seal(context: &Context, ui: &mut dyn LoginUi) -> Result<Seal, KeychainError> {
    let (done, seal) = mpsc::channel();
    let store = context.store.clone();
    thread::spawn(move || drop(done.send(store.new_seal())));
    let answer = match seal.recv_timeout(WORDLESS) {
        Err(RecvTimeoutError::Timeout) => {
            ui.event(LoginEvent::SlowKeychain);
            seal.recv().ok()
        }
        answer => answer.ok(),
    };
    answer.unwrap_or_else(|| Err(KeychainError::Failed("it panicked".to_owned())))
}

/// The key of the record that a login is to write, where there is one, and whether that was done. Its clones are one:
/// what the exchange is to write with, the login may withdraw.
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

    /// Writes the record, which makes the key stay, unless it was withdrawn.
    pub(crate) fn write<T>(&self, write: impl FnOnce(Option<&Seal>) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        self.context.cancel.check()?;
        let State::Open(seal) = &*state else { return Err(Error::Cancelled) };
        let written = write(seal.as_ref())?;
        *state = State::Written;
        Ok(written)
    }

    /// Removes the key and lets nothing be written any more. `false` where the record is written already; one that is
    /// just being written is waited for.
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

    /// A state is whole, whatever panicked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A login or an exchange that fails leaves no key behind.
impl Drop for NewSeal {
    fn drop(&mut self) {
        self.withdraw();
    }
}
