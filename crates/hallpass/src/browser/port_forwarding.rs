//! How a callback gets here from a browser on another machine.

use super::sign::Sign;
use super::ssh_tunnel::SshTunnel;
use super::surroundings::Surroundings;

/// The boundary that the callback has to cross.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PortForwarding {
    Ssh(SshTunnel),
    /// An editor connected to this machine.
    Editor,
    Container,
}

impl PortForwarding {
    /// A machine without a display, WSL and a CI job say nothing about what lies between.
    pub(super) fn for_sign(sign: Sign, seen: &Surroundings) -> Option<PortForwarding> {
        match sign {
            Sign::Ssh => Some(PortForwarding::Ssh(SshTunnel::to_here(seen))),
            Sign::Codespace | Sign::DevContainer | Sign::RemoteWindow => Some(PortForwarding::Editor),
            Sign::Container(_) => Some(PortForwarding::Container),
            Sign::Ci | Sign::Wsl | Sign::NoDisplay => None,
        }
    }

    /// Says in one sentence what the user has to do, unless it is a command to run.
    pub(super) fn note(&self, port: u16) -> Option<String> {
        match self {
            PortForwarding::Ssh(_) => None,
            PortForwarding::Editor => Some(format!(
                "port {port} must be forwarded to the machine with your browser; a connected editor usually does that \
                 by itself"
            )),
            PortForwarding::Container => Some(
                "a browser outside this container reaches the callback only through a published port (--listen); \
                 pasting the URL needs none"
                    .to_owned(),
            ),
        }
    }
}
