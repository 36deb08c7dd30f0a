//! The clock.

use std::time::SystemTime;

/// The wall clock, which decides when tokens expire. Any `Fn() -> SystemTime` is a clock, so a test can set the time:
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use hallpass::Hallpass;
///
/// # fn main() -> hallpass::Result<()> {
/// let in_an_hour = || SystemTime::now() + Duration::from_secs(3600);
/// let pass = Hallpass::builder("mytool", "https://login.example.com", "mytool").clock(in_an_hour).build()?;
/// # let _ = pass;
/// # Ok(())
/// # }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}
