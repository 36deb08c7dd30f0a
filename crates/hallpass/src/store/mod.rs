//! Where a sign-in is kept: one record for each profile.
//!
//! There is one way to write: [`Store::lock`], then [`Staged`] space, then one atomic replacement.
//! Reading needs neither lock nor write access. With a keychain, the secret half of a record is sealed under a key
//! that lies there; everything else is the same.

mod file;
mod journal;
mod keys;
mod lock;
mod memory;
mod queue;
mod record;
mod rfc3339;
mod seal;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::KeychainError;
use crate::error::{Error, StoreError};
use crate::interrupt::Canceller;
use crate::world::keychain::Key;

pub(crate) use file::{FileStore, profiles_in};
pub(crate) use journal::{Fingerprint, InFlight, Journal, JournalFile, Refusals};
pub(crate) use keys::RecordKeys;
pub(crate) use memory::MemoryStore;
pub(crate) use queue::Queue;
pub(crate) use record::{Access, Record, Seal, Secrets, StoredRecord, Token, Tombstone, VERSION};

/// What keeps the secrets of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// A file, sealed under a key that the operating system's keychain keeps.
    Keychain,
    /// A file that only this user can read.
    File,
    /// This process's memory: gone when the last clone of the [`Hallpass`](crate::Hallpass) is.
    Memory,
}

impl StoreKind {
    /// `keychain`, `file` or `memory`.
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

/// A record's file, the journal beside it, and the keys that may seal it.
pub(crate) struct SealableFile {
    pub(crate) queue: Queue,
    pub(crate) file: FileStore,
    pub(crate) journal: JournalFile,
    pub(crate) keys: RecordKeys,
}

/// Held while the record is changed; other processes and threads wait for it.
pub(crate) struct Guard {
    _among_processes: Option<lock::Lock>,
    _among_threads: queue::Turn,
}

/// Held while a person is waited for.
pub(crate) enum LoginGuard {
    File { _lock: lock::Lock },
    Memory { _turn: queue::Turn },
}

/// Space that is already reserved, so that what is written into it next cannot fail for want of any.
pub(crate) struct Staged<'a> {
    store: &'a Store,
    file: Option<file::StagedFile>,
}

impl Store {
    /// What keeps the secrets of this record.
    pub(crate) fn kind_of<S>(&self, record: &Record<S>) -> StoreKind {
        match (self, &record.seal) {
            (Store::File(_), Some(_)) => StoreKind::Keychain,
            (Store::File(_), None) => StoreKind::File,
            (Store::Memory(_), _) => StoreKind::Memory,
        }
    }

