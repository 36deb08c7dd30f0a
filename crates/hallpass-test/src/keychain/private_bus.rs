//! A private message bus.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::keychain::Variables;

pub(crate) const PROGRAM: &str = "dbus-daemon";

/// Starts no services, so that the desktop's own keychain and its prompts do not come up in a test.
const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=DIR</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A `dbus-daemon` and the directories of a session that has never seen a keychain.
pub struct PrivateBus {
    dir: TempDir,
    daemon: Child,
    address: String,
}

impl PrivateBus {
    /// Starts the bus.
    ///
    /// # Errors
    /// If `dbus-daemon` cannot be started.
    pub fn start() -> io::Result<PrivateBus> {
        let dir = tempfile::tempdir()?;
        let configuration = dir.path().join("bus.conf");
        fs::write(&configuration, CONFIGURATION.replace("DIR", &dir.path().display().to_string()))?;
        let mut daemon = Command::new(PROGRAM)
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut address = String::new();
        let printed = BufReader::new(daemon.stdout.take().expect("stdout is piped")).read_line(&mut address);
        let bus = PrivateBus { dir, daemon, address: address.trim().to_owned() };
        printed.map(|_| bus)
    }

    /// The bus address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The environment variables that connect a program to it, with the session's own directories.
    pub fn variables(&self) -> Variables {
        let dir = self.dir.path().display();
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", self.address.clone()),
            ("HOME", dir.to_string()),
            ("XDG_CACHE_HOME", format!("{dir}/cache")),
            ("XDG_CONFIG_HOME", format!("{dir}/config")),
            ("XDG_DATA_HOME", format!("{dir}/data")),
            ("XDG_RUNTIME_DIR", dir.to_string()),
        ]
    }

    /// Ends the bus, as a logout does.
    ///
    /// # Errors
    /// If it cannot be ended.
    pub fn kill(&mut self) -> io::Result<()> {
        self.daemon.kill()?;
        self.daemon.wait().map(drop)
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        // It may have been ended before.
        let _ = self.kill();
    }
}
