//! The way back from a browser on the other side of an SSH connection.

use std::net::IpAddr;

use super::surroundings::Surroundings;

/// How this machine is reached from there, as far as the session says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tunnel {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

impl Tunnel {
    /// By `$SSH_CONNECTION`: client address and port, server address and port.
    pub(super) fn to_here(seen: &Surroundings) -> Option<Tunnel> {
        let connection = seen.environment.text("SSH_CONNECTION").unwrap_or_default();
        let words: Vec<&str> = connection.split_whitespace().collect();
        let [_, _, address, port] = words.as_slice() else { return Some(Tunnel::unknown()) };
        let address: Option<IpAddr> = address.parse().ok();
        let Some(address) = address.filter(|address| !address.is_loopback()) else {
            return Some(Tunnel::unknown());
        };
        let user = seen.environment.text("USER").filter(|user| is_plain(user)).map(str::to_owned);
        Some(Tunnel { user, host: address.to_string(), port: port.parse().ok().filter(|port| *port != 22) })
    }

    /// A person knows what to put there.
    fn unknown() -> Tunnel {
        Tunnel { user: None, host: "HOST".to_owned(), port: None }
    }

    /// The command line, for a port that may be a placeholder.
    pub(super) fn line(&self, port: &str) -> String {
        let at = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let door = self.port.map(|port| format!("-p {port} ")).unwrap_or_default();
        format!("ssh -L {port}:127.0.0.1:{port} -N {door}{at}{}", self.host)
    }
}

/// What a person may paste into a shell must be nothing but a name.
fn is_plain(user: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    user.starts_with(is_first) && user.chars().all(|c| is_first(c) || ".-".contains(c))
}
