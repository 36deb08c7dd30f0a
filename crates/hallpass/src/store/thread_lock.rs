//! The lock between the threads of this process. Of a hundred threads that find a token expired, one goes on to the
//! file lock, and the others leave with the result of that one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::file_lock::busy;
use crate::error::Error;
use crate::interrupt::{Canceller, TICK};

/// A lock with a time limit, whose waiters may leave early.
#[derive(Clone, Default)]
pub(crate) struct ThreadLock(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_locked: Mutex<bool>,
    released: Condvar,
}

/// A held lock; released when dropped.
pub(crate) struct ThreadGuard(ThreadLock);

/// The outcome of waiting for a lock whose holder may do the waiter's work.
pub(crate) enum LockOrFound<L, T> {
    Locked(L),
    Found(T),
}

impl ThreadLock {
    /// Returns the lock if it is free.
    pub(super) fn try_lock(&self) -> Option<ThreadGuard> {
        let mut is_locked = self.is_locked();
        if *is_locked {
            return None;
        }
        *is_locked = true;
        Some(ThreadGuard(self.clone()))
    }

    /// Waits for the lock, and calls `find` each time another thread releases it: if that returns something, the lock
    /// is no longer needed.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`; [`Error::Cancelled`].
    pub(super) fn lock_or_find<T>(
        &self,
        limit: Duration,
        cancel: &Canceller,
        find: impl Fn() -> Option<T>,
    ) -> Result<LockOrFound<ThreadGuard, T>, Error> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(guard) = self.try_lock() {
                return Ok(LockOrFound::Locked(guard));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(busy("another thread of this process holds its lock", limit).into());
            }
            cancel.check()?;
            if self.is_released_within(left.min(TICK))
                && let Some(found) = find()
            {
                return Ok(LockOrFound::Found(found));
            }
        }
    }

    fn is_released_within(&self, limit: Duration) -> bool {
        let waited = self.0.released.wait_timeout_while(self.is_locked(), limit, |is_locked| *is_locked);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    // A panic cannot leave a flag half-written, so a poisoned lock is still usable.
    fn is_locked(&self) -> MutexGuard<'_, bool> {
        self.0.is_locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        *self.0.is_locked() = false;
        self.0.0.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn wait(lock: &ThreadLock, limit: Duration, cancel: &Canceller) -> Result<ThreadGuard, Error> {
        match lock.lock_or_find(limit, cancel, || None::<()>)? {
            LockOrFound::Locked(guard) => Ok(guard),
            LockOrFound::Found(()) => panic!("nothing to find"),
        }
    }

    #[test]
    fn the_next_thread_gets_the_lock_when_the_first_releases_it() {
        let (lock, cancel) = (ThreadLock::default(), Canceller::default());
        let first = lock.try_lock().unwrap();
        assert!(lock.try_lock().is_none());
        for limit in [Duration::ZERO, Duration::from_millis(30)] {
            assert!(matches!(wait(&lock, limit, &cancel), Err(Error::Network(_))));
        }
        let other = lock.clone();
        let next = std::thread::spawn(move || wait(&other, LONG, &cancel).is_ok());
        drop(first);
        assert!(next.join().unwrap());
        assert!(lock.try_lock().is_some());
    }

    /// A thread that starts late finds the lock free, and gets it.
    fn leaves_without_the_lock() -> bool {
        let lock = ThreadLock::default();
        let first = lock.try_lock().unwrap();
        let next = std::thread::spawn(move || lock.lock_or_find(LONG, &Canceller::default(), || Some(7)));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!next.is_finished());
        drop(first);
        matches!(next.join().unwrap(), Ok(LockOrFound::Found(7)))
    }

    #[test]
    fn a_waiter_that_finds_what_it_wants_leaves_without_the_lock() {
        assert!((0..20).any(|_| leaves_without_the_lock()));
    }

    #[test]
    fn cancelling_ends_the_wait() {
        let (lock, cancel) = (ThreadLock::default(), Canceller::default());
        let _first = lock.try_lock().unwrap();
        cancel.cancel();
        assert!(matches!(wait(&lock, LONG, &cancel), Err(Error::Cancelled)));
    }
}
