//! A keychain that nobody waits for too long.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Item, Key, Keychain};
use crate::error::KeychainError;
use crate::interrupt::{Canceller, TICK};

/// How long a keychain may take for a call that asks nobody.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a person may take to unlock it.
const PATIENCE_WITH_A_PERSON: Duration = Duration::from_secs(120);

/// How long a keychain that did not answer is not asked again: longer than any command takes, so that a command
/// waits for it once, and short enough for a program that runs all day.
const SULK: Duration = Duration::from_secs(60);

/// Makes every call on a thread of its own, which it leaves behind when the time is over.
///
/// A plain thread and not one of an async runtime's pool: such a pool waits for its threads when it ends, and with
/// it the process.
#[derive(Clone)]
pub(crate) struct Bounded {
    keychain: Arc<dyn Keychain>,
    silent_since: Arc<Mutex<Option<Instant>>>,
}

impl Bounded {
    /// Does nothing yet.
    pub(crate) fn new(keychain: Arc<dyn Keychain>) -> Bounded {
        Bounded { keychain, silent_since: Arc::default() }
    }

    /// [`Keychain::get`], within three seconds.
    pub(crate) fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.ask(item, |keychain, item| keychain.get(item))
    }

    /// [`Keychain::set`], within three seconds.
    pub(crate) fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        let key = key.clone();
        self.ask(item, move |keychain, item| keychain.set(item, &key))
    }

    /// [`Keychain::delete`], within three seconds.
    pub(crate) fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.ask(item, |keychain, item| keychain.delete(item))
    }

    /// [`Keychain::key_ids`], within three seconds.
    pub(crate) fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let service = service.to_owned();
        self.within(PATIENCE, &Canceller::default(), move |keychain| keychain.key_ids(&service))
    }

    /// [`Keychain::unlock`], within two minutes. Cancelled, it is [`KeychainError::Refused`].
    pub(crate) fn unlock(&self, canceller: &Canceller) -> Result<(), KeychainError> {
        self.within(PATIENCE_WITH_A_PERSON, canceller, |keychain| keychain.unlock())
    }

    fn ask<T: Send + 'static>(
        &self,
        item: &Item<'_>,
        call: impl FnOnce(&dyn Keychain, &Item<'_>) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let (service, key_id) = (item.service.to_owned(), item.key_id.to_owned());
        self.within(PATIENCE, &Canceller::default(), move |keychain| {
            call(keychain, &Item::new(&service, &key_id))
        })
    }

    fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        canceller: &Canceller,
        call: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        if self.is_sulking() {
            return Err(KeychainError::TimedOut);
        }
        let answer = on_a_thread_left_behind(self.keychain.clone(), limit, canceller, call);
        if matches!(answer, Err(KeychainError::TimedOut)) {
            *self.silent_since() = Some(Instant::now());
        }
        answer
    }

    fn is_sulking(&self) -> bool {
        self.silent_since().is_some_and(|since| since.elapsed() < SULK)
    }

    fn silent_since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.silent_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn on_a_thread_left_behind<T: Send + 'static>(
    keychain: Arc<dyn Keychain>,
    limit: Duration,
    canceller: &Canceller,
    call: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, KeychainError> {
    let (done, answer) = mpsc::channel();
    let start = Instant::now();
    thread::Builder::new()
        .name("hallpass-keychain".to_owned())
        .spawn(move || done.send(call(&*keychain)))
        .map_err(|error| KeychainError::Failed(format!("no thread to ask it on: {error}")))?;
    loop {
        if canceller.is_cancelled() {
            return Err(KeychainError::Refused);
        }
        let left = limit.saturating_sub(start.elapsed());
        match answer.recv_timeout(left.min(TICK)) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(KeychainError::TimedOut),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(KeychainError::Failed("it panicked".to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
