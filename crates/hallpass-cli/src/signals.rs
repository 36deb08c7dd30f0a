//! Signals end a wait; the store stays whole.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

use hallpass::Error;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

static DEFERRED: OnceLock<Interrupts> = OnceLock::new();

/// From here on the first signal waits until the command is done: a refresh token that was spent must be followed by
/// the saving of the new one. Requests have limits, so it does not wait for long; a second signal ends at once.
pub(crate) fn defer() {
    if DEFERRED.get().is_none()
        && let Ok(interrupts) = Interrupts::watch(|| {})
    {
        let _ = DEFERRED.set(interrupts);
    }
}

/// The signal that waited.
pub(crate) fn deferred() -> Option<i32> {
    DEFERRED.get().and_then(Interrupts::signal)
}

/// Remembers the signal that came.
#[derive(Clone, Default)]
pub(crate) struct Interrupts(Arc<AtomicI32>);

impl Interrupts {
    /// Calls `stop` at the first signal; the second one ends the process at once.
    pub(crate) fn watch(stop: impl Fn() + Send + 'static) -> Result<Interrupts, Failure> {
        let interrupts = Interrupts::default();
        let seen = interrupts.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| Failure::Unexpected(format!("cannot watch for signals: {error}")))?;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if seen.0.swap(signal, Ordering::SeqCst) != 0 {
                    std::process::exit(128 + signal);
                }
                stop();
            }
        });
        Ok(interrupts)
    }

    /// A wait that was cancelled by a signal has that signal's exit code.
    pub(crate) fn explain(&self, error: Error) -> Failure {
        match self.0.load(Ordering::SeqCst) {
            signal if signal != 0 && error == Error::Cancelled => Failure::Signal(signal),
            _ => Failure::Library(error),
        }
    }

    /// The signal that came, if any.
    pub(crate) fn signal(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}
