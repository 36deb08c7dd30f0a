//! Stored sign-ins: one record per profile.
//!
//! A write takes the lock ([`Store::lock`]), reserves space ([`Staged`]) and replaces the record atomically. Reading
//! needs neither the lock nor write access. With a keychain, the secret half of a record is sealed (encrypted) under
//! a key stored there; everything else is the same.

mod file;
mod journal;
mod keys;
mod lock;
mod memory;
mod queue;
mod record;
mod rfc3339;
mod seal;
mod sealable;
mod staged;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, KeychainError, StoreError};
use crate::interrupt::Canceller;

pub(crate) use file::{FileStore, profiles_in};
pub(crate) use journal::{Fingerprint, InFlight, Journal, JournalFile, Refusals};
pub(crate) use keys::RecordKeys;
pub(crate) use lock::Attempt;
pub(crate) use memory::MemoryStore;
pub(crate) use queue::{Queue, Wait};
pub(crate) use record::{Access, Record, Seal, Secrets, StoredRecord, Token, Tombstone, VERSION};
pub(crate) use sealable::SealableFile;
pub(crate) use staged::Staged;

/// The kind of storage that holds a sign-in's secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// A file, encrypted under a key in the operating system's keychain.
    Keychain,
    /// An unencrypted file that only this user can read.
    File,
    /// This process's memory. The sign-in is gone when the last clone of the [`Hallpass`](crate::Hallpass) is dropped.
    Memory,
}

impl StoreKind {
    /// Returns `keychain`, `file` or `memory`.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreKind::Keychain => "keychain",
            StoreKind::File => "file",
            StoreKind::Memory => "memory",
        }
    }
}

/// The store of one profile.
pub(crate) enum Store {
    File(SealableFile),
    Memory(MemoryStore),
}

/// Held while the record is changed; other processes and threads wait for it.
pub(crate) struct Guard {
    _among_processes: Option<lock::Lock>,
    _among_threads: queue::Turn,
}

/// Held while a login waits for the user.
pub(crate) enum LoginGuard {
    File { _lock: lock::Lock },
    Memory { _turn: queue::Turn },
}

impl Store {
    /// The kind of storage that holds this record's secrets.
    pub(crate) fn kind_of<S>(&self, record: &Record<S>) -> StoreKind {
        match (self, &record.seal) {
            (Store::File(_), Some(_)) => StoreKind::Keychain,
            (Store::File(_), None) => StoreKind::File,
            (Store::Memory(_), _) => StoreKind::Memory,
        }
    }

