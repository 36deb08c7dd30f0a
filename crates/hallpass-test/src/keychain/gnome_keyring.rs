//! GNOME Keyring.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use zbus::connection::Builder;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant};

use super::PrivateBus;

pub(crate) const PROGRAM: &str = "gnome-keyring-daemon";

const PASSWORD: &[u8] = b"correct horse";
const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const DIALOG: &str = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";

/// Time limit for the start of the daemon.
const START: Duration = Duration::from_secs(20);

/// The daemon, its login keyring open. No prompter can be started, as in a session without a display.
pub struct GnomeKeyring {
    daemon: Child,
    address: String,
}

impl GnomeKeyring {
    /// Starts the daemon on a bus. A second daemon on the same bus has the items of the first.
    ///
    /// # Errors
    /// If it cannot be started or does not come up.
    pub fn start(bus: &PrivateBus) -> io::Result<GnomeKeyring> {
        let daemon = daemon(bus)?;
        let keyring = GnomeKeyring { daemon, address: bus.address().to_owned() };
        keyring.wait_until_open()?;
        Ok(keyring)
    }

    /// Locks it, as a screen lock does.
    ///
    /// # Errors
    /// If the daemon does not do it.
    pub fn lock(&self) -> io::Result<()> {
        self.on_the_bus(async |bus| {
            let collection = default_collection(&bus).await?;
            bus.call_method(Some(NAME), PATH, Some(SERVICE), "Lock", &([collection].as_slice(),))
                .await
                .map(drop)
        })
    }

    /// Unlocks it with the password, as the daemon's own dialog does.
    ///
    /// # Errors
    /// If the daemon does not do it.
    pub fn unlock(&self) -> io::Result<()> {
        self.on_the_bus(async |bus| {
            let collection = default_collection(&bus).await?;
            let plain = &("plain", Variant::from(""));
            let opened = bus.call_method(Some(NAME), PATH, Some(SERVICE), "OpenSession", plain).await?;
            let (_, session): (OwnedVariant, OwnedObjectPath) = opened.body().deserialize()?;
            let password = (session, [0u8; 0].as_slice(), PASSWORD, "text/plain");
            let unlock = &(collection, password);
            bus.call_method(Some(NAME), PATH, Some(DIALOG), "UnlockWithMasterPassword", unlock)
                .await
                .map(drop)
        })
    }

    /// Stops it: it keeps its name and its connections, and does not respond.
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub fn freeze(&self) -> io::Result<()> {
        Ok(kill_process(self.pid(), Signal::STOP)?)
    }

    /// Continues it.
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub fn thaw(&self) -> io::Result<()> {
        Ok(kill_process(self.pid(), Signal::CONT)?)
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// If it cannot be ended.
    pub fn kill(&mut self) -> io::Result<()> {
        self.daemon.kill()?;
        self.daemon.wait().map(drop)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.daemon)
    }

    fn wait_until_open(&self) -> io::Result<()> {
        let start = Instant::now();
        loop {
            match self.on_the_bus(async |bus| is_open(&bus).await) {
                Ok(true) => return Ok(()),
                answer if start.elapsed() > START => {
                    return Err(io::Error::other(format!("the keyring does not open: {answer:?}")));
                }
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn on_the_bus<T>(&self, work: impl AsyncFnOnce(Connection) -> zbus::Result<T>) -> io::Result<T> {
        let limit = Duration::from_secs(2);
        let connection = Builder::address(self.address.as_str()).method_timeout(limit);
        zbus::block_on(async { work(connection.build().await?).await }).map_err(io::Error::other)
    }
}

impl Drop for GnomeKeyring {
    fn drop(&mut self) {
        // It may have been ended before.
        let _ = self.kill();
    }
}

fn daemon(bus: &PrivateBus) -> io::Result<Child> {
    let mut daemon = Command::new(PROGRAM)
        .args(["--foreground", "--unlock", "--components=secrets"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(bus.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    daemon.stdin.take().expect("stdin is piped").write_all(PASSWORD)?;
    Ok(daemon)
}

async fn is_open(bus: &Connection) -> zbus::Result<bool> {
    let collection = default_collection(bus).await?;
    let properties = Some("org.freedesktop.DBus.Properties");
    let arguments = ("org.freedesktop.Secret.Collection",);
    let reply = bus.call_method(Some(NAME), &collection, properties, "GetAll", &arguments).await?;
    let all: HashMap<String, OwnedVariant> = reply.body().deserialize()?;
    Ok(all.get("Locked").is_some_and(|locked| locked.try_into() == Ok(false)))
}

async fn default_collection(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let reply = bus.call_method(Some(NAME), PATH, Some(SERVICE), "ReadAlias", &("default",)).await?;
    reply.body().deserialize()
}
