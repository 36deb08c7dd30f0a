//! Hashes of codes, tokens and cookies.

use ring::digest::{SHA256, digest};

/// The SHA-256 hash of a code, token or cookie.
///
/// Tables are keyed by it, so the time of a lookup reveals nothing about the value, and no table holds a value that
/// could be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(value: &str) -> Fingerprint {
        let mut bytes = [0u8; 32];
        bytes.copy_from_slice(digest(&SHA256, value.as_bytes()).as_ref());
        Fingerprint(bytes)
    }
}
