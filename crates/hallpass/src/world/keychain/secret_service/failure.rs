//! What a failed call says about the keychain.

use std::io;

use zbus::DBusError;

use crate::error::KeychainError;
use crate::sanitize;

/// A call to the bus or to the service.
pub(super) fn of_call(error: zbus::Error) -> KeychainError {
    let text = sanitize::text(&error.to_string());
    match name(&error).as_deref() {
        Some("org.freedesktop.Secret.Error.IsLocked") => KeychainError::Locked,
        Some(name) if is_absence(name) => KeychainError::Absent(text),
        None if is_time_out(&error) => KeychainError::TimedOut,
        _ => KeychainError::Failed(text),
    }
}

/// Without a bus there is no keychain, whatever the reason.
pub(super) fn of_connecting(error: &zbus::Error) -> KeychainError {
    KeychainError::Absent(sanitize::text(&format!("the session's bus: {error}")))
}

/// The name of the D-Bus error that came as the reply.
fn name(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        zbus::Error::FDO(error) => Some(error.name().to_string()),
        _ => None,
    }
}

/// Nobody has the service's name and nobody could be started for it, or the bus does not let this program near it.
fn is_absence(name: &str) -> bool {
    let of_the_bus = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default();
    matches!(of_the_bus, "ServiceUnknown" | "NameHasNoOwner" | "AccessDenied")
        || of_the_bus.starts_with("Spawn.")
        || name.starts_with("org.freedesktop.systemd1.")
}

fn is_time_out(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::InputOutput(error) if error.kind() == io::ErrorKind::TimedOut)
}
