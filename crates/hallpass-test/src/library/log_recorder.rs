//! Records the log of this process: the library's at every level, that of other crates down to debug. Below debug, the
//! HTTP client logs the bytes it sends, tokens included; the library cannot prevent that.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::canary;

/// The library's lines, and every line that contained a secret.
#[derive(Default)]
pub struct LogRecorder {
    lines: Mutex<String>,
    leaks: Mutex<Vec<String>>,
}

/// Installs the recorder as this process's logger, once, and returns it.
pub fn installed() -> &'static LogRecorder {
    static RECORDER: OnceLock<&'static LogRecorder> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder: &'static LogRecorder = Box::leak(Box::default());
        log::set_logger(recorder).expect("no other logger in this process");
        log::set_max_level(LevelFilter::Trace);
        recorder
    })
}

impl LogRecorder {
    pub fn lines(&self) -> String {
        lock(&self.lines).clone()
    }

    /// The test panics here and not where the line was logged, because that can be any thread.
    #[track_caller]
    pub fn assert_no_secret(&self) {
        assert_eq!(*lock(&self.leaks), [""; 0], "a secret was logged");
    }
}

/// Ignores that another thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log for LogRecorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Debug || metadata.target().starts_with("hallpass")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = format!("{} {}\n", record.target(), record.args());
        if canary::is_in(&line) {
            lock(&self.leaks).push(line.clone());
        }
        if record.target().starts_with("hallpass") {
            lock(&self.lines).push_str(&line);
        }
    }

    fn flush(&self) {}
}
