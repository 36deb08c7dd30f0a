//! The default [`Http`]: HTTP/1.1 over our own sockets, with the protocol of `ureq`.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use ureq_proto::http::{HeaderValue, Request, header};
use url::Url;

use super::connection::Destination;
use super::exchange::{Reuse, exchange};
use super::failure::Failure;
use super::origin::host_and_port;
use super::pool::Pool;
use super::proxy::Proxies;
use super::trust::Trust;
use super::{Http, HttpRequest, HttpResponse, Route, limits};
use crate::error::{NetworkError, NetworkErrorKind};

/// Settings of a [`Client`].
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// The value of `User-Agent`; characters that a header can't hold are left out. Defaults to none.
    pub user_agent: String,
    /// Defaults to no proxy.
    pub proxies: Proxies,
    /// A PEM file with authorities to trust in addition to the system's. Defaults to none.
    pub extra_ca: Option<PathBuf>,
}

/// Sends requests over kept-alive connections, with TLS 1.2 and 1.3 by rustls and the system's trust
/// store. `SSL_CERT_FILE` adds to that store.
///
/// Creating one costs nothing: files, roots and sockets wait for the first request. Share one client, since its
/// connections are shared with it.
pub struct Client {
    settings: ClientSettings,
    trust: Trust,
    pool: Pool,
}

impl Client {
    /// Creates a client that has opened and read nothing yet.
    pub fn new(settings: ClientSettings) -> Client {
        let trust = Trust::new(settings.extra_ca.clone());
        Client { settings, trust, pool: Pool::default() }
    }

    /// Sends a request once. Kept connections are probed before use; if that was too early, the request fails and is
    /// not repeated on a fresh one: a code or a refresh token may have been spent.
    fn exchange(&self, request: &HttpRequest, deadline: Instant) -> Result<HttpResponse, Failure> {
        let to = self.destination(&request.url);
        let _in_use = self.pool.mark_in_use(&to);
        let mut stream = match self.pool.take(&to) {
            Some(stream) => stream,
            None => to.connect(&self.trust, deadline)?,
        };
        stream.set_deadline(deadline);
        let body = request.form.as_ref().map(|form| form.as_bytes()).unwrap_or_default();
        let (response, reuse) = exchange(&mut *stream, self.head(request)?, body)?;
        if reuse == Reuse::Yes {
            self.pool.put(&to, stream);
        }
        Ok(response)
    }

    fn destination(&self, url: &Url) -> Destination {
        Destination::new(url, self.settings.proxies.for_url(url))
    }

    /// The request without its body.
    fn head(&self, request: &HttpRequest) -> Result<Request<()>, Failure> {
        let unwritable = |_| Failure::unreachable("the request cannot be written as HTTP");
        let mut head = match &request.form {
            None => Request::get(request.url.as_str()),
            Some(form) => Request::post(request.url.as_str())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::CONTENT_LENGTH, form.len()),
        };
        head = head.header(header::ACCEPT, "application/json");
        let user_agent = header_text(&self.settings.user_agent);
        if !user_agent.is_empty() {
            head = head.header(header::USER_AGENT, user_agent);
        }
        if let Some(authorization) = &request.authorization {
            let mut value = HeaderValue::from_str(authorization.expose())
                .map_err(|_| Failure::unreachable("the request cannot be written as HTTP"))?;
            value.set_sensitive(true);
            head = head.header(header::AUTHORIZATION, value);
        }
        head.body(()).map_err(unwritable)
    }

    fn prepare(&self, url: &Url) -> Result<(), Failure> {
        let to = self.destination(url);
        if !self.pool.has_fresh(&to) {
            self.pool.put(&to, to.connect(&self.trust, Instant::now() + 2 * limits::CONNECT)?);
        }
        Ok(())
    }

    fn way(&self, url: &Url) -> Result<Route, Failure> {
        let proxy = self.settings.proxies.for_url(url);
        if let Some(proxy) = proxy {
            proxy.address().map_err(Failure::proxy)?;
        }
        let trust = if url.scheme() == "https" { Some(self.trust.described()?) } else { None };
        Ok(Route { proxy: Some(proxy.map(ToString::to_string)), trust })
    }
}

impl Http for Client {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        let deadline = Instant::now() + request.timeout;
        self.exchange(request, deadline).map_err(|failure| {
            let is_over = failure.kind == NetworkErrorKind::TimedOut && Instant::now() >= deadline;
            let failure = if is_over { Failure::timed_out(request.timeout) } else { failure };
            failure.at(&host_and_port(&request.url))
        })
    }

    fn connect_ahead(&self, url: &Url) {
        if self.settings.proxies.for_url(url).is_some() {
            return;
        }
        if let Err(failure) = self.prepare(url) {
            log::debug!("could not connect ahead to {}: {failure}", host_and_port(url));
        }
    }

    fn route(&self, url: &Url) -> Result<Route, NetworkError> {
        self.way(url).map_err(|failure| failure.at(&host_and_port(url)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Leaves out what a header can't hold.
fn header_text(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect()
}
