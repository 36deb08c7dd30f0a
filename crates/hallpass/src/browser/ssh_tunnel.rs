//! The `ssh -L` command that brings a callback here.

use std::net::IpAddr;

use super::surroundings::Surroundings;

/// How the machine with the browser reaches this one, as far as the SSH session says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SshTunnel {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

impl SshTunnel {
    /// Reads `$SSH_CONNECTION`: client address and port, server address and port.
    pub(super) fn to_here(seen: &Surroundings) -> SshTunnel {
        let connection = seen.environment.text("SSH_CONNECTION").unwrap_or_default();
        let words: Vec<&str> = connection.split_whitespace().collect();
        let [_, _, address, port] = words.as_slice() else { return SshTunnel::unknown() };
        let Ok(address) = address.parse::<IpAddr>() else { return SshTunnel::unknown() };
        if address.is_loopback() {
            return SshTunnel::unknown();
        }
        let user = seen.environment.text("USER").filter(|user| is_plain(user)).map(str::to_owned);
        let port = port.parse().ok().filter(|port| *port != 22);
        SshTunnel { user, host: address.to_string(), port }
    }

    /// Leaves the host for the user to fill in.
    fn unknown() -> SshTunnel {
        SshTunnel { user: None, host: "HOST".to_owned(), port: None }
    }

    /// The command line for a port, which may be a placeholder.
    pub(super) fn command(&self, port: &str) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let ssh_port = self.port.map(|port| format!("-p {port} ")).unwrap_or_default();
        format!("ssh -L {port}:127.0.0.1:{port} -N {ssh_port}{user}{}", self.host)
    }
}

/// Whether it is safe to paste a user name into a shell.
fn is_plain(user: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    user.starts_with(is_first) && user.chars().all(|c| is_first(c) || ".-".contains(c))
}
