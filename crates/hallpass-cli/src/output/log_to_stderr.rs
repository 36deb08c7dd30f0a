//! `--verbose`: logs requests and responses to stderr by host and path, never their contents.

use log::{LevelFilter, Log, Metadata, Record};

use crate::output::say;

struct ToStderr;

/// Starts to log what the library logs, and nothing of its dependencies.
pub(crate) fn init() {
    if log::set_logger(&ToStderr).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

impl Log for ToStderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hallpass")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            say::message(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}
