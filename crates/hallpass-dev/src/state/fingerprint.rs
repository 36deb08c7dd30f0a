//! How codes and tokens are kept: as digests.

use ring::digest::{SHA256, digest};

/// The SHA-256 of a code or token.
///
/// Tables are keyed by it, so the time of a look-up says nothing about the value that was sought,
/// and no table holds a value that could be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(value: &str) -> Fingerprint {
        let mut bytes = [0u8; 32];
        bytes.copy_from_slice(digest(&SHA256, value.as_bytes()).as_ref());
        Fingerprint(bytes)
    }
}
