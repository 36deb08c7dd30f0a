//! A store or keychain that cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("cannot {action} {}: {cause}", .path.display())]
    Io {
        /// `read`, `write`, `create`, `lock`, `remove`.
        action: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The record is sealed, and its key cannot be had just now. The record is kept.
    #[error("the sign-in record {} is sealed, and its key cannot be had: {cause}", .path.display())]
    Keychain {
        /// The record's file.
        path: PathBuf,
        /// What the keychain said.
        cause: KeychainError,
    },
    /// The keychain was asked for and cannot be used, so nothing was begun.
    #[error("the sign-in cannot be kept in the keychain: {0}")]
    NoKeychain(KeychainError),
    /// The record is sealed, and its key does not open it: something else than Hallpass changed one of the two.
    #[error("the sign-in record {} was changed since it was sealed, or the keychain gives another key for it", .path.display())]
    SealBroken {
        /// The record's file.
        path: PathBuf,
    },
    /// The record cannot be parsed. It is left as it is (a login sets it aside and keeps it).
    #[error("the sign-in record {} cannot be read ({cause})", .path.display())]
    Corrupt {
        /// The record's file.
        path: PathBuf,
        /// Where the parser stopped.
        cause: String,
    },
    /// A newer Hallpass wrote this record; it is not touched.
    #[error("the sign-in record {} was written by a newer version (format {version})", .path.display())]
    Newer {
        /// The record's file.
        path: PathBuf,
        /// Its format.
        version: u64,
    },
    /// The file or its directory belongs to somebody else, or others may write to it.
    #[error("{} is not safe to use: {cause}", .path.display())]
    Unsafe {
        /// Which file or directory.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// No usable directory is known to keep the record in.
    #[error("no directory to keep the sign-in in: {0}")]
    NoDirectory(String),
    /// What was written did not read back equal.
    #[error("the sign-in record {} did not read back as written", .path.display())]
    ReadBack {
        /// The record's file.
        path: PathBuf,
    },
}

impl StoreError {
    /// A failure at a path, in the system's words.
    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> StoreError {
        let cause = match error.kind() {
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            io::ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
            _ => error.to_string(),
        };
        StoreError::Io { action, path: path.to_owned(), cause }
    }
}

/// Why the keychain did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeychainError {
    /// There is none: no bus, no service, no default collection.
    #[error("there is no keychain here ({0})")]
    Absent(String),
    /// It is locked, and nobody was asked to unlock it.
    #[error("the keychain is locked")]
    Locked,
    /// The person dismissed the question to unlock it.
    #[error("the keychain was not unlocked")]
    Refused,
    /// It is open and has no such key.
    #[error("the keychain has no such key")]
    NoItem,
    /// It did not answer in time.
    #[error("the keychain does not answer")]
    Silent,
    /// It failed, or answered with something else than what was kept.
    #[error("the keychain failed: {0}")]
    Failed(String),
}
