//! The operating system's keychain, asked no more than once if it does not respond.

use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::Environment;
use hallpass::error::KeychainError;
use hallpass::world::keychain::{Item, Key, Keychain, SystemKeychain};

/// Set during a call, and left set by one that timed out. A command makes one call at a time, so a call that finds it
/// set comes after one that timed out.
static IS_UNRESPONSIVE: AtomicBool = AtomicBool::new(false);

/// A keychain that fails at once after it timed out, so that ten profiles take no longer than one.
pub(crate) struct CommandKeychain(SystemKeychain);

impl CommandKeychain {
    pub(crate) fn new(environment: &Environment) -> CommandKeychain {
        CommandKeychain(SystemKeychain::new(environment))
    }

    fn call<T>(
        &self,
        call: impl FnOnce(&SystemKeychain) -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        if IS_UNRESPONSIVE.swap(true, Ordering::Relaxed) {
            return Err(KeychainError::TimedOut);
        }
        let result = call(&self.0);
        let is_unresponsive = matches!(result, Err(KeychainError::TimedOut));
        IS_UNRESPONSIVE.store(is_unresponsive, Ordering::Relaxed);
        result
    }
}

impl Keychain for CommandKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.call(|keychain| keychain.get(item))
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.call(|keychain| keychain.set(item, key))
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.call(|keychain| keychain.delete(item))
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.call(Keychain::unlock)
    }

    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        self.call(|keychain| keychain.key_ids(service))
    }
}
