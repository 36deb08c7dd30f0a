//! The keys that seal this program's records, in the operating system's keychain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::Seal;
use crate::error::KeychainError;
use crate::interrupt::Canceller;
use crate::world::entropy;
use crate::world::keychain::{Bounded, Item, Key, Keychain};

/// Makes, finds and removes keys. One that was seen is remembered, so that a command asks the keychain at most
/// once.
pub(crate) struct Keys {
    service: String,
    keychain: Bounded,
    seen: Mutex<Option<(String, Key)>>,
}

impl Keys {
    pub(crate) fn new(service: &str, keychain: Arc<dyn Keychain>) -> Keys {
        Keys { service: service.to_owned(), keychain: Bounded::new(keychain), seen: Mutex::default() }
    }

    /// The key of a seal.
    pub(crate) fn get(&self, key_id: &str) -> Result<Key, KeychainError> {
        if let Some((_, key)) = self.seen().as_ref().filter(|(seen, _)| seen == key_id) {
            return Ok(key.clone());
        }
        let key = self.keychain.get(&self.item(key_id))?;
        *self.seen() = Some((key_id.to_owned(), key.clone()));
        Ok(key)
    }

    /// Whether it was seen before.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_at_hand(&self, key_id: &str) -> bool {
        self.seen().as_ref().is_some_and(|(seen, _)| seen == key_id)
    }

    /// Makes a new key and finds out whether the keychain keeps it.
    pub(crate) fn create(&self) -> Result<Seal, KeychainError> {
        let key_id = format!("{:032x}", u128::from_be_bytes(entropy::bytes()));
        let key = Key::new(entropy::bytes());
        self.keychain.set(&self.item(&key_id), &key)?;
        match self.keychain.get(&self.item(&key_id)) {
            Ok(kept) if kept == key => {
                *self.seen() = Some((key_id.clone(), key.clone()));
                Ok(Seal::under(key_id, key))
            }
            useless => {
                self.delete(&key_id);
                let unlike = || KeychainError::Failed("it does not give back what it was given".to_owned());
                Err(useless.err().unwrap_or_else(unlike))
            }
        }
    }

    /// Removes the key of a record that is gone. One that stays there opens nothing any more.
    pub(crate) fn delete(&self, key_id: &str) {
        self.seen().take_if(|(seen, _)| seen == key_id);
        if let Err(error) = self.keychain.delete(&self.item(key_id)) {
            log::debug!("the key {key_id} stays in the keychain: {error}");
        }
    }

    /// All of this program's, whatever they seal.
    pub(crate) fn ids(&self) -> Result<Vec<String>, KeychainError> {
        self.keychain.key_ids(&self.service)
    }

    /// Asks the person to unlock the keychain.
    pub(crate) fn unlock(&self, cancel: &Canceller) -> Result<(), KeychainError> {
        self.keychain.unlock(cancel)
    }

    fn item<'a>(&'a self, key_id: &'a str) -> Item<'a> {
        Item::new(&self.service, key_id)
    }

    fn seen(&self) -> MutexGuard<'_, Option<(String, Key)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
