//! The D-Bus session bus.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zbus::address::transport::{Transport, Unix, UnixSocket};
use zbus::{Address, Connection, connection};

use super::failure;
use crate::environment::Environment;
use crate::error::KeychainError;

/// The time limit of a call.
const CALL: Duration = Duration::from_secs(2);

/// The address of the bus: `$DBUS_SESSION_BUS_ADDRESS`, as the D-Bus specification says, or the socket in the runtime
/// directory, where systemd puts it.
#[derive(Debug, Clone)]
pub(super) struct SessionBus {
    address: Option<String>,
    runtime_dir: Option<PathBuf>,
}

impl SessionBus {
    pub(super) fn new(environment: &Environment) -> SessionBus {
        SessionBus {
            address: environment.text("DBUS_SESSION_BUS_ADDRESS").map(str::to_owned),
            runtime_dir: environment.path("XDG_RUNTIME_DIR").map(Path::to_owned),
        }
    }

    /// Connects. Sets no time limit, so a bus that accepts the connection and never responds blocks forever.
    ///
    /// # Errors
    /// [`KeychainError::Absent`] if there is no bus.
    pub(super) async fn connect(&self) -> Result<Connection, KeychainError> {
        let mut failure = KeychainError::Absent("no D-Bus session".to_owned());
        for address in self.addresses()? {
            match connection::Builder::address(address).method_timeout(CALL).build().await {
                Ok(bus) => return Ok(bus),
                Err(error) => failure = failure::from_connecting(&error),
            }
        }
        Err(failure)
    }

    /// Returns the addresses to try, in order.
    fn addresses(&self) -> Result<Vec<Address>, KeychainError> {
        match (&self.address, &self.runtime_dir) {
            (Some(list), _) => list.split(';').map(local).collect(),
            (None, Some(dir)) => Ok(own_socket(&dir.join("bus")).into_iter().collect()),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// Accepts only a local bus: keys cross it unencrypted.
fn local(address: &str) -> Result<Address, KeychainError> {
    let address: Address = address.try_into().map_err(|error| failure::from_connecting(&error))?;
    match address.transport() {
        Transport::Unix(_) => Ok(address),
        _ => Err(KeychainError::Absent("the D-Bus session is not on a Unix socket".to_owned())),
    }
}

/// Returns the bus in the runtime directory, unless it is another user's, as after `su`.
fn own_socket(path: &Path) -> Option<Address> {
    if path.metadata().ok()?.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    Some(Transport::Unix(Unix::new(UnixSocket::File(path.to_owned()))).into())
}
