//! Ending a wait from outside.

pub(crate) mod saving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Between two looks at whether somebody cancelled.
pub(crate) const TICK: Duration = Duration::from_millis(40);

/// Ends a login, and the wait for another process or thread, of the [`Hallpass`](crate::Hallpass) that it came from
/// and of its clones, within a tenth of a second, with [`Error::Cancelled`].
///
/// It stays cancelled: that pass signs nobody in and renews no token any more, though it still hands out one that is
/// fresh. For a call that can be cancelled by itself, take the canceller of
/// [`cancellable`](crate::Hallpass::cancellable). A refresh whose request was sent is not given up: its answer may
/// hold the only refresh token that still works.
///
/// ```
/// # fn main() -> hallpass::Result<()> {
/// let pass = hallpass::Hallpass::builder("mytool", "https://login.example.com", "mytool").build()?;
/// let attempt = pass.cancellable();
/// let canceller = attempt.canceller(); // hand it to a "Cancel" button, then call attempt.login(…)
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
    /// Whoever cancels this one cancels that one too.
    parent: Option<Canceller>,
}

impl Canceller {
    /// Ends the waits. May be called from any thread.
    pub fn cancel(&self) {
        self.0.is_set.store(true, Ordering::SeqCst);
    }

    /// Whether [`cancel`](Canceller::cancel) was called, here or on what this one is a part of.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_set.load(Ordering::SeqCst) || self.0.parent.as_ref().is_some_and(Canceller::is_cancelled)
    }

    /// One that ends less: cancelled with this one, or by itself.
    pub(crate) fn child(&self) -> Canceller {
        Canceller(Arc::new(Flag { is_set: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Runs work that cannot be interrupted on a thread that nobody waits for once the wait is cancelled, provided that
    /// the work can be given up by then.
    pub(crate) fn interruptible<T: Send + 'static>(
        &self,
        give_up: impl Fn() -> bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let done = start(work);
        loop {
            if self.is_cancelled() && give_up() {
                return Err(Error::Cancelled);
            }
            if let Some(value) = within_a_tick(&done) {
                return Ok(value);
            }
        }
    }

    /// The same; nothing where it takes longer than the limit.
    pub(crate) fn interruptible_within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let (begun, done) = (Instant::now(), start(work));
        while begun.elapsed() < limit {
            self.check()?;
            if let Some(value) = within_a_tick(&done) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    result
}

fn within_a_tick<T>(result: &Receiver<T>) -> Option<T> {
    match result.recv_timeout(TICK) {
        Ok(value) => Some(value),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => panic!("the work panicked on its thread"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_hangs_is_left_behind_within_a_tenth_of_a_second() {
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
    fn work_that_ends_gives_its_value() {
        assert_eq!(Canceller::default().interruptible(|| true, || 7), Ok(7));
        assert_eq!(Canceller::default().interruptible_within(Duration::from_secs(5), || 7), Ok(Some(7)));
    }

    #[test]
    fn work_that_cannot_be_given_up_any_more_is_waited_for() {
        let canceller = Canceller::default();
        canceller.cancel();
        assert_eq!(canceller.interruptible(|| false, || 7), Ok(7));
        assert_eq!(canceller.interruptible(|| true, || 7), Err(Error::Cancelled));
    }

    #[test]
    fn work_that_takes_longer_than_its_limit_is_left_behind() {
        let hang = || std::thread::sleep(Duration::from_secs(5));
        let limit = Duration::from_millis(100);
        assert_eq!(Canceller::default().interruptible_within(limit, hang), Ok(None));
    }
}
