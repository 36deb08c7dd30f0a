//! Everything that this process logs: the library at every level, its HTTP client and TLS down to debug. Below that the
//! client dumps the bytes it sends, which a library cannot keep a program from asking for.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::canary;

/// Lines of the library, and what was secret in any line.
#[derive(Default)]
pub(crate) struct Diary {
    lines: Mutex<String>,
    leaks: Mutex<Vec<String>>,
}

/// Begins to listen, once in a process.
pub(crate) fn open() -> &'static Diary {
    static DIARY: OnceLock<&'static Diary> = OnceLock::new();
    DIARY.get_or_init(|| {
        let diary: &'static Diary = Box::leak(Box::default());
        log::set_logger(diary).expect("nobody else listens in this process");
        log::set_max_level(LevelFilter::Trace);
        diary
    })
}

impl Diary {
    pub(crate) fn lines(&self) -> String {
        whole(&self.lines).clone()
    }

    /// A panic where the line was written might be nobody's: it may be any thread.
    #[track_caller]
    pub(crate) fn assert_no_secret(&self) {
        assert_eq!(*whole(&self.leaks), [""; 0], "a secret was logged");
    }
}

/// Whatever panicked elsewhere.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log for Diary {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Debug || metadata.target().starts_with("hallpass")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = format!("{} {}\n", record.target(), record.args());
        if canary::is_in(&line) {
            whole(&self.leaks).push(line.clone());
        }
        if record.target().starts_with("hallpass") {
            whole(&self.lines).push_str(&line);
        }
    }

    fn flush(&self) {}
}
