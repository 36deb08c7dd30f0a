//! Watches for signals with what the platform offers.

use std::io;

/// Calls `handle` with each signal, on a thread of its own.
#[cfg(unix)]
pub(super) fn watch(handle: fn(i32)) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || signals.forever().for_each(handle));
    Ok(())
}

/// Calls `handle` with each signal, on a thread of its own, which polls a flag: these platforms have nothing to wait
/// for. Ctrl-Break counts as Ctrl-C.
#[cfg(not(unix))]
pub(super) fn watch(handle: fn(i32)) -> io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use signal_hook::consts::{SIGBREAK, SIGINT, SIGTERM};

    let latest = Arc::new(AtomicUsize::new(0));
    for (signal, meaning) in [(SIGINT, SIGINT), (SIGTERM, SIGTERM), (SIGBREAK, SIGINT)] {
        signal_hook::flag::register_usize(signal, latest.clone(), meaning.unsigned_abs() as usize)?;
    }
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(50));
            match latest.swap(0, Ordering::SeqCst) {
                0 => {}
                signal => handle(i32::try_from(signal).unwrap_or(SIGINT)),
            }
        }
    });
    Ok(())
}
