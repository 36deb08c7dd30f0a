//! The place a connection leads to.

use std::time::Instant;

use url::Url;

use super::{Stream, socket, tls, tunnel};
use crate::world::http::failure::Failure;
use crate::world::http::proxy::ProxyUrl;
use crate::world::http::trust::Trust;

/// An origin, directly or through a proxy. Connections to the same destination are interchangeable.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::world::http) struct Destination {
    origin: Url,
    proxy: Option<ProxyUrl>,
}

impl Destination {
    pub(in crate::world::http) fn new(url: &Url, proxy: Option<&ProxyUrl>) -> Destination {
        let mut origin = url.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        Destination { origin, proxy: proxy.cloned() }
    }

    /// Opens a connection: ten seconds for the name lookup, ten for the rest, and no longer than the deadline.
    pub(in crate::world::http) fn connect(
        &self,
        trust: &Trust,
        deadline: Instant,
    ) -> Result<Box<dyn Stream>, Failure> {
        // First, so that a CA file that can't be read is reported before anything is sent.
        let tls = if self.origin.scheme() == "https" { Some(trust.config()?) } else { None };
        let stream = match &self.proxy {
            None => socket::open(&self.origin, deadline)?,
            Some(proxy) => tunnel::open(proxy, &self.origin, trust, deadline)?,
        };
        match tls {
            None => Ok(stream),
            Some(config) => tls::handshake(stream, config, &self.origin),
        }
    }
}
