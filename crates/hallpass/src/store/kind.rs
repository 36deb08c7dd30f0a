//! The places where credentials are stored, as the user sees them.

/// The place where a session's credentials are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// A file encrypted with a key from the operating system's keychain.
    Keychain,
    /// A plain file that only this user can read.
    File,
    /// This process's memory, until the last clone of the [`Hallpass`](crate::Hallpass) is dropped.
    Memory,
}

impl StoreKind {
    /// Returns `keychain`, `file` or `memory`.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreKind::Keychain => "keychain",
            StoreKind::File => "file",
            StoreKind::Memory => "memory",
        }
    }
}
