//! Signals. The first one cancels what is waiting, and ends the process as soon as running refreshes are saved. A second
//! one ends it at once. The stored credentials stay intact either way.

mod watch;

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hallpass::{Hallpass, Keyboard};
use signal_hook::consts::SIGINT;

use crate::failure::Failure;
use crate::output::say;

/// How long to wait for a running refresh, which takes up to 30 s.
const SAVE_LIMIT: Duration = Duration::from_secs(35);

/// How long the command gets to notice the signal, print a message and clean up.
const GRACE: Duration = Duration::from_secs(1);

type Action = Box<dyn FnOnce() + Send>;

/// The first signal's number; 0 for none.
static FIRST: AtomicI32 = AtomicI32::new(0);
static ACTION: Mutex<Option<Action>> = Mutex::new(None);
static PASSES: Mutex<Vec<Hallpass>> = Mutex::new(Vec::new());
static KEYBOARD: Mutex<Option<Keyboard>> = Mutex::new(None);

/// The first signal, if one arrived.
pub(crate) fn first() -> Option<i32> {
    match FIRST.load(Ordering::SeqCst) {
        0 => None,
        signal => Some(signal),
    }
}

/// Sets what the first signal does. Before the first call, signals end the process as usual.
pub(crate) fn on_first(action: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    static IS_WATCHING: AtomicBool = AtomicBool::new(false);
    *lock(&ACTION) = Some(Box::new(action));
    if IS_WATCHING.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    watch::watch(handle).map_err(|error| Failure::Unexpected(format!("cannot watch for signals: {error}")))
}

/// Sets the terminal whose settings a signal restores before anything else happens.
pub(crate) fn release_on_signal(keyboard: Keyboard) {
    *lock(&KEYBOARD) = Some(keyboard);
}

fn handle(signal: i32) {
    if let Some(keyboard) = &*lock(&KEYBOARD) {
        keyboard.release();
    }
    if FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        std::process::exit(128 + signal);
    }
    // The action may wait, and a second signal must not wait for it.
    if let Some(action) = lock(&ACTION).take() {
        thread::spawn(action);
    }
}

/// Makes [`exit_when_saved`] cancel this pass and wait for its refresh. After a signal, the pass is cancelled at once.
pub(crate) fn track(pass: &Hallpass) {
    lock(&PASSES).push(pass.clone());
    if first().is_some() {
        pass.canceller().cancel();
    }
}

/// Cancels all tracked passes and exits once their refreshes are saved: a spent refresh token must be replaced by the
/// new one.
pub(crate) fn exit_when_saved() {
    let deadline = Instant::now() + SAVE_LIMIT;
    let passes = lock(&PASSES).clone();
    for pass in &passes {
        pass.canceller().cancel();
    }
    if !all_saved(&passes, Instant::now() + GRACE) {
        say::note("saving refreshed credentials before exiting; press Ctrl-C again to exit now");
        all_saved(&passes, deadline);
    }
    thread::sleep(GRACE);
    std::process::exit(128 + first().unwrap_or(SIGINT));
}

fn all_saved(passes: &[Hallpass], deadline: Instant) -> bool {
    passes.iter().all(|pass| pass.finish_saving(deadline.saturating_duration_since(Instant::now())))
}

/// Locks a mutex. A panic elsewhere leaves these values intact, so poisoning does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
