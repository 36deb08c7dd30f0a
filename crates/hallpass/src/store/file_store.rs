//! A record in a file, with its journal and the keys that may encrypt it.

use std::path::PathBuf;
use std::sync::Arc;

use super::journal::{Fingerprint, JournalFile};
use super::record::{Record, Seal, StoredRecord};
use super::record_file::{RecordFile, StagedFile, profiles_in};
use super::seal;
use super::seal_keys::SealKeys;
use super::thread_lock::ThreadLock;
use crate::error::{KeychainError, StoreError};
use crate::world::keychain::{Key, Keychain};

/// The record's file, the journal beside it, and the keys in the keychain.
pub(crate) struct FileStore {
    pub(super) threads: ThreadLock,
    pub(super) file: RecordFile,
    pub(super) journal: JournalFile,
    pub(super) keys: SealKeys,
}

impl FileStore {
    /// Names the files of a profile in `dir`, without touching anything.
    pub(crate) fn new(dir: PathBuf, service: &str, profile: &str, keychain: Arc<dyn Keychain>) -> FileStore {
        FileStore {
            threads: ThreadLock::default(),
            journal: JournalFile::new(&dir, profile),
            file: RecordFile::new(dir, profile),
            keys: SealKeys::new(service, keychain),
        }
    }

    /// Decrypts a record; see [`Store::open`](crate::store::Store::open).
    pub(super) fn open(&self, sealed: StoredRecord) -> Result<Record, StoreError> {
        let key = self.key(sealed.seal.as_ref())?;
        let path = self.file.path();
        let unopened = match sealed.check_writable(Some(path)) {
            Ok(()) => StoreError::SealBroken { path: path.to_owned() },
            Err(newer) => newer,
        };
        seal::open(sealed, &key).ok_or(unopened)
    }

    fn key(&self, seal: Option<&Seal>) -> Result<Key, StoreError> {
        let key = match seal {
            Some(Seal { key: Some(key), .. }) => Ok(key.clone()),
            Some(seal) => self.keys.get(&seal.key_id),
            None => Err(KeychainError::NoItem),
        };
        key.map_err(|cause| StoreError::Keychain { path: self.file.path().to_owned(), cause })
    }

    /// Replaces the record, encrypted if it has a seal. The journal names both records first, so that neither is taken
    /// for another program's.
    pub(super) fn replace(&self, staged: StagedFile, record: &Record) -> Result<(), StoreError> {
        record.check_writable(Some(self.file.path()))?;
        let record = match &record.seal {
            Some(seal) => seal::seal(record.clone(), &self.key(Some(seal))?),
            None => record.clone().into_stored(),
        };
        let mut journal = self.journal.read();
        journal.announce(self.file.fingerprint().as_ref(), Fingerprint::new(&record.to_bytes()));
        self.journal.write(&journal);
        self.file.replace(staged, &record)
    }

    /// Removes the record and its key. The journal names the key first, because nothing else will once the record is
    /// gone.
    pub(super) fn erase(&self, seal: Option<&Seal>) -> Result<bool, StoreError> {
        let mut journal = self.journal.read();
        journal.left_keys.extend(seal.map(|seal| seal.key_id.clone()));
        if journal.left_keys.is_empty() {
            return self.file.erase();
        }
        self.journal.write(&journal);
        let erased = self.file.erase()?;
        for key_id in journal.left_keys.drain(..) {
            self.remove_key(&key_id);
        }
        self.journal.write(&journal);
        Ok(erased)
    }

    /// Removes a key unless the record may need it: a write that failed may have replaced the record all the same. A
    /// key too many does no harm.
    pub(super) fn remove_key(&self, key_id: &str) {
        let is_needed = match self.file.read() {
            Ok(record) => record.is_some_and(|record| record.key_id() == Some(key_id)),
            Err(StoreError::Corrupt { .. }) => false,
            Err(_) => true,
        };
        if !is_needed {
            self.keys.delete(key_id);
        }
    }

    /// Counts the keys of this program that no record in this directory refers to.
    pub(super) fn stray_keys(&self) -> Result<usize, KeychainError> {
        let records: Vec<StoredRecord> = self
            .profiles()
            .iter()
            .filter_map(|profile| self.sibling(profile).read().ok().flatten())
            .collect();
        let is_stray = |id: &&String| !records.iter().any(|record| record.key_id() == Some(id));
        Ok(self.keys.ids()?.iter().filter(is_stray).count())
    }

    /// Lists other profiles of this program with a session of the same issuer, client and user.
    pub(super) fn siblings<S>(&self, record: &Record<S>) -> Vec<String> {
        let mut profiles = self.profiles();
        profiles.retain(|profile| {
            *profile != record.profile
                && matches!(self.sibling(profile).read(), Ok(Some(other)) if other.is_of_same_user(record))
        });
        profiles
    }

    fn profiles(&self) -> Vec<String> {
        profiles_in(self.file.dir()).unwrap_or_default()
    }

    fn sibling(&self, profile: &str) -> RecordFile {
        RecordFile::new(self.file.dir().to_owned(), profile)
    }
}
