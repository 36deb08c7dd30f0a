//! Signals. The first one ends what waits, and the command as soon as nothing is under way that must be saved; a second
//! one ends it at once. The store is whole either way.

mod watch;

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hallpass::{Hallpass, Keyboard};
use signal_hook::consts::SIGINT;

use crate::failure::Failure;
use crate::output::say;

/// A refresh takes 30 s at most.
const SAVING: Duration = Duration::from_secs(35);

/// What the command may take to notice, to say so and to tidy up.
const LAST_WORDS: Duration = Duration::from_secs(1);

type Action = Box<dyn FnOnce() + Send>;

static FIRST: AtomicI32 = AtomicI32::new(0);
static ACTION: Mutex<Option<Action>> = Mutex::new(None);
static MINDED: Mutex<Vec<Hallpass>> = Mutex::new(Vec::new());
static TAKEN: Mutex<Option<Keyboard>> = Mutex::new(None);

/// The first signal, if one came.
pub(crate) fn first() -> Option<i32> {
    Some(FIRST.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// From here on the first signal does this, instead of what it did before; without any of it, a signal ends the process
/// as it ends any other.
pub(crate) fn at_first(action: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    static IS_WATCHING: AtomicBool = AtomicBool::new(false);
    *whole(&ACTION) = Some(Box::new(action));
    if IS_WATCHING.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    watch::watch(arrived).map_err(|error| Failure::Unexpected(format!("cannot watch for signals: {error}")))
}

/// A terminal that the process must not end with. Any signal puts it right before anything else happens.
pub(crate) fn give_back_first(keyboard: Keyboard) {
    *whole(&TAKEN) = Some(keyboard);
}

/// The action runs elsewhere: it may wait, and a second signal must not.
fn arrived(signal: i32) {
    whole(&TAKEN).iter().for_each(Keyboard::release);
    if FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        std::process::exit(128 + signal);
    }
    if let Some(action) = whole(&ACTION).take() {
        thread::spawn(action);
    }
}

/// A pass that may spend something, of which [`end_when_saved`] has to know. One that comes after the signal begins
/// nothing any more.
pub(crate) fn mind(pass: &Hallpass) {
    whole(&MINDED).push(pass.clone());
    if first().is_some() {
        pass.canceller().cancel();
    }
}

/// Ends the waits of all that is minded and, once what they have under way is saved, the process: a refresh token that
/// was spent must be followed by the saving of the new one.
pub(crate) fn end_when_saved() {
    let deadline = Instant::now() + SAVING;
    let minded = whole(&MINDED).clone();
    minded.iter().for_each(|pass| pass.canceller().cancel());
    if !is_saved(&minded, Instant::now() + LAST_WORDS) {
        say::note("finishing what was begun, so that nothing is lost; a second Ctrl-C ends it at once");
        is_saved(&minded, deadline);
    }
    thread::sleep(LAST_WORDS);
    std::process::exit(128 + first().unwrap_or(SIGINT));
}

fn is_saved(passes: &[Hallpass], until: Instant) -> bool {
    passes.iter().all(|pass| pass.finish_saving(until.saturating_duration_since(Instant::now())))
}

/// What is in there is whole, whatever panicked.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
