//! A record that lives and dies with the process.

use std::sync::Mutex;

use super::record::Record;

/// Keeps one record in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Option<Box<Record>>>);

impl MemoryStore {
    pub(crate) fn read(&self) -> Option<Record> {
        self.slot().as_deref().cloned()
    }

    pub(crate) fn write(&self, record: Record) {
        *self.slot() = Some(Box::new(record));
    }

    pub(crate) fn erase(&self) -> bool {
        self.slot().take().is_some()
    }

    /// A panic elsewhere cannot leave half a record in the slot, so a poisoned lock is as good as any.
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Box<Record>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
