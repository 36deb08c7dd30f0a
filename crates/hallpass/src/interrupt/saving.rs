//! Counting operations that have to finish before the process ends.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts the operations in progress that the process should not cut off, such as a refresh whose new tokens are not
/// saved yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saving(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    operations: Mutex<usize>,
    changed: Condvar,
}

/// An operation in progress: held from before its request is sent until the result is saved.
pub(crate) struct Operation(Arc<Count>);

impl Saving {
    /// Starts an operation, which lasts until the returned value is dropped.
    pub(crate) fn begin(&self) -> Operation {
        *self.0.lock() += 1;
        Operation(self.0.clone())
    }

    /// Waits until no operation is in progress, up to `limit`. Returns whether all have finished.
    pub(crate) fn finish(&self, limit: Duration) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), limit, |operations| *operations > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

impl Count {
    // A panic cannot leave a number half-written, so a poisoned lock is still usable.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finish_waits_for_the_last_operation() {
        let saving = Saving::default();
        assert!(saving.finish(Duration::ZERO));
        let (first, second) = (saving.begin(), saving.begin());
        drop(first);
        assert!(!saving.finish(Duration::from_millis(20)));
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(second);
        });
        assert!(saving.finish(Duration::from_secs(10)));
    }

    #[test]
    fn an_operation_that_panics_has_finished() {
        let saving = Saving::default();
        let other = saving.clone();
        let panicked = std::thread::spawn(move || {
            let _operation = other.begin();
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert!(saving.finish(Duration::ZERO));
    }
}
