//! Connections to a server: direct or through a proxy, with TLS or without.

mod destination;
mod resolve;
mod socket;
mod stream;
mod tls;
mod tunnel;

pub(super) use destination::Destination;
pub(super) use stream::Stream;
