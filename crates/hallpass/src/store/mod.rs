//! The stored sessions: one record per profile.
//!
//! A record is written in one way: [`Store::lock`], then [`Store::stage`], then [`Staged::save`], which replaces the
//! record atomically. Reading needs neither the lock nor write access. With a keychain, the secret half of the record
//! is encrypted under a key that the keychain holds; everything else is the same.

mod access;
mod file_lock;
mod file_store;
mod journal;
mod kind;
mod memory;
mod permissions;
mod record;
mod record_file;
mod rfc3339;
mod seal;
mod seal_keys;
mod secrets;
mod temporary;
mod thread_lock;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, KeychainError, StoreError};
use crate::interrupt::Canceller;

use file_lock::FileLock;
use record_file::{StagedFile, profiles_in};
use thread_lock::ThreadGuard;

pub(crate) use access::{Access, Token};
pub(crate) use file_lock::{LockAttempt, busy};
pub(crate) use file_store::FileStore;
pub(crate) use journal::{Fingerprint, InFlight, Journal, Refusals};
pub use kind::StoreKind;
pub(crate) use memory::MemoryStore;
pub(crate) use record::{Record, Seal, StoredRecord, Tombstone, VERSION};
pub(crate) use secrets::Secrets;
pub(crate) use thread_lock::LockOrFound;

/// The store of one profile.
pub(crate) enum Store {
    File(FileStore),
    Memory(MemoryStore),
}

/// Held while the record is changed: other processes and threads wait for it.
pub(crate) struct Guard {
    _among_processes: Option<FileLock>,
    _among_threads: ThreadGuard,
}

/// Held while a login waits for the user.
pub(crate) enum LoginGuard {
    File { _lock: FileLock },
    Memory { _lock: ThreadGuard },
}

