//! A record that exists only in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::journal::Journal;
use super::record::Record;
use super::thread_lock::ThreadLock;

/// One record, its journal and its locks, in this process's memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    record: Mutex<Option<Box<Record>>>,
    journal: Mutex<Journal>,
    pub(super) threads: ThreadLock,
    /// Held while a login waits for the user.
    pub(super) login: ThreadLock,
}

impl MemoryStore {
    pub(super) fn read(&self) -> Option<Record> {
        lock(&self.record).as_deref().cloned()
    }

    pub(super) fn write(&self, record: Record) {
        *lock(&self.record) = Some(Box::new(record));
    }

    pub(super) fn erase(&self) -> bool {
        lock(&self.record).take().is_some()
    }

    pub(super) fn journal(&self) -> Journal {
        lock(&self.journal).clone()
    }

    pub(super) fn write_journal(&self, journal: &Journal) {
        lock(&self.journal).clone_from(journal);
    }
}

// A panic cannot leave half a value behind, so a poisoned lock is still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
