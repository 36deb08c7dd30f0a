//! The keys that seal this program's records, in the operating system's keychain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::Seal;
use crate::error::KeychainError;
use crate::interrupt::Canceller;
use crate::world::entropy;
use crate::world::keychain::{Bounded, Item, Key, Keychain};

/// Creates, reads and deletes keys. Remembers the last key, so a command reads the keychain at most once.
pub(crate) struct RecordKeys {
    service: String,
    keychain: Bounded,
    cached: Mutex<Option<(String, Key)>>,
}

impl RecordKeys {
    pub(crate) fn new(service: &str, keychain: Arc<dyn Keychain>) -> RecordKeys {
        RecordKeys { service: service.to_owned(), keychain: Bounded::new(keychain), cached: Mutex::default() }
    }

    /// Returns the key with this ID, from memory or the keychain.
    pub(crate) fn get(&self, key_id: &str) -> Result<Key, KeychainError> {
        if let Some((_, key)) = self.cached().as_ref().filter(|(cached, _)| cached == key_id) {
            return Ok(key.clone());
        }
        let key = self.keychain.get(&self.item(key_id))?;
        *self.cached() = Some((key_id.to_owned(), key.clone()));
        Ok(key)
    }

    /// Whether [`get`](Self::get) needs no keychain.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_cached(&self, key_id: &str) -> bool {
        self.cached().as_ref().is_some_and(|(cached, _)| cached == key_id)
    }

    /// Creates a key, stores it and reads it back.
    ///
    /// # Errors
    /// [`KeychainError::Failed`] if the keychain returns another key than it was given.
    pub(crate) fn create(&self) -> Result<Seal, KeychainError> {
        let key_id = format!("{:032x}", u128::from_be_bytes(entropy::bytes()));
        let key = Key::new(entropy::bytes());
        self.keychain.set(&self.item(&key_id), &key)?;
        match self.keychain.get(&self.item(&key_id)) {
            Ok(kept) if kept == key => {
                *self.cached() = Some((key_id.clone(), key.clone()));
                Ok(Seal::under(key_id, key))
            }
            mismatch => {
                self.delete(&key_id);
                let differs =
                    || KeychainError::Failed("the key read back differs from the key stored".to_owned());
                Err(mismatch.err().unwrap_or_else(differs))
            }
        }
    }

    /// Deletes the key of a record that no longer exists. A failure is only logged: a leftover key opens nothing.
    pub(crate) fn delete(&self, key_id: &str) {
        self.cached().take_if(|(cached, _)| cached == key_id);
        if let Err(error) = self.keychain.delete(&self.item(key_id)) {
            log::debug!("could not delete key {key_id} from the keychain: {error}");
        }
    }

    /// The IDs of all of this program's keys, of any profile and directory.
    pub(crate) fn ids(&self) -> Result<Vec<String>, KeychainError> {
        self.keychain.key_ids(&self.service)
    }

    /// Asks the user to unlock the keychain.
    pub(crate) fn unlock(&self, cancel: &Canceller) -> Result<(), KeychainError> {
        self.keychain.unlock(cancel)
    }

    fn item<'a>(&'a self, key_id: &'a str) -> Item<'a> {
        Item::new(&self.service, key_id)
    }

    fn cached(&self) -> MutexGuard<'_, Option<(String, Key)>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
