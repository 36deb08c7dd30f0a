//! Binding a port on the loopback interface.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use crate::error::Misuse;
use crate::protocol::redirect_uri::{ForwardedUri, RedirectUri};

/// "Address family not supported", for which the standard library has no kind.
const EAFNOSUPPORT: i32 = match () {
    () if cfg!(windows) => 10047,
    () if cfg!(any(target_os = "linux", target_os = "android")) => 97,
    () => 47,
};

/// A port that is free for one address family may be in use for the other; this many ports are tried.
const TRIES: u32 = 16;

/// The redirect URI of callbacks, and what to bind for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Binding {
    /// The default redirect URI, on any free port.
    Default,
    /// The first of these redirect URIs whose port is free.
    FirstFree(Vec<RedirectUri>),
    /// A redirect URI from which something forwards callbacks to this address.
    Forwarded { redirect_uri: ForwardedUri, listen: SocketAddr },
}

/// Bound sockets on one port, with the redirect URI they serve.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) sockets: Vec<TcpListener>,
    pub(super) redirect_uri: String,
    pub(super) path: String,
    pub(super) port: u16,
    /// The `Host` of forwarded requests, beside the loopback names.
    pub(super) authority: Option<String>,
}

/// Binds the first redirect URI whose port is free.
///
/// # Errors
/// [`Misuse::PortTaken`] lists each one with the reason.
pub(super) fn bind(binding: &Binding) -> Result<Bound, Misuse> {
    match binding {
        Binding::Default => bind_first(&[default_redirect_uri()]),
        Binding::FirstFree(uris) => bind_first(uris),
        Binding::Forwarded { redirect_uri, listen } => bind_forwarded(redirect_uri, *listen),
    }
}

/// Returns the redirect URI on IPv4, or on IPv6 if the computer has no IPv4 (RFC 8252 §7.3 assumes neither).
pub(crate) fn default_redirect_uri() -> RedirectUri {
    let [v4, v6] = [RedirectUri::default(), RedirectUri::default_v6()];
    let is_missing = sockets(v4.host().addresses(), 0).is_err_and(|error| is_family_missing(&error));
    if is_missing { v6 } else { v4 }
}

fn bind_forwarded(redirect_uri: &ForwardedUri, listen: SocketAddr) -> Result<Bound, Misuse> {
    let taken = |error: io::Error| Misuse::PortTaken(format!("{listen} ({})", cause(&error)));
    let socket = TcpListener::bind(listen).map_err(taken)?;
    Ok(Bound {
        port: socket.local_addr().map_err(taken)?.port(),
        sockets: vec![socket],
        redirect_uri: redirect_uri.as_str().to_owned(),
        path: redirect_uri.path().to_owned(),
        authority: Some(redirect_uri.authority().to_owned()),
    })
}

fn bind_first(uris: &[RedirectUri]) -> Result<Bound, Misuse> {
    let mut failures = Vec::new();
    for uri in uris {
        match bind_one(uri) {
            Ok(bound) => return Ok(bound),
            Err(error) => failures.push(format!("{} ({})", shown(uri), cause(&error))),
        }
    }
    Err(Misuse::PortTaken(failures.join(", ")))
}

fn bind_one(uri: &RedirectUri) -> io::Result<Bound> {
    let tries = if uri.port().is_some() { 1 } else { TRIES };
    let mut result = Err(io::Error::from(io::ErrorKind::AddrInUse));
    for _ in 0..tries {
        result = sockets(uri.host().addresses(), uri.port().unwrap_or(0));
        if result.is_ok() {
            break;
        }
    }
    let (sockets, port) = result?;
    Ok(Bound { sockets, redirect_uri: uri.on_port(port), path: uri.path().to_owned(), port, authority: None })
}

/// Binds one socket for each address this machine has, all on one port. A port in use for one of them won't do: another
/// program would get the callback.
fn sockets(addresses: &[IpAddr], mut port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let mut sockets = Vec::new();
    let mut missing = None;
    for address in addresses {
        match TcpListener::bind(SocketAddr::new(*address, port)) {
            Ok(socket) => {
                port = socket.local_addr()?.port();
                sockets.push(socket);
            }
            Err(error) if is_family_missing(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if sockets.is_empty() => Err(error),
        _ => Ok((sockets, port)),
    }
}

fn is_family_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn shown(uri: &RedirectUri) -> String {
    match uri.port() {
        Some(port) => format!("port {port} on {}", uri.host().as_str()),
        None => format!("any port on {}", uri.host().as_str()),
    }
}

/// Windows reports "permission denied" for port ranges that Hyper-V reserves.
fn cause(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "in use by another program",
        io::ErrorKind::PermissionDenied => "permission denied; the system may have reserved it",
        _ if is_family_missing(error) => "this machine has no such address",
        _ => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn n12_only_the_loopback_interface_is_bound() {
        for text in ["http://127.0.0.1/callback", "http://localhost/callback"] {
            for socket in bind_first(&[uri(text)]).unwrap().sockets {
                assert!(socket.local_addr().unwrap().ip().is_loopback());
            }
        }
    }

    #[test]
    fn n13_p02_localhost_is_one_port_on_both_families() {
        let bound = bind_first(&[uri("http://localhost/callback")]).unwrap();
        assert!(bound.sockets.iter().all(|socket| socket.local_addr().unwrap().port() == bound.port));
        assert_eq!(bound.redirect_uri, format!("http://localhost:{}/callback", bound.port));
        if TcpListener::bind("[::1]:0").is_ok() {
            assert_eq!(bound.sockets.len(), 2);
        }
    }

    #[test]
    fn p01_n16_a_fixed_port_in_use_is_named_and_the_next_one_is_tried() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let taken = uri(&format!("http://127.0.0.1:{port}/callback"));
        let Err(Misuse::PortTaken(text)) = bind_first(std::slice::from_ref(&taken)) else { panic!() };
        assert!(text.contains(&format!("port {port} on 127.0.0.1 (in use by another program)")), "{text}");
        assert_ne!(bind_first(&[taken, uri("http://127.0.0.1/callback")]).unwrap().port, port);
    }

    #[test]
    fn p02_a_port_in_use_for_the_other_family_will_not_do_for_localhost() {
        let Ok(other) = TcpListener::bind("[::1]:0") else { return };
        let port = other.local_addr().unwrap().port();
        assert!(bind_first(&[uri(&format!("http://localhost:{port}/callback"))]).is_err());
    }
}
