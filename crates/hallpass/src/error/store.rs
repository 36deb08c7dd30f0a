//! Stores and keychains that cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// The reason why the store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("cannot {action} {}: {cause}", .path.display())]
    Io {
        /// `read`, `write`, `create`, `lock` or `remove`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's description of the failure.
        cause: String,
    },
    /// The record is encrypted, and its key is not available at the moment. The record is kept.
    #[error("cannot decrypt {}: {cause}", .path.display())]
    Keychain {
        /// The record's file.
        path: PathBuf,
        /// The reason why the keychain did not provide the key.
        cause: KeychainError,
    },
    /// The settings require the keychain, and it cannot be used. Nothing was started.
    #[error("credentials cannot be stored in the keychain: {0}")]
    NoKeychain(KeychainError),
    /// The record is encrypted, and its key does not decrypt it: something other than Hallpass changed one of the two.
    #[error("cannot decrypt {}: the file was modified, or the keychain returned another key", .path.display())]
    SealBroken {
        /// The record's file.
        path: PathBuf,
    },
    /// The record cannot be parsed. It is left as it is, until a login sets it aside.
    #[error("{} is not a valid session record ({cause})", .path.display())]
    Corrupt {
        /// The record's file.
        path: PathBuf,
        /// The problem, or the place where parsing stopped.
        cause: String,
    },
    /// The record was written by a newer version of Hallpass. It is left as it is.
    #[error("{} was written by a newer version (format {version})", .path.display())]
    Newer {
        /// The record's file.
        path: PathBuf,
        /// The version of its format.
        version: u64,
    },
    /// The file or its directory belongs to another user, or other users may write to it.
    #[error("{} is not safe to use: {cause}", .path.display())]
    Unsafe {
        /// The file or directory.
        path: PathBuf,
        /// The problem with it.
        cause: String,
    },
    /// The directory for records or settings cannot be determined.
    #[error("cannot determine the hallpass directory: {0}")]
    NoDirectory(String),
    /// Reading the record back after a write gave something else.
    #[error("{} has different contents than were just written", .path.display())]
    ReadBack {
        /// The record's file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Creates an error from a failed action on a file or directory.
    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> StoreError {
        let cause = match error.kind() {
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            io::ErrorKind::QuotaExceeded => "the disk quota is exceeded".to_owned(),
            _ => error.to_string(),
        };
        StoreError::Io { action, path: path.to_owned(), cause }
    }
}

/// The reason why a call to the keychain failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeychainError {
    /// There is no keychain: no bus, no service, or no default collection.
    #[error("no keychain available: {0}")]
    Absent(String),
    /// The keychain is locked, and the user was not asked to unlock it.
    #[error("the keychain is locked")]
    Locked,
    /// The user dismissed the request to unlock the keychain.
    #[error("the keychain was not unlocked")]
    Refused,
    /// The keychain is unlocked and has no such key.
    #[error("the keychain has no such key")]
    NoItem,
    /// The keychain did not respond in time.
    #[error("the keychain did not respond in time")]
    TimedOut,
    /// The keychain reported an error, or returned something other than what was stored.
    #[error("the keychain failed: {0}")]
    Failed(String),
}
