//! A lock among the threads of this process. If a hundred threads find a token expired, one of them takes the file lock
//! and refreshes; the others leave with its result.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, NetworkError, NetworkErrorKind};
use crate::interrupt::{Canceller, TICK};

/// A lock whose waiters can leave early. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Queue(Arc<State>);

#[derive(Default)]
struct State {
    is_taken: Mutex<bool>,
    freed: Condvar,
}

/// Held by one thread at a time; released on drop.
pub(crate) struct Turn(Queue);

/// The outcome of waiting for a lock.
pub(crate) enum Wait<L, T> {
    Locked(L),
    /// The wanted value, produced by another thread in the meantime.
    Found(T),
}

impl Queue {
    /// Takes the turn if it's free, without waiting.
    pub(crate) fn take(&self) -> Option<Turn> {
        let was_taken = std::mem::replace(&mut *self.is_taken(), true);
        if was_taken { None } else { Some(Turn(self.clone())) }
    }

    /// Waits for the turn. Each time another thread releases it, checks `wanted` and stops waiting if it returns a
    /// value.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`; [`Error::Cancelled`].
    pub(crate) fn wait<T>(
        &self,
        limit: Duration,
        cancel: &Canceller,
        wanted: impl Fn() -> Option<T>,
    ) -> Result<Wait<Turn, T>, Error> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(turn) = self.take() {
                return Ok(Wait::Locked(turn));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(busy(limit).into());
            }
            cancel.check()?;
            if self.wait_for_release(left.min(TICK))
                && let Some(found) = wanted()
            {
                return Ok(Wait::Found(found));
            }
        }
    }

    /// Whether the turn was released within `limit`.
    fn wait_for_release(&self, limit: Duration) -> bool {
        let waited = self.0.freed.wait_timeout_while(self.is_taken(), limit, |is_taken| *is_taken);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Locks the flag. A panic can't leave a `bool` half-written, so poisoning is ignored.
    fn is_taken(&self) -> MutexGuard<'_, bool> {
        self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.is_taken() = false;
        self.0.0.freed.notify_all();
    }
}

fn busy(limit: Duration) -> NetworkError {
    let detail = format!("another thread has held the lock for more than {} s", limit.as_secs());
    NetworkError::new(NetworkErrorKind::Busy, "", &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn wait(queue: &Queue, limit: Duration, cancel: &Canceller) -> Result<Turn, Error> {
        match queue.wait(limit, cancel, || None::<()>)? {
            Wait::Locked(turn) => Ok(turn),
            Wait::Found(()) => panic!("nothing was wanted"),
        }
    }

    #[test]
    fn the_next_thread_gets_the_turn_when_the_first_releases_it() {
        let (queue, cancel) = (Queue::default(), Canceller::default());
        let first = queue.take().unwrap();
        assert!(queue.take().is_none());
        for limit in [Duration::ZERO, Duration::from_millis(30)] {
            assert!(matches!(wait(&queue, limit, &cancel), Err(Error::Network(_))));
        }
        let other = queue.clone();
        let next = std::thread::spawn(move || wait(&other, LONG, &cancel).is_ok());
        drop(first);
        assert!(next.join().unwrap());
        assert!(queue.take().is_some());
    }

    /// A thread that starts too late finds the turn free and takes it: then this is false.
    fn leaves_without_a_turn() -> bool {
        let queue = Queue::default();
        let first = queue.take().unwrap();
        let next = std::thread::spawn(move || queue.wait(LONG, &Canceller::default(), || Some(7)));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!next.is_finished());
        drop(first);
        matches!(next.join().unwrap(), Ok(Wait::Found(7)))
    }

    #[test]
    fn a_waiter_that_finds_what_it_wanted_leaves_without_a_turn() {
        assert!((0..20).any(|_| leaves_without_a_turn()));
    }

    #[test]
    fn a_cancelled_wait_ends_at_once() {
        let (queue, cancel) = (Queue::default(), Canceller::default());
        let _first = queue.take().unwrap();
        cancel.cancel();
        assert!(matches!(wait(&queue, LONG, &cancel), Err(Error::Cancelled)));
    }
}
