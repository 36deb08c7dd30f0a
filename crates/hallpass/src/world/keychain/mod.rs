//! The operating system's keychain, which stores the encryption key of a record.
//!
//! The tokens themselves stay in the record. So a keychain's limits on size and characters don't matter, and a command
//! uses it at most once.

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
mod no_keychain;
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

/// Stores encryption keys by the name of the program and the key's identifier. [`SystemKeychain`] is the default.
///
/// Calls may block. Hallpass makes each on a separate thread with a time limit (3 seconds; 2 minutes for
/// [`unlock`](Keychain::unlock)) and abandons the thread when the limit passes.
///
/// # Errors
/// Return [`KeychainError::NoItem`] only if the keychain is open and has no such key: Hallpass then treats the key as lost.
/// Any other error means that nothing is known about the key.
///
/// # Examples
/// A program that supplies its own keychain:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use hallpass::Hallpass;
/// use hallpass::error::KeychainError;
/// use hallpass::world::keychain::{Item, Key, Keychain};
///
/// /// Keys of this process, by identifier.
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<String, Key>>);
///
/// impl Keychain for InMemory {
///     fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
///         self.0.lock().unwrap().get(item.key_id).cloned().ok_or(KeychainError::NoItem)
///     }
///
///     fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
///         self.0.lock().unwrap().insert(item.key_id.to_owned(), key.clone());
///         Ok(())
///     }
///
///     fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
///         self.0.lock().unwrap().remove(item.key_id);
///         Ok(())
///     }
///
///     fn unlock(&self) -> Result<(), KeychainError> {
///         Ok(())
///     }
///
///     fn key_ids(&self, _service: &str) -> Result<Vec<String>, KeychainError> {
///         Ok(self.0.lock().unwrap().keys().cloned().collect())
///     }
/// }
///
/// # fn main() -> hallpass::Result<()> {
/// let pass = Hallpass::builder("mytool", "https://login.example.com", "mytool")
///     .keychain(InMemory::default())
///     .build()?;
/// # let _ = pass;
/// # Ok(())
/// # }
/// ```
pub trait Keychain: Send + Sync + 'static {
    /// Returns a key.
    ///
    /// # Errors
    /// [`KeychainError::NoItem`] only if the keychain is open and has no such key.
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError>;

    /// Stores a key under a new identifier.
    ///
    /// # Errors
    /// [`KeychainError::Locked`] if the user has to [`unlock`](Keychain::unlock) the keychain first.
    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError>;

    /// Removes a key. Succeeds if there is none.
    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError>;

    /// Prompts the user to unlock the keychain, and waits for it. Succeeds at once if the keychain is open.
    ///
    /// Hallpass calls it only during a login, after it told the user to expect a prompt.
    ///
    /// # Errors
    /// [`KeychainError::Refused`] if the user dismissed the prompt.
    fn unlock(&self) -> Result<(), KeychainError>;

    /// Returns the identifiers of all keys of a program, including those that no record uses any more.
    fn key_ids(&self, service: &str) -> Result<Vec<String>, KeychainError>;
}

/// The name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item<'a> {
    /// The name of the program.
    pub service: &'a str,
    /// The key's own random identifier: letters and digits.
    pub key_id: &'a str,
}

impl<'a> Item<'a> {
    /// Creates the name of the key `key_id` of the program `service`.
    pub fn new(service: &'a str, key_id: &'a str) -> Item<'a> {
        Item { service, key_id }
    }
}

/// A 256-bit key. It is wiped when dropped, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Wraps a key.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// Returns the key in clear, for the keychain and the cipher.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