    /// The record's file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Store::File(store) => Some(store.file.path()),
            Store::Memory(_) => None,
        }
    }

    /// The record with its secret half as it lies there. Needs no keychain.
    pub(crate) fn read(&self) -> Result<Option<StoredRecord>, StoreError> {
        match self {
            Store::File(store) => store.file.read(),
            Store::Memory(memory) => Ok(memory.read().map(Record::into_stored)),
        }
    }

    /// The record with its secret half open.
    ///
    /// # Errors
    /// [`StoreError::Keychain`] if its key cannot be had, [`StoreError::SealBroken`] if it does not fit,
    /// [`StoreError::Newer`] if a later version may have sealed it in another way.
    pub(crate) fn open(&self, record: StoredRecord) -> Result<Record, StoreError> {
        let sealed = match record.into_open() {
            Ok(record) => return Ok(record),
            Err(sealed) => sealed,
        };
        let key = self.key_of(&sealed)?;
        let unopened = match sealed.check_writable(self.path()) {
            Ok(()) => StoreError::SealBroken { path: self.shown_path() },
            Err(newer) => newer,
        };
        seal::open(*sealed, &key).ok_or(unopened)
    }

    /// Whether opening it asks no keychain.
    #[cfg(feature = "tokio")]
    pub(crate) fn opens_at_once(&self, record: &StoredRecord) -> bool {
        match (self, &record.seal) {
            (Store::File(store), Some(seal)) => store.keys.is_cached(&seal.key_id),
            _ => true,
        }
    }

    fn key_of<S>(&self, record: &Record<S>) -> Result<Key, StoreError> {
        let key = match (self, &record.seal) {
            (_, Some(Seal { key: Some(key), .. })) => Ok(key.clone()),
            (Store::File(store), Some(seal)) => store.keys.get(&seal.key_id),
            _ => Err(KeychainError::NoItem),
        };
        key.map_err(|cause| StoreError::Keychain { path: self.shown_path(), cause })
    }

    /// For messages.
    fn shown_path(&self) -> PathBuf {
        self.path().map(Path::to_owned).unwrap_or_default()
    }

    /// Finds out now whether a record could be written: makes the directory, writes, removes.
    pub(crate) fn probe(&self) -> Result<(), StoreError> {
        self.stage().map(drop)
    }

    /// Waits until nobody else changes this profile's record.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`, naming the holder; [`Error::Cancelled`].
    pub(crate) fn lock(&self, limit: Duration, cancel: &Canceller) -> Result<Guard, Error> {
        match self.lock_unless(limit, cancel, || None::<Infallible>)? {
            Ok(guard) => Ok(guard),
            Err(never) => match never {},
        }
    }

    /// The same, unless what it is `wanted` for comes from another thread while this one waits.
    pub(crate) fn lock_unless<T>(
        &self,
        limit: Duration,
        cancel: &Canceller,
        wanted: impl Fn() -> Option<T>,
    ) -> Result<Result<Guard, T>, Error> {
        let deadline = Instant::now() + limit;
        let (queue, file) = match self {
            Store::File(store) => (&store.queue, Some(&store.file)),
            Store::Memory(memory) => (&memory.queue, None),
        };
        let turn = match queue.wait(limit, cancel, wanted)? {
            Ok(turn) => turn,
            Err(found) => return Ok(Err(found)),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let lock = file.map(|file| file.lock(left, cancel)).transpose()?;
        Ok(Ok(Guard { _among_processes: lock, _among_threads: turn }))
    }

    /// The right to wait for the person, or the pid of the process that does so.
    pub(crate) fn login_turn(&self) -> Result<Result<LoginGuard, String>, StoreError> {
        Ok(match self {
            Store::File(store) => store.file.login_lock()?.map(|lock| LoginGuard::File { _lock: lock }),
            Store::Memory(memory) => {
                let turn = memory.logins.take().ok_or_else(|| std::process::id().to_string());
                turn.map(|turn| LoginGuard::Memory { _turn: turn })
            }
        })
    }

    /// The same right, if nobody has it just now.
    pub(crate) fn free_login_turn(&self) -> Result<Option<LoginGuard>, StoreError> {
        Ok(match self {
            Store::File(store) => store.file.free_login_lock()?.map(|lock| LoginGuard::File { _lock: lock }),
            Store::Memory(memory) => memory.logins.take().map(|turn| LoginGuard::Memory { _turn: turn }),
        })
    }

    pub(crate) fn stage(&self) -> Result<Staged<'_>, StoreError> {
        let file = match self {
            Store::File(store) => Some(store.file.stage()?),
            Store::Memory(_) => None,
        };
        Ok(Staged { store: self, file })
    }

    /// Moves a record that cannot be read out of the way and keeps it; returns where to.
    pub(crate) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        match self {
            Store::File(store) => store.file.set_aside(),
            Store::Memory(_) => Ok(None),
        }
    }

    /// Other profiles of this program with a session of the same issuer, client and user.
    pub(crate) fn siblings<S>(&self, record: &Record<S>) -> Vec<String> {
        let Store::File(SealableFile { file, .. }) = self else { return Vec::new() };
        let others = profiles_in(file.dir())
            .unwrap_or_default()
            .into_iter()
            .filter(|profile| *profile != record.profile);
        others.filter(|profile| is_shared(&FileStore::new(file.dir().to_owned(), profile), record)).collect()
    }

    /// Whether something else than Hallpass wrote the record, as far as the journal knows.
    pub(crate) fn is_foreign(&self) -> bool {
        let Store::File(SealableFile { file, journal, .. }) = self else { return false };
        file.fingerprint().is_some_and(|present| journal.read().is_foreign(&present))
    }

    /// Removes the record, readable or not, and the key of its seal; whether there was one. What an erasure left that was
    /// cut off goes too.
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

    /// Removes what killed processes left of records, in clear perhaps.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        match self {
            Store::File(store) => store.file.sweep(),
            Store::Memory(_) => Ok(()),
        }
    }

    /// What processes told each other about refreshes of this profile.
    pub(crate) fn journal(&self) -> Journal {
        match self {
            Store::File(store) => store.journal.read(),
            Store::Memory(memory) => memory.journal(),
        }
    }

    /// Only under the lock.
    pub(crate) fn note(&self, journal: &Journal) {
        match self {
            Store::File(store) => store.journal.write(journal),
            Store::Memory(memory) => memory.note(journal),
        }
    }

    /// What was noted of an earlier sign-in does not hold for the one that took its place. Only under the lock.
    pub(crate) fn settle_journal(&self) {
        let journal = self.journal();
        if journal != Journal::default() {
            self.note(&journal.settled());
        }
    }

    /// Makes a key in the keychain and finds out whether it stays there.
    ///
    /// # Errors
    /// [`KeychainError::Absent`] for a store that seals nothing.
    pub(crate) fn new_seal(&self) -> Result<Seal, KeychainError> {
        match self {
            Store::File(store) => store.keys.create(),
            Store::Memory(_) => Err(KeychainError::Absent("what is kept in memory is not sealed".to_owned())),
        }
    }

    /// How many of this program's keys no record in this folder names. They may be those of another folder, and do no
    /// harm, so they stay.
    pub(crate) fn stray_keys(&self) -> Result<usize, KeychainError> {
        let Store::File(store) = self else { return Ok(0) };
        let named = store.named_keys();
        Ok(store.keys.ids()?.iter().filter(|id| !named.contains(*id)).count())
    }

    /// Asks the person to unlock the keychain.
    pub(crate) fn unlock(&self, cancel: &Canceller) -> Result<(), KeychainError> {
        match self {
            Store::File(store) => store.keys.unlock(cancel),
            Store::Memory(_) => Ok(()),
        }
    }

    /// Removes the key of a seal that the record does not have, or not any more.
    pub(crate) fn break_seal(&self, seal: &Seal) {
        match self {
            Store::File(store) => store.remove_key(&seal.key_id),
            Store::Memory(_) => {}
        }
    }
}

