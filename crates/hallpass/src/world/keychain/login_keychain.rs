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

/// One generic password for each key, its account the key's identifier.
///
/// macOS itself knows where somebody can be asked whether this program may read its item: a session without a
/// display gets an error at once. Asking is not forbidden here, because after an update of a program that is not
/// signed the question is the only way to the key.
#[derive(Debug, Clone)]
pub(super) struct LoginKeychain;

impl LoginKeychain {
    pub(super) fn new(_: &Environment) -> LoginKeychain {
        LoginKeychain
    }
}

impl Keychain for LoginKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        let secret = entry(item)?.get_secret().map_err(sort)?;
        key_text::read(&Zeroizing::new(secret))
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        entry(item)?.set_secret(key_text::write(key).as_bytes()).map_err(sort)
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        match entry(item)?.delete_credential().map_err(sort) {
            Err(KeychainError::NoItem) => Ok(()),
            other => other,
        }
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        let keychain = SecKeychain::default_for_domain(SecPreferencesDomain::User);
        keychain.and_then(|mut keychain| keychain.unlock(None)).map_err(of_status)
    }

    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let found = store()?.search(&[("service", name(service).as_str())].into()).map_err(sort)?;
        Ok(found.iter().filter_map(|entry| Some(entry.get_specifiers()?.1)).collect())
    }
}

fn store() -> Result<Arc<Store>, KeychainError> {
    Store::new().map_err(sort)
}

fn entry(item: &Item<'_>) -> Result<Entry, KeychainError> {
    store()?.build(&name(item.service), item.key_id, None).map_err(sort)
}

/// Keeps apart what the program itself may have there.
fn name(service: &str) -> String {
    format!("hallpass:{service}")
}

fn sort(error: Error) -> KeychainError {
    match error {
        Error::NoEntry => os_status::sort(os_status::ITEM_NOT_FOUND, "not found", is_on_the_desktop),
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => match cause.downcast_ref::<Status>()
        {
            Some(status) => of_status(*status),
            None => KeychainError::Failed(cause.to_string()),
        },
        other => KeychainError::Failed(other.to_string()),
    }
}

fn of_status(status: Status) -> KeychainError {
    os_status::sort(status.code(), &status.to_string(), is_on_the_desktop)
}

/// There is no safe call for the kind of the session; `launchctl` says it.
fn is_on_the_desktop() -> bool {
    let asked = Command::new("/bin/launchctl").arg("managername").stdin(Stdio::null()).output();
    asked.is_ok_and(|answer| answer.stdout.trim_ascii() == b"Aqua")
}
