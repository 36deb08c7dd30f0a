//! A record that lives and dies with the process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::journal::Journal;
use super::record::Record;
use crate::error::{NetworkError, NetworkErrorKind};

/// Keeps one record in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    record: Mutex<Option<Box<Record>>>,
    journal: Mutex<Journal>,
    turn: Arc<Turn>,
}

/// One writer at a time among the threads of this process.
#[derive(Default)]
struct Turn {
    is_taken: Mutex<bool>,
    freed: Condvar,
}

/// The right to write; given back when it is dropped.
pub(crate) struct MemoryLock(Arc<Turn>);

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

    pub(crate) fn lock(&self, limit: Duration) -> Result<MemoryLock, NetworkError> {
        let taken = whole(&self.turn.is_taken);
        let waited = self.turn.freed.wait_timeout_while(taken, limit, |taken| *taken);
        let (mut taken, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            let detail = format!("another thread holds it for more than {} s", limit.as_secs());
            return Err(NetworkError::new(NetworkErrorKind::Busy, "", &detail));
        }
        *taken = true;
        Ok(MemoryLock(self.turn.clone()))
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        *whole(&self.0.is_taken) = false;
        self.0.freed.notify_one();
    }
}

/// A panic elsewhere cannot leave half a value behind, so a poisoned lock is as good as any.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
