//! The limit on wrong user codes (RFC 8628 §5.1).
//!
//! There are 20^8 = 2.6 × 10^10 user codes. With ten guesses an attacker finds the one that is waiting with a
//! probability of 2^-31. An attacker can discard the cookie and appear as another browser, so all browsers together
//! have a limit as well: a hundred guesses, or 2^-28, in the ten minutes for which a code is valid.

use std::time::{Duration, Instant};

/// The number of wrong codes that one browser may enter.
pub(crate) const LIMIT_PER_BROWSER: usize = 10;

/// The number of wrong codes that all browsers together may enter.
pub(crate) const LIMIT_IN_TOTAL: usize = 100;

/// How long a wrong code counts.
const WINDOW: Duration = Duration::from_secs(600);

/// The wrong user codes of the last ten minutes.
#[derive(Default)]
pub(crate) struct Guesses(Vec<Instant>);

impl Guesses {
    pub(crate) fn record(&mut self, now: Instant) {
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
    fn s27_the_limit_is_reached_and_expires() {
        let start = Instant::now();
        let mut guesses = Guesses::default();
        for wrong in 0..LIMIT_PER_BROWSER {
            assert!(!guesses.have_reached(LIMIT_PER_BROWSER, start), "{wrong}");
            guesses.record(start);
        }
        assert!(guesses.have_reached(LIMIT_PER_BROWSER, start + WINDOW - Duration::from_millis(1)));
        assert!(!guesses.have_reached(LIMIT_PER_BROWSER, start + WINDOW));
    }

    #[test]
    fn expired_guesses_are_dropped() {
        let start = Instant::now();
        let mut guesses = Guesses::default();
        guesses.record(start);
        guesses.record(start + WINDOW);
        assert_eq!(guesses.0.len(), 1);
    }
}
