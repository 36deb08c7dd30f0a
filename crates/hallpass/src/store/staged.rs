//! A write in preparation.

use super::file::StagedFile;
use super::memory::MemoryStore;
use super::record::Record;
use super::sealable::SealableFile;
use crate::error::StoreError;

/// Space reserved for a record, so the next write cannot fail with ENOSPC.
pub(crate) enum Staged<'a> {
    File(&'a SealableFile, StagedFile),
    Memory(&'a MemoryStore),
}

impl Staged<'_> {
    /// Whether another process is about to save a record too. If two processes ask at the same time, at least one of
    /// them sees the other.
    pub(crate) fn has_rivals(&self) -> Result<bool, StoreError> {
        match self {
            Staged::File(store, staged) => store.file.has_rivals(staged),
            Staged::Memory(_) => Ok(false),
        }
    }

    /// Seals the record if it has a seal, writes and syncs it, renames it into place and reads it back.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer version wrote the record.
    pub(crate) fn save(self, mut record: Record) -> Result<Record, StoreError> {
        let path = match &self {
            Staged::File(store, _) => Some(store.file.path()),
            Staged::Memory(_) => None,
        };
        record.check_writable(path)?;
        record.generation += 1;
        match self {
            Staged::File(store, staged) => store.save(staged, record.clone())?,
            Staged::Memory(memory) => memory.write(record.clone()),
        }
        Ok(record)
    }
}