    /// The path of the record's file, or `None` in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Store::File(store) => Some(store.file.path()),
            Store::Memory(_) => None,
        }
    }

    /// Reads the record as stored. Doesn't use the keychain.
    pub(crate) fn read(&self) -> Result<Option<StoredRecord>, StoreError> {
        match self {
            Store::File(store) => store.file.read(),
            Store::Memory(memory) => Ok(memory.read().map(Record::into_stored)),
        }
    }

    /// Decrypts the secret half of a record, if it's sealed.
    ///
    /// # Errors
    /// [`StoreError::Keychain`] if the key isn't available, [`StoreError::SealBroken`] if it doesn't open the record,
    /// [`StoreError::Newer`] if it doesn't and a newer version sealed it, perhaps in another way.
    pub(crate) fn open(&self, record: StoredRecord) -> Result<Record, StoreError> {
        match (record.into_open(), self) {
            (Ok(record), _) => Ok(record),
            (Err(sealed), Store::File(store)) => store.open(*sealed),
            (Err(_), Store::Memory(_)) => {
                Err(StoreError::Keychain { path: PathBuf::new(), cause: KeychainError::NoItem })
            }
        }
    }

    /// Whether [`open`](Self::open) needs no keychain.
    #[cfg(feature = "tokio")]
    pub(crate) fn opens_at_once(&self, record: &StoredRecord) -> bool {
        match (self, &record.seal) {
            (Store::File(store), Some(seal)) => store.keys.is_cached(&seal.key_id),
            _ => true,
        }
    }

    /// Checks that a record could be written: creates the directory and a temporary file, and removes the file.
    pub(crate) fn probe(&self) -> Result<(), StoreError> {
        self.stage().map(drop)
    }

    /// Waits until no other process or thread is changing this profile's record.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`, naming the holder; [`Error::Cancelled`].
    pub(crate) fn lock(&self, limit: Duration, cancel: &Canceller) -> Result<Guard, Error> {
        match self.lock_unless(limit, cancel, || None::<Infallible>)? {
            Wait::Locked(guard) => Ok(guard),
            Wait::Found(never) => match never {},
        }
    }

    /// Waits for the lock like [`lock`](Self::lock), but stops if `wanted` returns a value after another thread of this
    /// process releases it.
    pub(crate) fn lock_unless<T>(
        &self,
        limit: Duration,
        cancel: &Canceller,
        wanted: impl Fn() -> Option<T>,
    ) -> Result<Wait<Guard, T>, Error> {
        let deadline = Instant::now() + limit;
        let (queue, file) = match self {
            Store::File(store) => (&store.queue, Some(&store.file)),
            Store::Memory(memory) => (&memory.queue, None),
        };
        let turn = match queue.wait(limit, cancel, wanted)? {
            Wait::Locked(turn) => turn,
            Wait::Found(found) => return Ok(Wait::Found(found)),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let lock = file.map(|file| file.lock(left, cancel)).transpose()?;
        Ok(Wait::Locked(Guard { _among_processes: lock, _among_threads: turn }))
    }

    /// Takes the lock held while a login waits for the user, or returns its holder's pid.
    pub(crate) fn login_turn(&self) -> Result<Attempt<LoginGuard>, StoreError> {
        match self {
            Store::File(store) => Ok(match store.file.login_lock()? {
                Attempt::Locked(lock) => Attempt::Locked(LoginGuard::File { _lock: lock }),
                Attempt::HeldBy(pid) => Attempt::HeldBy(pid),
            }),
            Store::Memory(memory) => Ok(match memory.logins.take() {
                Some(turn) => Attempt::Locked(LoginGuard::Memory { _turn: turn }),
                None => Attempt::HeldBy(std::process::id().to_string()),
            }),
        }
    }

    /// Takes the login lock if it's free.
    pub(crate) fn free_login_turn(&self) -> Result<Option<LoginGuard>, StoreError> {
        Ok(match self {
            Store::File(store) => store.file.free_login_lock()?.map(|lock| LoginGuard::File { _lock: lock }),
            Store::Memory(memory) => memory.logins.take().map(|turn| LoginGuard::Memory { _turn: turn }),
        })
    }

    /// Reserves space for the next write.
    pub(crate) fn stage(&self) -> Result<Staged<'_>, StoreError> {
        Ok(match self {
            Store::File(store) => Staged::File(store, store.file.stage()?),
            Store::Memory(memory) => Staged::Memory(memory),
        })
    }

    /// Renames an unreadable record, so it's kept, and returns its new path.
    pub(crate) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        match self {
            Store::File(store) => store.file.set_aside(),
            Store::Memory(_) => Ok(None),
        }
    }

    /// This program's other profiles with a session of the same issuer, client and user.
    pub(crate) fn siblings<S>(&self, record: &Record<S>) -> Vec<String> {
        match self {
            Store::File(store) => store.siblings(record),
            Store::Memory(_) => Vec::new(),
        }
    }

    /// Whether the record was written by something other than Hallpass, as far as the journal shows.
    pub(crate) fn is_foreign(&self) -> bool {
        match self {
            Store::File(store) => store.is_foreign(),
            Store::Memory(_) => false,
        }
    }

    /// Removes the record, even an unreadable one, and the key of its seal. Also completes an interrupted erasure.
    /// Returns whether there was a record.
    pub(crate) fn erase(&self, seal: Option<&Seal>) -> Result<bool, StoreError> {
        match self {
            Store::File(store) => store.erase(seal),
            Store::Memory(memory) => Ok(memory.erase()),
        }
    }

    /// Whether there is nothing to erase.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.read(), Ok(None)) && self.journal().left_keys.is_empty()
    }

    /// Removes the temporary files of killed processes, which may contain unencrypted tokens.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        match self {
            Store::File(store) => store.file.sweep(),
            Store::Memory(_) => Ok(()),
        }
    }

    /// The notes that processes share about refreshes of this profile.
    pub(crate) fn journal(&self) -> Journal {
        match self {
            Store::File(store) => store.journal.read(),
            Store::Memory(memory) => memory.journal(),
        }
    }

    /// Writes the journal. Call it only while holding the lock.
    pub(crate) fn note(&self, journal: &Journal) {
        match self {
            Store::File(store) => store.journal.write(journal),
            Store::Memory(memory) => memory.note(journal),
        }
    }

    /// Discards the journal's notes about the previous session. Call it only while holding the lock.
    pub(crate) fn settle_journal(&self) {
        let journal = self.journal();
        if journal != Journal::default() {
            self.note(&journal.settled());
        }
    }

    /// Creates a key in the keychain and checks that it can be read back.
    ///
    /// # Errors
    /// [`KeychainError::Absent`] in memory, where nothing is sealed.
    pub(crate) fn new_seal(&self) -> Result<Seal, KeychainError> {
        match self {
            Store::File(store) => store.keys.create(),
            Store::Memory(_) => {
                Err(KeychainError::Absent("credentials in memory are not encrypted".to_owned()))
            }
        }
    }

    /// The number of this program's keys that no record in this directory uses. They may belong to another directory
    /// and do no harm, so they aren't deleted.
    pub(crate) fn stray_keys(&self) -> Result<usize, KeychainError> {
        match self {
            Store::File(store) => store.stray_keys(),
            Store::Memory(_) => Ok(0),
        }
    }

    /// Asks the user to unlock the keychain.
    pub(crate) fn unlock(&self, cancel: &Canceller) -> Result<(), KeychainError> {
        match self {
            Store::File(store) => store.keys.unlock(cancel),
            Store::Memory(_) => Ok(()),
        }
    }

    /// Deletes the key of a seal, unless the record may still use it.
    pub(crate) fn break_seal(&self, seal: &Seal) {
        match self {
            Store::File(store) => store.delete_key(&seal.key_id),
            Store::Memory(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
