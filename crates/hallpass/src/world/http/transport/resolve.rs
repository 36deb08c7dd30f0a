//! Addresses of a host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::origin;
use crate::world::http::failure::Failure;
use crate::world::http::proxy::loopback;

/// Addresses are taken as they are, names below `localhost` are this computer without a question
/// (RFC 6761 §6.3: plain http is allowed there, so no name server may say where it is), and the
/// system is asked for all others.
#[derive(Debug, Default)]
pub(in crate::world::http) struct Addresses(DefaultResolver);

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let known = known_addresses(uri);
        if known.is_empty() {
            return self.0.resolve(uri, config, timeout).map_err(resolve_error);
        }
        let mut addrs = self.0.empty();
        let port = origin::port_of(uri);
        known.into_iter().for_each(|ip| addrs.push(SocketAddr::new(ip, port)));
        Ok(addrs)
    }
}

fn known_addresses(uri: &Uri) -> Vec<IpAddr> {
    let host = uri.host().unwrap_or_default();
    if loopback::is_local_name(host) {
        return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().into_iter().collect()
}

fn resolve_error(error: ureq::Error) -> ureq::Error {
    match error {
        ureq::Error::Timeout(_) => error,
        _ => Failure::unreachable("its name has no address").into(),
    }
}
