//! The login keychain of macOS.

use std::process::{Command, Stdio};
use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use security_framework::base::Error as Status;
use security_framework::os::macos::keychain::{SecKeychain, SecPreferencesDomain};
use zeroize::Zeroizing;

use super::{Item, Key, Keychain, key_text, os_status};
use crate::environment::Environment;
use crate::error::KeychainError;

/// One generic password per key; its account is the key's identifier.
///
/// macOS may ask the user whether this program can read its item; in a session without a display it fails at once instead.
/// The prompt is allowed here: once an unsigned program has been updated, it's the only way to the key.
#[derive(Debug, Clone)]
pub(super) struct LoginKeychain;

impl LoginKeychain {
    pub(super) fn new(_: &Environment) -> LoginKeychain {
        LoginKeychain
    }
}

impl Keychain for LoginKeychain {
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
        let keychain = SecKeychain::default_for_domain(SecPreferencesDomain::User);
        keychain.and_then(|mut keychain| keychain.unlock(None)).map_err(from_status)
    }

    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let found = store()?.search(&[("service", name(service).as_str())].into()).map_err(keychain_error)?;
        Ok(found.iter().filter_map(|entry| Some(entry.get_specifiers()?.1)).collect())
    }
}

fn store() -> Result<Arc<Store>, KeychainError> {
    Store::new().map_err(keychain_error)
}

fn entry(item: &Item<'_>) -> Result<Entry, KeychainError> {
    store()?.build(&name(item.service), item.key_id, None).map_err(keychain_error)
}

/// Keeps our items apart from the program's own.
fn name(service: &str) -> String {
    format!("hallpass:{service}")
}

fn keychain_error(error: Error) -> KeychainError {
    match error {
        Error::NoEntry => {
            os_status::keychain_error(os_status::ITEM_NOT_FOUND, "not found", is_on_the_desktop)
        }
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => match cause.downcast_ref::<Status>()
        {
            Some(status) => from_status(*status),
            None => KeychainError::Failed(cause.to_string()),
        },
        other => KeychainError::Failed(other.to_string()),
    }
}

fn from_status(status: Status) -> KeychainError {
    os_status::keychain_error(status.code(), &status.to_string(), is_on_the_desktop)
}

/// Asks `launchctl` for the kind of the session: there is no safe system call for it.
fn is_on_the_desktop() -> bool {
    let output = Command::new("/bin/launchctl").arg("managername").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"Aqua")
}
