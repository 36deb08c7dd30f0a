//! A record kept in memory, for the lifetime of the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::journal::Journal;
use super::queue::Queue;
use super::record::Record;

/// The record and journal of one profile.
#[derive(Default)]
pub(crate) struct MemoryStore {
    record: Mutex<Option<Box<Record>>>,
    journal: Mutex<Journal>,
    pub(crate) queue: Queue,
    /// Held while a login waits for the user.
    pub(crate) logins: Queue,
}

impl MemoryStore {
    pub(crate) fn read(&self) -> Option<Record> {
        locked(&self.record).as_deref().cloned()
    }

    pub(crate) fn write(&self, record: Record) {
        *locked(&self.record) = Some(Box::new(record));
    }

    pub(crate) fn erase(&self) -> bool {
        locked(&self.record).take().is_some()
    }

    pub(crate) fn journal(&self) -> Journal {
        locked(&self.journal).clone()
    }

    pub(crate) fn note(&self, journal: &Journal) {
        locked(&self.journal).clone_from(journal);
    }
}

/// Locks the mutex. A panic can't leave a value half-written, so poisoning is ignored.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
