//! The session's bus.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zbus::address::transport::{Transport, Unix, UnixSocket};
use zbus::{Address, Connection, connection};

use super::failure;
use crate::environment::Environment;
use crate::error::KeychainError;

/// How long one call may take. The one that waits for a person has no such limit.
const CALL: Duration = Duration::from_secs(2);

/// Where the bus is, by the D-Bus specification and systemd's convention.
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

    /// Waits without a limit for a bus that accepts and says nothing.
    ///
    /// # Errors
    /// [`KeychainError::Absent`] where no bus can be reached.
    pub(super) async fn connect(&self) -> Result<Connection, KeychainError> {
        let mut failure = KeychainError::Absent("this session has no bus".to_owned());
        for address in self.addresses()? {
            match connection::Builder::address(address).method_timeout(CALL).build().await {
                Ok(bus) => return Ok(bus),
                Err(error) => failure = failure::of_connecting(&error),
            }
        }
        Err(failure)
    }

    /// In the order in which they are to be tried.
    fn addresses(&self) -> Result<Vec<Address>, KeychainError> {
        match (&self.address, &self.runtime_dir) {
            (Some(list), _) => list.split(';').map(local).collect(),
            (None, Some(dir)) => Ok(own_socket(&dir.join("bus")).into_iter().collect()),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// Keys cross the bus in clear, so it must not be at the other end of a network.
fn local(address: &str) -> Result<Address, KeychainError> {
    let address: Address = address.try_into().map_err(|error| failure::of_connecting(&error))?;
    match address.transport() {
        Transport::Unix(_) => Ok(address),
        _ => Err(KeychainError::Absent("the session's bus is not on this computer".to_owned())),
    }
}

/// After `su` the directory may be another user's, whose bus is to get no key of ours.
fn own_socket(path: &Path) -> Option<Address> {
    let owner = path.metadata().ok()?.uid();
    (owner == rustix::process::geteuid().as_raw())
        .then(|| Transport::Unix(Unix::new(UnixSocket::File(path.to_owned()))).into())
}
