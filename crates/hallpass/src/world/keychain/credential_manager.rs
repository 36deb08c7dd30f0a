//! The Credential Manager of Windows.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use windows_native_keyring_store::Store;
use zeroize::Zeroizing;

use super::{Item, Key, Keychain, key_text};
use crate::environment::Environment;
use crate::error::KeychainError;

/// One generic credential per key, named `hallpass:<key>:<program>`. It can be read while the user is logged on.
#[derive(Debug, Clone)]
pub(super) struct CredentialManager;

impl CredentialManager {
    pub(super) fn new(_: &Environment) -> CredentialManager {
        CredentialManager
    }
}

impl Keychain for CredentialManager {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        let secret = entry(item)?.get_secret().map_err(keychain_error)?;
        key_text::decode(&Zeroizing::new(secret))
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        entry(item)?.set_secret(key_text::encode(key).as_bytes()).map_err(keychain_error)
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        match entry(item)?.delete_credential().map_err(keychain_error) {
            Err(KeychainError::NoItem) => Ok(()),
            other => other,
        }
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        Ok(())
    }

    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let specifiers = store()?.search(&HashMap::new()).map_err(keychain_error)?.into_iter();
        let ours = specifiers.filter_map(|entry| entry.get_specifiers()).filter(|(of, _)| of == service);
        Ok(ours.map(|(_, key_id)| key_id).collect())
    }
}

/// Opens the store. It splits a credential's name at the colons: neither the program's name nor the key's identifier has any.
fn store() -> Result<Arc<Store>, KeychainError> {
    let name = HashMap::from([("prefix", "hallpass:"), ("divider", ":"), ("suffix", "")]);
    Store::new_with_configuration(&name).map_err(keychain_error)
}

/// The key stays on this computer, as its record does: it doesn't roam with the user's profile.
fn entry(item: &Item<'_>) -> Result<Entry, KeychainError> {
    let here = HashMap::from([("persistence", "Local")]);
    store()?.build(item.service, item.key_id, Some(&here)).map_err(keychain_error)
}

fn keychain_error(error: Error) -> KeychainError {
    match error {
        Error::NoEntry => KeychainError::NoItem,
        // ERROR_NO_SUCH_LOGON_SESSION: a service, or SSH with a key
        Error::NoStorageAccess(cause) => KeychainError::Absent(cause.to_string()),
        other => KeychainError::Failed(other.to_string()),
    }
}