/// Reserved space for a record, so the next write cannot fail with ENOSPC.
pub(crate) enum Staged<'a> {
    File(&'a FileStore, StagedFile),
    Memory(&'a MemoryStore),
}

impl Store {
    /// Returns the place where a record's secrets are stored.
    pub(crate) fn kind_of<S>(&self, record: &Record<S>) -> StoreKind {
        match (self, &record.seal) {
            (Store::File(_), Some(_)) => StoreKind::Keychain,
            (Store::File(_), None) => StoreKind::File,
            (Store::Memory(_), _) => StoreKind::Memory,
        }
    }

    /// Returns the path of the record's file. `None` if it is in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Store::File(store) => Some(store.file.path()),
            Store::Memory(_) => None,
        }
    }

    /// Lists this program's profiles that have a record, in alphabetical order.
    pub(crate) fn profiles(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Store::File(store) => profiles_in(store.file.dir()),
            Store::Memory(memory) => Ok(memory.read().map(|record| record.profile).into_iter().collect()),
        }
    }

    /// Reads the record, with its secret half as it is stored. Needs no keychain.
    pub(crate) fn read(&self) -> Result<Option<StoredRecord>, StoreError> {
        match self {
            Store::File(store) => store.file.read(),
            Store::Memory(memory) => Ok(memory.read().map(Record::into_stored)),
        }
    }

    /// Opens a record: decrypts its secret half, if it is encrypted.
    ///
    /// # Errors
    /// [`StoreError::Keychain`] if the key is not available, [`StoreError::SealBroken`] if it does not decrypt the
    /// record, [`StoreError::Newer`] if a later version may have encrypted the record in another way.
    pub(crate) fn open(&self, record: StoredRecord) -> Result<Record, StoreError> {
        match (record.into_open(), self) {
            (Ok(record), _) => Ok(record),
            (Err(sealed), Store::File(store)) => store.open(*sealed),
            (Err(_), Store::Memory(_)) => {
                Err(StoreError::Keychain { path: PathBuf::new(), cause: KeychainError::NoItem })
            }
        }
    }

    /// Whether [`open`](Store::open) needs no keychain for this record.
    #[cfg(feature = "tokio")]
    pub(crate) fn opens_without_keychain(&self, record: &StoredRecord) -> bool {
        match (self, &record.seal) {
            (Store::File(store), Some(seal)) => store.keys.is_cached(&seal.key_id),
            _ => true,
        }
    }

    /// Checks that a record could be written: creates the directory, reserves the space, and frees it again.
    pub(crate) fn probe(&self) -> Result<(), StoreError> {
        self.stage().map(drop)
    }

    /// Waits until no other process or thread changes this profile's record.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`, which names the holder; [`Error::Cancelled`].
    pub(crate) fn lock(&self, limit: Duration, cancel: &Canceller) -> Result<Guard, Error> {
        let LockOrFound::Locked(guard) = self.lock_or_find(limit, cancel, || None::<Infallible>)?;
        Ok(guard)
    }

    /// Waits for the lock, and calls `find` each time another thread of this process releases it: if that returns
    /// something, the lock is no longer needed.
    ///
    /// # Errors
    /// As [`lock`](Store::lock).
    pub(crate) fn lock_or_find<T>(
        &self,
        limit: Duration,
        cancel: &Canceller,
        find: impl Fn() -> Option<T>,
    ) -> Result<LockOrFound<Guard, T>, Error> {
        let deadline = Instant::now() + limit;
        let (threads, file) = match self {
            Store::File(store) => (&store.threads, Some(&store.file)),
            Store::Memory(memory) => (&memory.threads, None),
        };
        let among_threads = match threads.lock_or_find(limit, cancel, find)? {
            LockOrFound::Locked(guard) => guard,
            LockOrFound::Found(found) => return Ok(LockOrFound::Found(found)),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let among_processes = file.map(|file| file.lock(left, cancel)).transpose()?;
        Ok(LockOrFound::Locked(Guard { _among_processes: among_processes, _among_threads: among_threads }))
    }

    /// Tries to get the lock that is held while a login waits for the user; if it's taken, says by which process.
    pub(crate) fn login_lock_or_holder(&self) -> Result<LockAttempt<LoginGuard>, StoreError> {
        Ok(match self {
            Store::File(store) => match store.file.login_lock_or_holder()? {
                LockAttempt::Locked(lock) => LockAttempt::Locked(LoginGuard::File { _lock: lock }),
                LockAttempt::HeldBy(pid) => LockAttempt::HeldBy(pid),
            },
            Store::Memory(memory) => match memory.login.try_lock() {
                Some(lock) => LockAttempt::Locked(LoginGuard::Memory { _lock: lock }),
                None => LockAttempt::HeldBy(std::process::id().to_string()),
            },
        })
    }

    /// Tries to get the lock that is held while a login waits for the user. Returns `None` if it's taken.
    pub(crate) fn try_login_lock(&self) -> Result<Option<LoginGuard>, StoreError> {
        Ok(match self {
            Store::File(store) => store.file.try_login_lock()?.map(|lock| LoginGuard::File { _lock: lock }),
            Store::Memory(memory) => memory.login.try_lock().map(|lock| LoginGuard::Memory { _lock: lock }),
        })
    }

    /// Reserves the space that the next record needs. Call it under the lock.
    pub(crate) fn stage(&self) -> Result<Staged<'_>, StoreError> {
        Ok(match self {
            Store::File(store) => Staged::File(store, store.file.stage()?),
            Store::Memory(memory) => Staged::Memory(memory),
        })
    }

    /// Renames a record that cannot be parsed, so that it is kept. Returns its new path.
    pub(crate) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        match self {
            Store::File(store) => store.file.set_aside(),
            Store::Memory(_) => Ok(None),
        }
    }

    /// Lists other profiles of this program with a session of the same issuer, client and user.
    pub(crate) fn siblings<S>(&self, record: &Record<S>) -> Vec<String> {
        match self {
            Store::File(store) => store.siblings(record),
            Store::Memory(_) => Vec::new(),
        }
    }

    /// Whether something other than Hallpass wrote the record, as far as the journal knows.
    pub(crate) fn is_foreign(&self) -> bool {
        match self {
            Store::File(store) => match store.file.fingerprint() {
                Some(present) => store.journal.read().is_foreign(&present),
                None => false,
            },
            Store::Memory(_) => false,
        }
    }

    /// Removes the record, valid or not, and the key of its seal, together with what an interrupted erase left. Returns
    /// whether there was a record. Call it under the lock.
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

    /// Removes the temporary files of killed processes. They may hold tokens in plain text.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        match self {
            Store::File(store) => store.file.sweep(),
            Store::Memory(_) => Ok(()),
        }
    }

    /// Reads the journal of this profile.
    pub(crate) fn journal(&self) -> Journal {
        match self {
            Store::File(store) => store.journal.read(),
            Store::Memory(memory) => memory.journal(),
        }
    }

    /// Writes the journal of this profile. Call it under the lock.
    pub(crate) fn write_journal(&self, journal: &Journal) {
        match self {
            Store::File(store) => store.journal.write(journal),
            Store::Memory(memory) => memory.write_journal(journal),
        }
    }

    /// Clears what the journal says about refreshes, because another session replaced theirs. Call it under the lock.
    pub(crate) fn settle_journal(&self) {
        let journal = self.journal();
        if journal != Journal::default() {
            self.write_journal(&journal.settled());
        }
    }

    /// Creates a key in the keychain.
    ///
    /// # Errors
    /// [`KeychainError::Absent`] for a record in memory, which is not encrypted.
    pub(crate) fn new_seal(&self) -> Result<Seal, KeychainError> {
        match self {
            Store::File(store) => store.keys.create(),
            Store::Memory(_) => Err(KeychainError::Absent("credentials are stored in memory".to_owned())),
        }
    }

    /// Counts the keys of this program that no record in this directory refers to. They may belong to records in
    /// another directory, and do no harm.
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

    /// Removes the key of a seal, unless the record uses it.
    pub(crate) fn break_seal(&self, seal: &Seal) {
        match self {
            Store::File(store) => store.remove_key(&seal.key_id),
            Store::Memory(_) => {}
        }
    }
}

impl Staged<'_> {
    /// Whether another process is about to save a record too. Of two that do so at the same time, at least one notices.
    pub(crate) fn has_rivals(&self) -> Result<bool, StoreError> {
        match self {
            Staged::File(store, file) => store.file.has_rivals(file),
            Staged::Memory(_) => Ok(false),
        }
    }

    /// Saves the record, encrypted if it has a seal: makes it durable, puts it in place atomically, and reads it back.
    /// Returns it with its new generation.
    pub(crate) fn save(self, mut record: Record) -> Result<Record, StoreError> {
        record.generation += 1;
        match self {
            Staged::File(store, file) => store.replace(file, &record)?,
            Staged::Memory(memory) => memory.write(record.clone()),
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests;
