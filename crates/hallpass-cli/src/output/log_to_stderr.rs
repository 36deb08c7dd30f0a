//! `-v`: requests and answers by host and path, never with what they carry.

use log::{LevelFilter, Log, Metadata, Record};

use crate::output::say;

struct ToStderr;

/// Shows what the library tells, and nothing of the crates below it.
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
            say::talk(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}
