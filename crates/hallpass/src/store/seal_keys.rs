//! The keys that encrypt this program's records, in the operating system's keychain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::Seal;
use crate::error::KeychainError;
use crate::interrupt::Canceller;
use crate::world::entropy;
use crate::world::keychain::{Bounded, Item, Key, Keychain};

/// Creates, reads and deletes keys. The last key is cached, so a command asks the keychain at most once.
pub(crate) struct SealKeys {
    service: String,
    keychain: Bounded,
    cached: Mutex<Option<(String, Key)>>,
}

impl SealKeys {
    pub(crate) fn new(service: &str, keychain: Arc<dyn Keychain>) -> SealKeys {
        SealKeys { service: service.to_owned(), keychain: Bounded::new(keychain), cached: Mutex::default() }
    }

    /// Returns the key of this ID.
    pub(crate) fn get(&self, key_id: &str) -> Result<Key, KeychainError> {
        if let Some((cached, key)) = &*self.cached()
            && cached == key_id
        {
            return Ok(key.clone());
        }
        let key = self.keychain.get(&self.item(key_id))?;
        *self.cached() = Some((key_id.to_owned(), key.clone()));
        Ok(key)
    }

    /// Whether [`get`](SealKeys::get) needs no keychain for this key.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_cached(&self, key_id: &str) -> bool {
        self.cached().as_ref().is_some_and(|(cached, _)| cached == key_id)
    }

    /// Creates a key and reads it back, so that a keychain that loses keys is noticed now.
    pub(crate) fn create(&self) -> Result<Seal, KeychainError> {
        let key_id = format!("{:032x}", u128::from_be_bytes(entropy::bytes()));
        let key = Key::new(entropy::bytes());
        self.keychain.set(&self.item(&key_id), &key)?;
        let error = match self.keychain.get(&self.item(&key_id)) {
            Ok(kept) if kept == key => {
                *self.cached() = Some((key_id.clone(), key.clone()));
                return Ok(Seal::new(key_id, key));
            }
            Ok(_) => KeychainError::Failed("the key read back differs from the key stored".to_owned()),
            Err(error) => error,
        };
        self.delete(&key_id);
        Err(error)
    }

    /// Deletes a key. If that fails the key stays, which does no harm: it decrypts nothing.
    pub(crate) fn delete(&self, key_id: &str) {
        self.cached().take_if(|(cached, _)| cached == key_id);
        if let Err(error) = self.keychain.delete(&self.item(key_id)) {
            log::debug!("cannot delete the key {key_id} from the keychain: {error}");
        }
    }

    /// Returns the IDs of all keys of this program.
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

    // A panic cannot leave the cache half-written, so a poisoned lock is still usable.
    fn cached(&self) -> MutexGuard<'_, Option<(String, Key)>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
