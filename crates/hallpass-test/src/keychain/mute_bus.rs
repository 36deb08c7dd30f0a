//! A bus that hangs.

use std::io;
use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use crate::keychain::Variables;

/// A socket that accepts connections and never responds.
pub struct MuteBus {
    dir: TempDir,
    // The system accepts connections for a listener even if it never calls `accept`.
    _listener: UnixListener,
}

impl MuteBus {
    /// Listens in a directory of its own.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn start() -> io::Result<MuteBus> {
        let dir = tempfile::tempdir()?;
        let listener = UnixListener::bind(dir.path().join("bus"))?;
        Ok(MuteBus { dir, _listener: listener })
    }

    /// The environment variables that connect a program to it, as in a session without `DBUS_SESSION_BUS_ADDRESS`.
    pub fn variables(&self) -> Variables {
        vec![("XDG_RUNTIME_DIR", self.dir.path().display().to_string())]
    }
}
