//! The time limit of a login.

use std::time::{Duration, Instant};

use crate::error::Error;

/// When a login began and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    begun: Instant,
    pub(super) limit: Duration,
}

impl Deadline {
    /// Starts the clock.
    pub(super) fn start(limit: Duration) -> Deadline {
        Deadline { begun: Instant::now(), limit }
    }

    /// Returns the time left; zero when it is over.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.begun.elapsed())
    }

    /// The error of a login that ran out of time before there was a redirect URI.
    pub(super) fn error(&self) -> Error {
        Error::TimedOut { waited: self.limit, redirect_uri: None, ignored: 0 }
    }
}
