//! A record that lives and dies with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::journal::Journal;
use super::queue::Queue;
use super::record::Record;

/// Keeps one record in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    record: Mutex<Option<Box<Record>>>,
    journal: Mutex<Journal>,
    pub(crate) queue: Queue,
    /// For the right to wait for the person.
    pub(crate) logins: Queue,
}

impl MemoryStore {
    pub(crate) fn read(&self) -> Option<Record> {
        whole(&self.record).as_deref().cloned()
    }

    pub(crate) fn write(&self, record: Record) {
        *whole(&self.record) = Some(Box::new(record));
    }

    pub(crate) fn erase(&self) -> bool {
        whole(&self.record).take().is_some()
    }

    pub(crate) fn journal(&self) -> Journal {
        whole(&self.journal).clone()
    }

    pub(crate) fn note(&self, journal: &Journal) {
        whole(&self.journal).clone_from(journal);
    }
}

/// A panic elsewhere cannot leave half a value behind, so a poisoned lock is as good as any.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