impl SealableFile {
    fn replace(&self, staged: file::StagedFile, record: &StoredRecord) -> Result<(), StoreError> {
        let mut journal = self.journal.read();
        journal.announce(self.file.fingerprint().as_ref(), Fingerprint::from_bytes(&record.to_bytes()));
        self.journal.write(&journal);
        self.file.replace(staged, record)
    }

    /// The journal names the key before nothing else does.
    fn erase(&self, seal: Option<&Seal>) -> Result<bool, StoreError> {
        let mut journal = self.journal.read();
        journal.left_keys.extend(seal.map(|seal| seal.key_id.clone()));
        if journal.left_keys.is_empty() {
            return self.file.erase();
        }
        self.journal.write(&journal);
        let erased = self.file.erase()?;
        journal.left_keys.drain(..).for_each(|key_id| self.remove_key(&key_id));
        self.journal.write(&journal);
        Ok(erased)
    }

    /// A write that failed may have put its record in place all the same; a key too many does no harm, one too few
    /// does.
    fn remove_key(&self, key_id: &str) {
        if !self.may_be_sealed_by(key_id) {
            self.keys.delete(key_id);
        }
    }

    fn named_keys(&self) -> Vec<String> {
        let dir = self.file.dir();
        let profiles = profiles_in(dir).unwrap_or_default();
        let records = profiles.iter().filter_map(|name| FileStore::new(dir.to_owned(), name).read().ok()?);
        records.filter_map(|record| record.key_id().map(str::to_owned)).collect()
    }

    fn may_be_sealed_by(&self, key_id: &str) -> bool {
        match self.file.read() {
            Ok(record) => record.is_some_and(|record| record.key_id() == Some(key_id)),
            Err(StoreError::Corrupt { .. }) => false,
            Err(_) => true,
        }
    }
}

fn is_shared<S>(other: &FileStore, record: &Record<S>) -> bool {
    matches!(other.read(), Ok(Some(other)) if other.is_of_same_user(record))
}

impl Staged<'_> {
    /// Whether another process is about to save a record too. Of two that do this at the same time, at least one finds
    /// the other.
    pub(crate) fn has_rivals(&self) -> Result<bool, StoreError> {
        match (self.store, &self.file) {
            (Store::File(store), Some(staged)) => store.file.has_rivals(staged),
            _ => Ok(false),
        }
    }

    /// Seals the record where it has a seal, writes it, makes it durable, puts it in place in one step, and reads it
    /// back.
    pub(crate) fn save(self, mut record: Record) -> Result<Record, StoreError> {
        record.check_writable(self.store.path())?;
        record.generation += 1;
        match (self.store, self.file) {
            (Store::File(store), Some(staged)) => {
                let stored = match &record.seal {
                    Some(_) => seal::seal(record.clone(), &self.store.key_of(&record)?),
                    None => record.clone().into_stored(),
                };
                store.replace(staged, &stored)?;
            }
            (Store::Memory(memory), _) => memory.write(record.clone()),
            (Store::File(_), None) => unreachable!("a file store stages a file"),
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests;
