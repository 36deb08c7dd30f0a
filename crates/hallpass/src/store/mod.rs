//! Where a sign-in is kept: one record for each profile.
//!
//! There is one way to write: [`Store::lock`], then [`Staged`] space, then one atomic replacement.
//! Reading needs neither lock nor write access.

mod file;
mod lock;
mod memory;
mod record;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cancel::Canceller;
use crate::error::{Error, StoreError};

pub(crate) use file::{FileStore, profiles_in};
pub(crate) use memory::MemoryStore;
pub(crate) use record::{Access, Record, Secrets, Tombstone, VERSION};

/// What keeps the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// A file that only this user can read.
    File,
    /// This process's memory: gone when the last clone of the [`Hallpass`](crate::Hallpass) is.
    Memory,
}

impl StoreKind {
    /// `file` or `memory`.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreKind::File => "file",
            StoreKind::Memory => "memory",
        }
    }
}

/// The store of one profile.
pub(crate) enum Store {
    File(FileStore),
    Memory(MemoryStore),
}

/// Held while the record is changed; other processes and threads wait for it.
pub(crate) enum Guard {
    File { _lock: lock::Lock },
    Memory { _lock: memory::MemoryLock },
}

/// Space that is already reserved, so that what is written into it next cannot fail for want of any.
pub(crate) struct Staged<'a> {
    store: &'a Store,
    file: Option<file::StagedFile>,
}

impl Store {
    pub(crate) fn kind(&self) -> StoreKind {
        match self {
            Store::File(_) => StoreKind::File,
            Store::Memory(_) => StoreKind::Memory,
        }
    }

    /// The record's file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Store::File(file) => Some(file.path()),
            Store::Memory(_) => None,
        }
    }

    pub(crate) fn read(&self) -> Result<Option<Record>, StoreError> {
        match self {
            Store::File(file) => file.read(),
            Store::Memory(memory) => Ok(memory.read()),
        }
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
        Ok(match self {
            Store::File(file) => Guard::File { _lock: file.lock(limit, cancel)? },
            Store::Memory(memory) => Guard::Memory { _lock: memory.lock(limit)? },
        })
    }

    pub(crate) fn stage(&self) -> Result<Staged<'_>, StoreError> {
        let file = match self {
            Store::File(file) => Some(file.stage()?),
            Store::Memory(_) => None,
        };
        Ok(Staged { store: self, file })
    }

    /// Moves a record that cannot be read out of the way and keeps it; returns where to.
    pub(crate) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        match self {
            Store::File(file) => file.set_aside(),
            Store::Memory(_) => Ok(None),
        }
    }

    /// Other profiles of this program with a session of the same issuer, client and user.
    pub(crate) fn siblings(&self, record: &Record) -> Vec<String> {
        let Store::File(file) = self else { return Vec::new() };
        let others = profiles_in(file.dir())
            .unwrap_or_default()
            .into_iter()
            .filter(|profile| *profile != record.profile);
        others.filter(|profile| is_shared(&FileStore::new(file.dir().to_owned(), profile), record)).collect()
    }

    /// Removes the record, readable or not; whether there was one.
    pub(crate) fn erase(&self) -> Result<bool, StoreError> {
        match self {
            Store::File(file) => file.erase(),
            Store::Memory(memory) => Ok(memory.erase()),
        }
    }
}

fn is_shared(other: &FileStore, record: &Record) -> bool {
    matches!(other.read(), Ok(Some(other)) if other.is_of_same_user(record))
}

impl Staged<'_> {
    /// Writes the record, makes it durable, puts it in place in one step, and reads it back.
    pub(crate) fn save(self, mut record: Record) -> Result<Record, StoreError> {
        record.generation += 1;
        match (self.store, self.file) {
            (Store::File(file), Some(staged)) => file.replace(staged, &record)?,
            (Store::Memory(memory), _) => memory.write(record.clone()),
            (Store::File(_), None) => unreachable!("a file store stages a file"),
        }
        Ok(record)
    }
}
