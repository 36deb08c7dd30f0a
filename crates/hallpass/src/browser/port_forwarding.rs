//! How a callback gets here from a browser on another machine.

use super::sign::Sign;
use super::ssh_tunnel::Tunnel;
use super::surroundings::Surroundings;

/// What lies in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WayBack {
    Tunnel(Tunnel),
    /// An editor that is connected to here.
    Editor,
    /// The wall of a container.
    Container,
}

impl WayBack {
    /// By the sign that tells most. A machine without a display, WSL and a CI job say nothing about what is in between.
    pub(super) fn of(sign: Sign, seen: &Surroundings) -> Option<WayBack> {
        match sign {
            Sign::Ssh => Tunnel::to_here(seen).map(WayBack::Tunnel),
            Sign::Codespace | Sign::DevContainer | Sign::RemoteWindow => Some(WayBack::Editor),
            Sign::Container(_) => Some(WayBack::Container),
            Sign::Ci | Sign::Wsl | Sign::NoDisplay => None,
        }
    }

    /// In one sentence, where it is no command.
    pub(super) fn note(&self, port: u16) -> Option<String> {
        match self {
            WayBack::Tunnel(_) => None,
            WayBack::Editor => Some(format!(
                "port {port} has to be forwarded to the computer of your browser; an editor that is connected to here \
                 mostly does that by itself"
            )),
            WayBack::Container => Some(
                "a browser outside this container reaches the callback only through a published port (--listen); a \
                 pasted address needs none"
                    .to_owned(),
            ),
        }
    }
}
