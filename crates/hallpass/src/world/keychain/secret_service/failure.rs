//! D-Bus errors, as keychain errors.

use std::io;

use zbus::DBusError;

use crate::error::KeychainError;
use crate::sanitize;

/// Converts the error of a call to the bus or the service.
pub(super) fn from_call(error: zbus::Error) -> KeychainError {
    let text = sanitize::text(&error.to_string());
    match &error {
        zbus::Error::MethodError(name, ..) => from_reply(name, text),
        zbus::Error::FDO(error) => from_reply(&error.name(), text),
        zbus::Error::InputOutput(error) if error.kind() == io::ErrorKind::TimedOut => KeychainError::TimedOut,
        _ => KeychainError::Failed(text),
    }
}

/// Converts the error of connecting to the bus. Without a bus there is no keychain, whatever the reason.
pub(super) fn from_connecting(error: &zbus::Error) -> KeychainError {
    KeychainError::Absent(sanitize::text(&format!("could not connect to the D-Bus session: {error}")))
}

/// Converts an error reply, by the name of its D-Bus error.
fn from_reply(name: &str, text: String) -> KeychainError {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => KeychainError::Locked,
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            KeychainError::Absent("no Secret Service is running".to_owned())
        }
        "org.freedesktop.DBus.Error.AccessDenied" => {
            KeychainError::Absent(format!("access to the Secret Service was denied: {text}"))
        }
        _ if is_start_failure(name) => {
            KeychainError::Absent(format!("could not start the Secret Service: {text}"))
        }
        _ => KeychainError::Failed(text),
    }
}

/// Whether the bus, or systemd on its behalf, failed to start the service.
fn is_start_failure(name: &str) -> bool {
    name.starts_with("org.freedesktop.DBus.Error.Spawn.") || name.starts_with("org.freedesktop.systemd1.")
}
