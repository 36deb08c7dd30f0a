//! A sandbox for the real command.

mod browser;
mod invocation;
mod outcome;
#[cfg(target_os = "linux")]
pub mod pty;
mod sandbox;
#[cfg(target_os = "linux")]
pub mod timed_signal;

use std::time::Duration;

pub use browser::{Page, browse, callback, param};
pub use invocation::{Invocation, Running};
pub use outcome::Outcome;
pub use sandbox::{CLIENT, CommandSandbox, EMAIL, expire_in, forget_journal, sent, visit};

/// Longer than any command in a test takes; one that is still running then hangs.
const PATIENCE: Duration = Duration::from_secs(20);
