//! The addresses of a host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use url::{Host, Url};

use crate::world::http::failure::Failure;
use crate::world::http::proxy::loopback;

pub(super) const NO_ADDRESS: &str = "could not resolve host";

/// Returns the addresses of a URL's host. Names below `localhost` are this computer without asking anyone
/// (RFC 6761 §6.3: plain http is allowed there, so no name server may say where it is); the system resolves the rest.
pub(super) fn addresses(url: &Url, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
    let port = url.port_or_known_default().unwrap_or_default();
    let ips: Vec<IpAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => vec![ip.into()],
        Some(Host::Ipv6(ip)) => vec![ip.into()],
        Some(Host::Domain(name)) if loopback::is_local_name(name) => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Some(Host::Domain(name)) => return lookup(name, port, deadline),
        None => return Err(Failure::unreachable("the URL has no host")),
    };
    Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

/// Asks the system on a thread that is abandoned at the deadline: a lookup can't be interrupted.
fn lookup(name: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
    let (found, addresses) = mpsc::channel();
    let host = (name.to_owned(), port);
    thread::spawn(move || drop(found.send(host.to_socket_addrs())));
    match addresses.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(addresses)) if addresses.len() > 0 => Ok(addresses.collect()),
        Ok(_) | Err(RecvTimeoutError::Disconnected) => Err(Failure::unreachable(NO_ADDRESS)),
        Err(RecvTimeoutError::Timeout) => Err(Failure::slow("the name lookup")),
    }
}
