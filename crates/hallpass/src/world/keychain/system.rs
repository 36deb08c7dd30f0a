//! The operating system's keychain.

#[cfg(all(feature = "keychain", windows))]
use super::credential_manager::CredentialManager as Native;
#[cfg(all(feature = "keychain", target_os = "macos"))]
use super::login_keychain::LoginKeychain as Native;
#[cfg(any(
    not(feature = "keychain"),
    not(any(windows, unix)),
    all(target_vendor = "apple", not(target_os = "macos"))
))]
use super::no_keychain::NoKeychain as Native;
#[cfg(all(feature = "keychain", unix, not(target_vendor = "apple")))]
use super::secret_service::SecretService as Native;
use super::{Item, Key, Keychain};
use crate::environment::Environment;
use crate::error::KeychainError;

/// The operating system's keychain: the Secret Service on Linux and other Unixes, the login keychain on macOS, the
/// Credential Manager on Windows. On other systems, and without the Cargo feature `keychain`, every call returns
/// [`KeychainError::Absent`].
///
/// A key is one item with the program's name and the key's identifier. Nothing is accessed before the first call.
#[derive(Debug, Clone)]
pub struct SystemKeychain(Native);

impl SystemKeychain {
    /// Creates the keychain of the session that the environment describes. On Linux its D-Bus is at
    /// `$DBUS_SESSION_BUS_ADDRESS`, else `$XDG_RUNTIME_DIR/bus`.
    pub fn new(environment: &Environment) -> SystemKeychain {
        SystemKeychain(Native::new(environment))
    }
}

impl Keychain for SystemKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.0.get(item)
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.0.set(item, key)
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.0.delete(item)
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.0.unlock()
    }

    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        self.0.key_ids(service)
    }
}
