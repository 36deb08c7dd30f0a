//! The operating system's keychain, of which one small thing is asked: to keep a key.
//!
//! The tokens themselves never go there: they lie in the record, sealed by the key. So a keychain's limits on
//! size and characters do not matter, and it is asked at most once by each command.

mod bounded;
#[cfg(all(feature = "keychain", windows))]
mod credential_manager;
#[cfg(feature = "keychain")]
mod key_text;
#[cfg(all(feature = "keychain", target_os = "macos"))]
mod login_keychain;
#[cfg(any(
    not(feature = "keychain"),
    not(any(windows, unix)),
    all(target_vendor = "apple", not(target_os = "macos"))
))]
mod nowhere;
#[cfg(all(feature = "keychain", any(target_os = "macos", test)))]
mod os_status;
#[cfg(all(feature = "keychain", unix, not(target_vendor = "apple")))]
mod secret_service;
mod system;

use std::fmt;

pub(crate) use bounded::Bounded;
pub use system::SystemKeychain;
use zeroize::Zeroizing;

use crate::error::KeychainError;

/// Keeps 32-byte keys by the name of the program and the key's own identifier.
///
/// Calls may block: Hallpass makes them on a thread of their own, with a limit, and leaves the thread behind
/// when the limit passes.
///
/// Any error but [`KeychainError::NoItem`] means that nothing is known about the key.
pub trait Keychain: Send + Sync + 'static {
    /// The key.
    ///
    /// # Errors
    /// [`KeychainError::NoItem`] only where the keychain is open and has no such key.
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError>;

    /// Keeps a key under an identifier that is new.
    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError>;

    /// Removes a key; one that is not there is removed already.
    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError>;

    /// Asks the person at this computer to unlock the keychain and waits for it. Only called where somebody was
    /// told.
    fn unlock(&self) -> Result<(), KeychainError>;

    /// The identifiers of all keys that this program has there, whether or not a record names them.
    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError>;
}

/// What a key is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item<'a> {
    /// The name of the program.
    pub service: &'a str,
    /// The key's own random identifier: letters and digits.
    pub key_id: &'a str,
}

impl<'a> Item<'a> {
    /// The key `key_id` of the program `service`.
    pub fn new(service: &'a str, key_id: &'a str) -> Item<'a> {
        Item { service, key_id }
    }
}

/// A 256-bit key: wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Puts a key into its box.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// The key in clear, for the keychain and the cipher.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
