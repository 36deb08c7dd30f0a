//! Knowing whether something is under way that must be saved before the process ends.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts what was sent and is not saved yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saving(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    under_way: Mutex<usize>,
    changed: Condvar,
}

/// Held from before something is sent until what it brings is saved.
pub(crate) struct UnderWay(Arc<Count>);

impl Saving {
    pub(crate) fn begin(&self) -> UnderWay {
        *self.0.lock() += 1;
        UnderWay(self.0.clone())
    }

    /// Waits until nothing is under way, `limit` at most; whether that is so now.
    pub(crate) fn finish(&self, limit: Duration) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), limit, |under_way| *under_way > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

impl Count {
    /// A number is whole, whatever panicked.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_waits_for_the_last_one() {
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
    fn what_panics_is_not_under_way_any_more() {
        let saving = Saving::default();
        let other = saving.clone();
        let panicked = std::thread::spawn(move || {
            let _under_way = other.begin();
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert!(saving.finish(Duration::ZERO));
    }
}
