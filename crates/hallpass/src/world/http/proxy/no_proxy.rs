//! `NO_PROXY`: hosts reached without a proxy.

use std::net::IpAddr;

use url::{Host, Url};

/// The entries of the variable, separated by commas or whitespace:
///
/// | entry | matches |
/// |---|---|
/// | `*` | every host |
/// | `corp.example`, `.corp.example`, `*.corp.example` | the name and every name below it |
/// | `192.0.2.7`, `2001:db8::7`, `[2001:db8::7]` | the address |
/// | `10.0.0.0/8`, `fd00::/8` | the network |
/// | any of the names and addresses with `:8443` | only that port |
#[derive(Clone, Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

impl NoProxy {
    pub(super) fn parse(value: &str) -> NoProxy {
        let entries = value.split(|c: char| c == ',' || c.is_whitespace());
        NoProxy(entries.filter(|entry| !entry.is_empty()).filter_map(Entry::parse).collect())
    }

    pub(super) fn contains(&self, url: &Url) -> bool {
        let host = url.host().map(canonical);
        host.is_some_and(|host| self.0.iter().any(|entry| entry.matches(&host, url)))
    }
}

/// A host in one canonical spelling.
enum Target {
    Name(String),
    Address(IpAddr),
}

fn canonical(host: Host<&str>) -> Target {
    match host {
        Host::Domain(name) => Target::Name(name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(ip) => Target::Address(ip.into()),
        Host::Ipv6(ip) => Target::Address(IpAddr::V6(ip).to_canonical()),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Every,
    NameAndBelow(String),
    Network(IpAddr, u8),
}

impl Entry {
    /// Parses an entry; `None` if it can't match anything.
    fn parse(entry: &str) -> Option<Entry> {
        if let Some(hosts) = Hosts::parse_address(entry) {
            return Some(Entry { hosts, port: None });
        }
        match entry.rsplit_once(':') {
            Some((host, port)) => Some(Entry { hosts: Hosts::parse(host)?, port: Some(port.parse().ok()?) }),
            None => Some(Entry { hosts: Hosts::parse(entry)?, port: None }),
        }
    }

    fn matches(&self, host: &Target, url: &Url) -> bool {
        self.hosts.contain(host) && (self.port.is_none() || self.port == url.port_or_known_default())
    }
}

impl Hosts {
    fn parse(host: &str) -> Option<Hosts> {
        match host {
            "*" => Some(Hosts::Every),
            host => Hosts::parse_address(host).or_else(|| Hosts::parse_name(host)),
        }
    }

    /// Parses an address or a network. This comes first: the colons of IPv6 are not ports.
    fn parse_address(entry: &str) -> Option<Hosts> {
        let (address, length) = match entry.split_once('/') {
            Some((address, length)) => (address, Some(length.parse().ok()?)),
            None => (entry, None),
        };
        let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(longest);
        (length <= longest).then_some(Hosts::Network(address, length))
    }

    fn parse_name(name: &str) -> Option<Hosts> {
        let name = name.strip_prefix('*').unwrap_or(name).trim_matches('.');
        // URLs hold the ASCII form of a name in another script.
        let name = match Host::parse(name) {
            Ok(Host::Domain(ascii)) => ascii,
            _ => name.to_ascii_lowercase(),
        };
        (!name.is_empty()).then_some(Hosts::NameAndBelow(name))
    }

    fn contain(&self, host: &Target) -> bool {
        match (self, host) {
            (Hosts::Every, _) => true,
            (Hosts::NameAndBelow(suffix), Target::Name(name)) => name
                .strip_suffix(suffix.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
            (Hosts::Network(network, length), Target::Address(ip)) => same_network(*network, *ip, *length),
            _ => false,
        }
    }
}

fn same_network(network: IpAddr, ip: IpAddr, length: u8) -> bool {
    match (network, ip) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(32 - u32::from(length)).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(128 - u32::from(length)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::NoProxy;

    #[test]
    fn p56_each_kind_of_entry_matches_what_it_says() {
        let rows = [
            ("", "https://idp.example", false),
            ("*", "https://idp.example", true),
            ("*", "https://192.0.2.1", true),
            ("idp.example", "https://idp.example", true),
            ("IDP.Example", "https://idp.example", true),
            ("idp.example", "https://IDP.EXAMPLE", true),
            ("idp.example", "https://idp.example.", true),
            ("idp.example.", "https://idp.example", true),
            ("idp.example", "https://login.idp.example", true),
            ("idp.example", "https://myidp.example", false),
            ("idp.example", "https://idp.example.org", false),
            (".example", "https://idp.example", true),
            (".idp.example", "https://idp.example", true),
            (".idp.example", "https://a.b.idp.example", true),
            ("*.idp.example", "https://a.idp.example", true),
            (".example", "https://idpexample", false),
            ("other.example", "https://idp.example", false),
            ("other.example,idp.example", "https://idp.example", true),
            ("other.example idp.example", "https://idp.example", true),
            (" other.example ,\tidp.example, ", "https://idp.example", true),
            ("idp.example:443", "https://idp.example", true),
            ("idp.example:8443", "https://idp.example", false),
            ("idp.example:8443", "https://idp.example:8443", true),
            ("*:8443", "https://idp.example:8443", true),
            ("*:8443", "https://idp.example", false),
            ("idp.example:x", "https://idp.example", false),
            ("192.0.2.7", "https://192.0.2.7", true),
            ("192.0.2.7", "https://192.0.2.8", false),
            ("192.0.2.7:8443", "https://192.0.2.7:8443", true),
            ("192.0.2.7:8443", "https://192.0.2.7", false),
            ("10.0.0.0/8", "https://10.250.1.2", true),
            ("10.1.2.3/8", "https://10.250.1.2", true),
            ("10.0.0.0/8", "https://11.0.0.1", false),
            ("10.0.0.0/33", "https://10.0.0.1", false),
            ("0.0.0.0/0", "https://203.0.113.9", true),
            ("0.0.0.0/0", "https://idp.example", false),
            ("172.16.0.0/12", "https://172.31.255.255", true),
            ("172.16.0.0/12", "https://172.32.0.0", false),
            ("10.0.0.0/8", "https://[::ffff:10.1.1.1]", true),
            ("2001:db8::7", "https://[2001:db8::7]", true),
            ("[2001:db8::7]", "https://[2001:db8:0::7]", true),
            ("[2001:db8::7]:8443", "https://[2001:db8::7]:8443", true),
            ("[2001:db8::7]:8443", "https://[2001:db8::7]", false),
            ("fd00::/8", "https://[fdab::1]", true),
            ("fd00::/8", "https://[fe80::1]", false),
            ("::/0", "https://[2001:db8::7]", true),
            ("::/0", "https://192.0.2.7", false),
            ("2.0.192", "https://192.0.2.7", false),
            ("büro.example", "https://xn--bro-hoa.example", true),
        ];
        for (value, url, expected) in rows {
            assert_eq!(NoProxy::parse(value).contains(&url.parse().unwrap()), expected, "{value:?} {url}");
        }
    }
}
