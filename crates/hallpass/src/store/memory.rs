//! A record that lives and dies with the process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::journal::Journal;
use super::record::Record;
use crate::cancel::{Canceller, TICK};
use crate::error::{Error, NetworkError, NetworkErrorKind};

/// Keeps one record in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    record: Mutex<Option<Box<Record>>>,
    journal: Mutex<Journal>,
    turn: Arc<Turn>,
    login_turn: Arc<Turn>,
}

/// One at a time among the threads of this process.
#[derive(Default)]
struct Turn {
    is_taken: Mutex<bool>,
    freed: Condvar,
}

/// The right to do what one at a time may do; given back when it is dropped.
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

    pub(crate) fn lock(&self, limit: Duration, cancel: &Canceller) -> Result<MemoryLock, Error> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.turn.take(left.min(TICK)) {
                Some(lock) => return Ok(lock),
                None if left.is_zero() => return Err(busy(limit).into()),
                None => cancel.check()?,
            }
        }
    }

    /// The right to wait for the person, where no other thread has it.
    pub(crate) fn login_lock(&self) -> Option<MemoryLock> {
        self.login_turn.take(Duration::ZERO)
    }
}

impl Turn {
    fn take(self: &Arc<Turn>, limit: Duration) -> Option<MemoryLock> {
        let waited = self.freed.wait_timeout_while(whole(&self.is_taken), limit, |taken| *taken);
        let (mut taken, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *taken = true;
        Some(MemoryLock(self.clone()))
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        *whole(&self.0.is_taken) = false;
        self.0.freed.notify_one();
    }
}

fn busy(limit: Duration) -> NetworkError {
    let detail = format!("another thread holds it for more than {} s", limit.as_secs());
    NetworkError::new(NetworkErrorKind::Busy, "", &detail)
}

/// A panic elsewhere cannot leave half a value behind, so a poisoned lock is as good as any.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
