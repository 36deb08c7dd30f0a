//! Opening a URL in the user's browser, and deciding whether to.

mod address;
mod command;
mod decision;
mod explanation;
mod launch;
mod plan;
mod port_forwarding;
mod reason;
mod sign;
mod ssh_tunnel;
mod surroundings;
mod system;

use std::io;

pub use command::BrowserCommand;
pub(crate) use decision::decide;
pub use explanation::Explanation;
pub use plan::{Opener, Plan};
pub use reason::{Elsewhere, Reason};
pub(crate) use surroundings::Surroundings;
pub use system::{BrowserWish, SystemBrowser};

/// Opens a URL for the user. It is called on a thread of its own, so it may take its time. If it fails, the login says so
/// and goes on: the URL was shown before.
///
/// Any `Fn(&str) -> io::Result<()>` is a browser:
///
/// ```
/// # fn main() -> hallpass::Result<()> {
/// let pass = hallpass::Hallpass::builder("mytool", "https://login.example.com", "mytool")
///     .browser(|url: &str| std::process::Command::new("firefox").arg(url).spawn().map(drop))
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub trait Browser: Send + Sync + 'static {
    /// Opens a URL, which is `https`, or `http` on a loopback host.
    ///
    /// # Errors
    /// If nothing could be opened. The text is shown to the user.
    fn open(&self, url: &str) -> io::Result<()>;

    /// Returns what [`open`](Browser::open) is going to start, and why. If that is nothing, it isn't called. Defaults to
    /// [`Opener::Program`], which is taken to be where the user is.
    fn plan(&self) -> Plan {
        Plan::new(Opener::Program, "This program opens URLs itself.")
    }
}

impl<F: Fn(&str) -> io::Result<()> + Send + Sync + 'static> Browser for F {
    fn open(&self, url: &str) -> io::Result<()> {
        self(url)
    }
}
