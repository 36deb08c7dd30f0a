//! A keychain whose calls have a time limit.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Item, Key, Keychain};
use crate::error::KeychainError;
use crate::interrupt::{Canceller, TICK};

/// The limit of a call that shows no prompt.
const LIMIT: Duration = Duration::from_secs(3);

/// The limit of a call that prompts the user to unlock the keychain.
const PROMPT_LIMIT: Duration = Duration::from_secs(120);

/// The pause after a time-out, during which calls fail at once. It is longer than any command runs, so a command waits for a
/// hanging keychain only once, and short enough for a program that runs all day.
const PAUSE: Duration = Duration::from_secs(60);

/// Makes every call on a separate thread, which it abandons when the limit passes.
///
/// The thread isn't taken from an async runtime's pool: the runtime waits for its threads when it shuts down, so a hanging
/// call would keep the process from exiting.
#[derive(Clone)]
pub(crate) struct Bounded {
    keychain: Arc<dyn Keychain>,
    timed_out_at: Arc<Mutex<Option<Instant>>>,
}

impl Bounded {
    pub(crate) fn new(keychain: Arc<dyn Keychain>) -> Bounded {
        Bounded { keychain, timed_out_at: Arc::default() }
    }

    /// Calls [`Keychain::get`], for three seconds at most.
    pub(crate) fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.call_with_item(item, |keychain, item| keychain.get(item))
    }

    /// Calls [`Keychain::set`], for three seconds at most.
    pub(crate) fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        let key = key.clone();
        self.call_with_item(item, move |keychain, item| keychain.set(item, &key))
    }

    /// Calls [`Keychain::delete`], for three seconds at most.
    pub(crate) fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.call_with_item(item, |keychain, item| keychain.delete(item))
    }

    /// Calls [`Keychain::key_ids`], for three seconds at most.
    pub(crate) fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let service = service.to_owned();
        self.within(LIMIT, &Canceller::default(), move |keychain| keychain.key_ids(&service))
    }

    /// Calls [`Keychain::unlock`], for two minutes at most. If cancelled, returns [`KeychainError::Refused`].
    pub(crate) fn unlock(&self, canceller: &Canceller) -> Result<(), KeychainError> {
        self.within(PROMPT_LIMIT, canceller, |keychain| keychain.unlock())
    }

    fn call_with_item<T: Send + 'static>(
        &self,
        item: &Item<'_>,
        call: impl FnOnce(&dyn Keychain, &Item<'_>) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let (service, key_id) = (item.service.to_owned(), item.key_id.to_owned());
        self.within(LIMIT, &Canceller::default(), move |keychain| {
            call(keychain, &Item::new(&service, &key_id))
        })
    }

    fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        canceller: &Canceller,
        call: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        if self.is_paused() {
            return Err(KeychainError::TimedOut);
        }
        let result = on_abandonable_thread(self.keychain.clone(), limit, canceller, call);
        if matches!(result, Err(KeychainError::TimedOut)) {
            *self.timed_out_at() = Some(Instant::now());
        }
        result
    }

    fn is_paused(&self) -> bool {
        self.timed_out_at().is_some_and(|since| since.elapsed() < PAUSE)
    }

    fn timed_out_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.timed_out_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn on_abandonable_thread<T: Send + 'static>(
    keychain: Arc<dyn Keychain>,
    limit: Duration,
    canceller: &Canceller,
    call: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, KeychainError> {
    let (done, result) = mpsc::channel();
    let start = Instant::now();
    thread::Builder::new()
        .name("hallpass-keychain".to_owned())
        .spawn(move || done.send(call(&*keychain)))
        .map_err(|error| KeychainError::Failed(format!("could not start a thread: {error}")))?;
    loop {
        if canceller.is_cancelled() {
            return Err(KeychainError::Refused);
        }
        let left = limit.saturating_sub(start.elapsed());
        match result.recv_timeout(left.min(TICK)) {
            Ok(result) => return result,
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
