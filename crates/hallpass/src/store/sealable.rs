//! The files of one profile, and the keys that may seal its record.

use super::file::{FileStore, StagedFile, profiles_in};
use super::journal::{Fingerprint, JournalFile};
use super::keys::RecordKeys;
use super::queue::Queue;
use super::record::{Record, Seal, StoredRecord};
use super::seal;
use crate::error::{KeychainError, StoreError};
use crate::world::keychain::Key;

/// A record's file, the journal beside it, and the keys that may seal it.
pub(crate) struct SealableFile {
    pub(crate) queue: Queue,
    pub(crate) file: FileStore,
    pub(crate) journal: JournalFile,
    pub(crate) keys: RecordKeys,
}

impl SealableFile {
    /// Decrypts a sealed record; see [`Store::open`](super::Store::open) for the errors.
    pub(super) fn open(&self, sealed: StoredRecord) -> Result<Record, StoreError> {
        let key = self.key(sealed.seal.as_ref())?;
        let path = self.file.path();
        let newer = sealed.check_writable(Some(path)).err();
        seal::open(sealed, &key)
            .ok_or_else(|| newer.unwrap_or_else(|| StoreError::SealBroken { path: path.to_owned() }))
    }

    /// Writes the record, sealed if it has a seal, in place of the current one.
    pub(super) fn save(&self, staged: StagedFile, record: Record) -> Result<(), StoreError> {
        let stored = if record.seal.is_some() {
            let key = self.key(record.seal.as_ref())?;
            seal::seal(record, &key)
        } else {
            record.into_stored()
        };
        let mut journal = self.journal.read();
        journal.announce(self.file.fingerprint().as_ref(), Fingerprint::from_bytes(&stored.to_bytes()));
        self.journal.write(&journal);
        self.file.replace(staged, &stored)
    }

    /// Removes the record and its key; see [`Store::erase`](super::Store::erase).
    pub(super) fn erase(&self, seal: Option<&Seal>) -> Result<bool, StoreError> {
        let mut journal = self.journal.read();
        journal.left_keys.extend(seal.map(|seal| seal.key_id.clone()));
        if journal.left_keys.is_empty() {
            return self.file.erase();
        }
        // The journal goes first: once the record is gone, nothing else refers to the key.
        self.journal.write(&journal);
        let erased = self.file.erase()?;
        journal.left_keys.drain(..).for_each(|key_id| self.delete_key(&key_id));
        self.journal.write(&journal);
        Ok(erased)
    }

    /// Deletes a key unless the record may be sealed under it. A failed write may still have replaced the record, and
    /// a leftover key does no harm, while a missing one makes the record unreadable.
    pub(super) fn delete_key(&self, key_id: &str) {
        let may_be_in_use = match self.file.read() {
            Ok(Some(record)) => record.key_id() == Some(key_id),
            Ok(None) | Err(StoreError::Corrupt { .. }) => false,
            Err(_) => true,
        };
        if !may_be_in_use {
            self.keys.delete(key_id);
        }
    }

    pub(super) fn is_foreign(&self) -> bool {
        match self.file.fingerprint() {
            Some(present) => self.journal.read().is_foreign(&present),
            None => false,
        }
    }

    pub(super) fn siblings<S>(&self, record: &Record<S>) -> Vec<String> {
        let others = self.records().filter(|(profile, _)| *profile != record.profile);
        others.filter(|(_, other)| other.is_of_same_user(record)).map(|(profile, _)| profile).collect()
    }

    pub(super) fn stray_keys(&self) -> Result<usize, KeychainError> {
        let used: Vec<String> =
            self.records().filter_map(|(_, record)| record.key_id().map(str::to_owned)).collect();
        Ok(self.keys.ids()?.iter().filter(|id| !used.contains(id)).count())
    }

    /// The readable records in this directory, by profile.
    fn records(&self) -> impl Iterator<Item = (String, StoredRecord)> {
        let dir = self.file.dir();
        profiles_in(dir).unwrap_or_default().into_iter().filter_map(|profile| {
            let record = FileStore::new(dir.to_owned(), &profile).read().ok()??;
            Some((profile, record))
        })
    }

    fn key(&self, seal: Option<&Seal>) -> Result<Key, StoreError> {
        let key = match seal {
            Some(Seal { key: Some(key), .. }) => Ok(key.clone()),
            Some(seal) => self.keys.get(&seal.key_id),
            None => Err(KeychainError::NoItem),
        };
        key.map_err(|cause| StoreError::Keychain { path: self.file.path().to_owned(), cause })
    }
}
