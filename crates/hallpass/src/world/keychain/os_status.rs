//! Status codes of macOS (`SecBase.h`), as keychain errors.

use crate::error::KeychainError;

/// `errSecItemNotFound`.
pub(super) const ITEM_NOT_FOUND: i32 = -25300;

/// Converts a status. "Not found" counts only in a desktop session: over SSH, in cron or in a daemon the login keychain may
/// be locked, or missing from the session's search list.
pub(super) fn keychain_error(
    status: i32,
    text: &str,
    is_on_the_desktop: impl FnOnce() -> bool,
) -> KeychainError {
    let text = || format!("{text} ({status})");
    match status {
        ITEM_NOT_FOUND if is_on_the_desktop() => KeychainError::NoItem,
        // and errSecInteractionNotAllowed, errSecAuthFailed
        ITEM_NOT_FOUND | -25308 | -25293 => KeychainError::Locked,
        // errSecUserCanceled
        -128 => KeychainError::Refused,
        // errSecNotAvailable, errSecNoSuchKeychain, errSecInvalidKeychain, errSecNoDefaultKeychain
        -25291 | -25294 | -25295 | -25307 => KeychainError::Absent(text()),
        _ => KeychainError::Failed(text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p52_without_a_desktop_session_the_keychain_is_locked_or_absent() {
        let over_ssh = |status| keychain_error(status, "text", || false);
        for status in [-25308, -25293, -25300] {
            assert_eq!(over_ssh(status), KeychainError::Locked, "{status}");
        }
        for status in [-25307, -25291, -25294, -25295] {
            assert_eq!(over_ssh(status), KeychainError::Absent(format!("text ({status})")), "{status}");
        }
    }

    #[test]
    fn p52_only_a_desktop_session_reports_a_missing_key() {
        assert_eq!(keychain_error(ITEM_NOT_FOUND, "text", || true), KeychainError::NoItem);
        for status in [-25308, -25293, -25307, -128, -1] {
            assert_ne!(keychain_error(status, "text", || true), KeychainError::NoItem, "{status}");
        }
        assert_eq!(keychain_error(-128, "text", || true), KeychainError::Refused);
        assert_eq!(keychain_error(-1, "text", || true), KeychainError::Failed("text (-1)".to_owned()));
    }
}
