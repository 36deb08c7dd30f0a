//! D-Bus errors, as keychain errors.

use std::io;

use zbus::DBusError;

use crate::error::KeychainError;
use crate::sanitize;

/// Sorts the error of a call to the bus or the service.
pub(super) fn from_call(error: zbus::Error) -> KeychainError {
    let text = sanitize::text(&error.to_string());
    match name(&error).as_deref() {
        Some("org.freedesktop.Secret.Error.IsLocked") => KeychainError::Locked,
        Some(name) if is_absence(name) => KeychainError::Absent(text),
        None if is_time_out(&error) => KeychainError::TimedOut,
        _ => KeychainError::Failed(text),
    }
}

/// Without a bus there is no keychain, whatever the reason.
pub(super) fn from_connecting(error: &zbus::Error) -> KeychainError {
    KeychainError::Absent(sanitize::text(&format!("could not connect to the D-Bus session: {error}")))
}

/// Returns the name of the D-Bus error in the reply.
fn name(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        zbus::Error::FDO(error) => Some(error.name().to_string()),
        _ => None,
    }
}

/// Whether the service isn't running and can't be started, or the bus denies this program access to it.
fn is_absence(name: &str) -> bool {
    let bus_error = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default();
    matches!(bus_error, "ServiceUnknown" | "NameHasNoOwner" | "AccessDenied")
        || bus_error.starts_with("Spawn.")
        || name.starts_with("org.freedesktop.systemd1.")
}

fn is_time_out(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::InputOutput(error) if error.kind() == io::ErrorKind::TimedOut)
}
