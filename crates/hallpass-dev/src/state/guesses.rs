//! How often a user code may be guessed (RFC 8628 §5.1).
//!
//! There are 20^8 = 2.6 × 10^10 user codes. Ten guesses hit the one that is waiting with a probability of
//! 2^-31. Whoever throws the cookie away is another browser, so there is a limit for all of them together
//! as well: a hundred guesses, 2^-28, in the ten minutes that a code lives.

use std::time::{Duration, Instant};

/// How many wrong codes one browser may enter.
pub(crate) const OF_ONE_BROWSER: usize = 10;

/// How many wrong codes all browsers together may enter.
pub(crate) const OF_ALL_BROWSERS: usize = 100;

/// For how long a wrong code counts.
const WINDOW: Duration = Duration::from_secs(600);

/// The wrong codes of the last ten minutes.
#[derive(Default)]
pub(crate) struct Guesses(Vec<Instant>);

impl Guesses {
    pub(crate) fn count_one(&mut self, now: Instant) {
        self.0.retain(|then| is_recent(*then, now));
        self.0.push(now);
    }

    pub(crate) fn have_reached(&self, limit: usize, now: Instant) -> bool {
        self.0.iter().filter(|then| is_recent(**then, now)).count() >= limit
    }
}

fn is_recent(then: Instant, now: Instant) -> bool {
    now.saturating_duration_since(then) < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s27_the_limit_is_reached_and_passes_with_time() {
        let start = Instant::now();
        let mut guesses = Guesses::default();
        for wrong in 0..OF_ONE_BROWSER {
            assert!(!guesses.have_reached(OF_ONE_BROWSER, start), "{wrong}");
            guesses.count_one(start);
        }
        assert!(guesses.have_reached(OF_ONE_BROWSER, start + WINDOW - Duration::from_millis(1)));
        assert!(!guesses.have_reached(OF_ONE_BROWSER, start + WINDOW));
    }

    #[test]
    fn what_no_longer_counts_is_not_kept() {
        let start = Instant::now();
        let mut guesses = Guesses::default();
        guesses.count_one(start);
        guesses.count_one(start + WINDOW);
        assert_eq!(guesses.0.len(), 1);
    }
}
