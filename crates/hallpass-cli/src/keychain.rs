//! The operating system's keychain, as the profiles of one command share it.

use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::Environment;
use hallpass::error::KeychainError;
use hallpass::world::keychain::{Item, Key, Keychain, SystemKeychain};

/// Set while a call is under way, and for good by one that had no answer. A command makes one call after the other: what
/// finds another under way comes after one that nobody waits for any more.
static HAS_NO_ANSWER: AtomicBool = AtomicBool::new(false);

/// One that did not answer is not asked again by this command: ten profiles wait as long as one.
pub(crate) struct CommandKeychain(SystemKeychain);

impl CommandKeychain {
    pub(crate) fn new(environment: &Environment) -> CommandKeychain {
        CommandKeychain(SystemKeychain::new(environment))
    }

    fn ask<T>(
        &self,
        call: impl FnOnce(&SystemKeychain) -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        if HAS_NO_ANSWER.swap(true, Ordering::Relaxed) {
            return Err(KeychainError::TimedOut);
        }
        let answer = call(&self.0);
        let is_silent = matches!(answer, Err(KeychainError::TimedOut));
        HAS_NO_ANSWER.store(is_silent, Ordering::Relaxed);
        answer
    }
}

impl Keychain for CommandKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.ask(|keychain| keychain.get(item))
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.ask(|keychain| keychain.set(item, key))
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.ask(|keychain| keychain.delete(item))
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.ask(Keychain::unlock)
    }

    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        self.ask(|keychain| keychain.key_ids(service))
    }
}
