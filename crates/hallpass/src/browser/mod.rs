//! Showing a page to the user.

mod address;
mod command;
mod decision;
mod explanation;
mod launch;
mod plan;
mod port_forwarding;
mod sign;
mod ssh_tunnel;
mod surroundings;
mod system;

use std::io;

pub use command::BrowserCommand;
pub(crate) use decision::decide;
pub use explanation::Explanation;
pub use plan::{Opener, Plan};
pub(crate) use surroundings::Surroundings;
pub use system::{BrowserWish, SystemBrowser};

/// Opens an address where the user can sign in. Called on a thread of its own, so it may take its time;
/// its failure is told and changes nothing, since the address was printed before.
///
/// Any `Fn(&str) -> io::Result<()>` is a browser.
pub trait Browser: Send + Sync + 'static {
    /// Opens the address, which is `https`, or `http` on a loopback host.
    fn open(&self, url: &str) -> io::Result<()>;

    /// What [`open`](Browser::open) is going to start here, and why. Where that is nothing, it is not called. Defaults
    /// to something of the program's own, which then is where the user is.
    fn plan(&self) -> Plan {
        Plan::new(Opener::Program, "This program opens it by itself.")
    }
}

impl<F: Fn(&str) -> io::Result<()> + Send + Sync + 'static> Browser for F {
    fn open(&self, url: &str) -> io::Result<()> {
        self(url)
    }
}
