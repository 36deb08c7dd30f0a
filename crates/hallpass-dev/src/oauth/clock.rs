//! The current time, as used in tokens.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the seconds since 1970 (`NumericDate`, RFC 7519 §2).
pub(crate) fn unix_now() -> u64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs(),
        Err(_) => 0,
    }
}
