//! How long a test waits, and how long something may take.

use std::time::{Duration, Instant};

/// Time that a cancelled or refused wait may take beyond a tenth of a second on a busy machine.
pub const AT_ONCE: Duration = Duration::from_millis(150);

/// Time-out for a server that is silent on purpose; long enough for one that is merely slow.
pub const IMPATIENT: Duration = Duration::from_millis(400);

/// A test that waits for longer than this waits for something that does not happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Runs something and measures how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    (work(), begun.elapsed())
}
