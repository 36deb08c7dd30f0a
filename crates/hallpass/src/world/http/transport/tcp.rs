//! How a connection comes about: from the shelf, through a proxy, or directly; then TLS.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};
use ureq::{Proxy, Timeout};

use super::Wire;
use super::origin::origin_of;
use super::prepared::Ready;
use super::resolve::Addresses;
use super::tls::TlsLink;
use crate::world::http::failure::Failure;
use crate::world::http::limits;
use crate::world::http::trust::Trust;

/// The connector of all our agents: they share the shelf and the TLS configuration.
#[derive(Clone)]
pub(in crate::world::http) struct Dialer(Arc<Shared>);

struct Shared {
    ready: Ready,
    trust: Trust,
}

impl Dialer {
    pub(in crate::world::http) fn new(extra_ca: Option<PathBuf>) -> Dialer {
        Dialer(Arc::new(Shared { ready: Ready::default(), trust: Trust::new(extra_ca) }))
    }

    /// Whose certificates are believed, in words.
    pub(in crate::world::http) fn trusted(&self) -> Result<String, Failure> {
        self.0.trust.described()
    }

    /// Opens a direct connection and keeps it for the next request, unless a fresh one is open.
    pub(in crate::world::http) fn prepare(&self, uri: &Uri, config: &Config) -> Result<(), ureq::Error> {
        match self.0.ready.is_fresh(&origin_of(uri)) {
            true => Ok(()),
            false => self.renew(uri, config),
        }
    }

    fn renew(&self, uri: &Uri, config: &Config) -> Result<(), ureq::Error> {
        let origin = origin_of(uri);
        let older = self.0.ready.sockets_to(&origin);
        let link = self.dial_now(uri, config)?;
        self.0.ready.put(&origin, link, &older);
        Ok(())
    }

    /// Outside a request, so the parts that ureq hands to a connector are put together here.
    fn dial_now(&self, uri: &Uri, config: &Config) -> Result<Box<dyn Transport>, ureq::Error> {
        let resolver = Addresses::default();
        let timeout =
            NextTimeout { after: limits::CONNECT.into(), reason: Timeout::Connect, ..NextTimeout::default() };
        self.dial(&ConnectionDetails {
            uri,
            addrs: resolver.resolve(uri, config, timeout)?,
            config,
            request_level: false,
            resolver: &resolver,
            now: Instant::now(),
            timeout,
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(|_: &ConnectionDetails| Err(ureq::Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        })
    }

    fn dial(&self, details: &ConnectionDetails) -> Result<Box<dyn Transport>, ureq::Error> {
        // First, so that a CA file that cannot be read is said before anything is sent anywhere.
        let config = details.needs_tls().then(|| self.0.trust.config()).transpose()?;
        let link = match details.config.proxy() {
            Some(proxy) => tunnel(proxy, details)?,
            None => self.wire(details)?,
        };
        match config {
            Some(config) => Ok(Box::new(TlsLink::handshake(link, config, details)?)),
            None => Ok(link),
        }
    }

    fn wire(&self, details: &ConnectionDetails) -> Result<Box<dyn Transport>, ureq::Error> {
        let wire = Wire::connect(details, origin_of(details.uri))?;
        self.0.ready.register(wire.socket());
        Ok(Box::new(wire))
    }
}

impl Connector for Dialer {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _nothing_before: Option<()>,
    ) -> Result<Option<Box<dyn Transport>>, ureq::Error> {
        if details.config.proxy().is_none()
            && let Some(link) = self.0.ready.take(&origin_of(details.uri))
        {
            return Ok(Some(link));
        }
        self.dial(details).map(Some)
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

/// A connection that the proxy made for us with CONNECT (RFC 9110 §9.3.6). It comes back here, without
/// the proxy setting, to connect to the proxy itself.
fn tunnel(proxy: &Proxy, details: &ConnectionDetails) -> Result<Box<dyn Transport>, ureq::Error> {
    let connector = ConnectProxyConnector::default();
    match Connector::<()>::connect(&connector, details, None) {
        Ok(Some(Either::B(tunnel))) => Ok(tunnel),
        Ok(_) => Err(at_proxy(proxy, &Failure::proxy("it cannot be used"))),
        Err(error) => Err(at_proxy(proxy, &error.into())),
    }
}

fn at_proxy(proxy: &Proxy, failure: &Failure) -> ureq::Error {
    let detail = if failure.detail.is_empty() { "it did not answer in time" } else { &failure.detail };
    Failure::proxy(format!("{}:{}: {detail}", proxy.host(), proxy.port())).into()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use ureq::Agent;

    use super::*;

    /// Answers every request on its n-th connection with n.
    fn server() -> Uri {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    while stream.read(&mut [0; 4096]).is_ok_and(|amount| amount > 0) {
                        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", number + 1);
                    }
                });
            }
        });
        uri
    }

    #[test]
    fn a_renewed_connection_is_used_before_older_ones() {
        let (uri, dialer) = (server(), Dialer::new(None));
        let config = Agent::config_builder().proxy(None).build();
        let agent = Agent::with_parts(config.clone(), dialer.clone(), Addresses::default());
        let answer = || agent.get(&uri).call().unwrap().body_mut().read_to_string().unwrap();
        assert_eq!((answer(), answer()), ("1".to_owned(), "1".to_owned()));
        dialer.renew(&uri, &config).unwrap();
        assert_eq!((answer(), answer()), ("2".to_owned(), "2".to_owned()));
        dialer.renew(&uri, &config).unwrap();
        dialer.renew(&uri, &config).unwrap();
        assert_eq!((answer(), answer()), ("4".to_owned(), "4".to_owned()));
    }
}
