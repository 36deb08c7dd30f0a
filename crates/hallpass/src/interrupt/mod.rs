//! Cancelling operations from other threads.

pub(crate) mod saving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// How often a waiting operation checks whether it was cancelled.
pub(crate) const TICK: Duration = Duration::from_millis(40);

/// Cancels a [`Hallpass`](crate::Hallpass) and its clones: a login, or a wait for another process or thread, ends
/// within a tenth of a second with [`Error::Cancelled`].
///
/// Cancelling is permanent: afterwards, the `Hallpass` neither signs in nor refreshes tokens, but still returns a stored
/// token that is fresh. To cancel a single call, use the canceller of a [`cancellable`](crate::Hallpass::cancellable)
/// clone. A refresh that was already sent is not aborted, because its response may hold the only refresh token that is
/// still valid.
///
/// ```
/// # fn main() -> hallpass::Result<()> {
/// let pass = hallpass::Hallpass::builder("mytool", "https://login.example.com", "mytool").build()?;
/// let attempt = pass.cancellable();
/// let canceller = attempt.canceller(); // pass it to a "Cancel" button, then call attempt.login(…)
/// canceller.cancel();
/// assert!(canceller.is_cancelled() && !pass.canceller().is_cancelled());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Canceller(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: AtomicBool,
    /// Cancelling the parent cancels this one too.
    parent: Option<Canceller>,
}

impl Canceller {
    /// Cancels the operations. May be called from any thread.
    pub fn cancel(&self) {
        self.0.is_set.store(true, Ordering::SeqCst);
    }

    /// Whether [`cancel`](Canceller::cancel) was called on this canceller or on the one that it is a part of.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_set.load(Ordering::SeqCst) || self.0.parent.as_ref().is_some_and(Canceller::is_cancelled)
    }

    /// Creates a canceller that is cancelled together with this one, or by itself.
    pub(crate) fn child(&self) -> Canceller {
        Canceller(Arc::new(Flag { is_set: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    /// Returns [`Error::Cancelled`] once cancelled.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Runs blocking work on another thread and returns its result. If this is cancelled and `give_up` allows it, returns
    /// [`Error::Cancelled`] at once and leaves the thread running.
    pub(crate) fn interruptible<T: Send + 'static>(
        &self,
        give_up: impl Fn() -> bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let result = spawn(work);
        loop {
            if self.is_cancelled() && give_up() {
                return Err(Error::Cancelled);
            }
            if let Some(value) = wait_a_tick(&result) {
                return Ok(value);
            }
        }
    }

    /// Runs blocking work on another thread and returns its result, or `None` if it takes longer than the limit. If this
    /// is cancelled, returns [`Error::Cancelled`] at once. The thread is left running in both cases.
    pub(crate) fn interruptible_within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let (start, result) = (Instant::now(), spawn(work));
        while start.elapsed() < limit {
            self.check()?;
            if let Some(value) = wait_a_tick(&result) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, result) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    result
}

fn wait_a_tick<T>(result: &Receiver<T>) -> Option<T> {
    match result.recv_timeout(TICK) {
        Ok(value) => Some(value),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => panic!("the work panicked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelling_abandons_work_that_hangs() {
        let canceller = Canceller::default();
        let other = canceller.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            other.cancel();
        });
        let start = Instant::now();
        let result = canceller.interruptible(|| true, || std::thread::sleep(Duration::from_secs(5)));
        assert_eq!(result, Err(Error::Cancelled));
        assert!(start.elapsed() < Duration::from_millis(500));
    }

    #[test]
    fn work_that_finishes_returns_its_result() {
        assert_eq!(Canceller::default().interruptible(|| true, || 7), Ok(7));
        assert_eq!(Canceller::default().interruptible_within(Duration::from_secs(5), || 7), Ok(Some(7)));
    }

    #[test]
    fn work_that_cannot_be_given_up_is_waited_for() {
        let canceller = Canceller::default();
        canceller.cancel();
        assert_eq!(canceller.interruptible(|| false, || 7), Ok(7));
        assert_eq!(canceller.interruptible(|| true, || 7), Err(Error::Cancelled));
    }

    #[test]
    fn work_that_exceeds_its_limit_is_abandoned() {
        let hang = || std::thread::sleep(Duration::from_secs(5));
        let limit = Duration::from_millis(100);
        assert_eq!(Canceller::default().interruptible_within(limit, hang), Ok(None));
    }
}
