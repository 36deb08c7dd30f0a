//! The default [`Http`]: HTTP/1.1 by ureq, over our own connections.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ureq::http::{HeaderValue, Response, Uri, header};
use ureq::{Agent, Body, RequestBuilder};
use url::Url;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::proxy::{Proxies, ProxyUrl};
use super::transport::origin::host_and_port;
use super::transport::resolve::Addresses;
use super::transport::tcp::Dialer;
use super::{Http, HttpRequest, HttpResponse, MAX_BODY_BYTES, Route, limits};
use crate::error::{NetworkError, NetworkErrorKind};

/// What a [`Client`] needs to know beforehand.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// The value of `User-Agent`; characters that a header cannot hold are left out. Defaults to none.
    pub user_agent: String,
    /// Defaults to no proxy.
    pub proxies: Proxies,
    /// A PEM file with authorities to trust beside the system's. Defaults to none.
    pub extra_ca: Option<PathBuf>,
}

/// Sends requests over kept-alive connections, with TLS 1.2 and 1.3 by rustls and the system's trust
/// store. On Linux and the BSDs `SSL_CERT_FILE` stands in for that store, as it does for every other
/// program there; elsewhere it adds to it.
///
/// Making one costs nothing: files, roots and sockets wait for the first request. One client is meant
/// to be shared, since its connections are.
pub struct Client {
    settings: ClientSettings,
    dialer: Dialer,
    lanes: Mutex<Vec<Lane>>,
}

/// An agent with its pool, for direct connections or for one proxy.
struct Lane {
    proxy: Option<ProxyUrl>,
    agent: Agent,
}

impl Client {
    /// A client that has opened and read nothing yet.
    pub fn new(settings: ClientSettings) -> Client {
        let dialer = Dialer::new(settings.extra_ca.clone());
        Client { settings, dialer, lanes: Mutex::default() }
    }

    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let agent = self.agent(self.settings.proxies.for_url(&request.url))?;
        let answer = send(&agent, request).map_err(|error| failure(error, request))?;
        read(answer).map_err(|error| failure(error, request))
    }

    fn agent(&self, proxy: Option<&ProxyUrl>) -> Result<Agent, Failure> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.iter().find(|lane| lane.proxy.as_ref() == proxy) {
            return Ok(lane.agent.clone());
        }
        let agent = self.new_agent(proxy)?;
        lanes.push(Lane { proxy: proxy.cloned(), agent: agent.clone() });
        Ok(agent)
    }

    /// Pooled connections are probed before use; ureq repeats no request on a fresh one when that
    /// probe was too early, and neither do we: a code or a refresh token may have been spent.
    fn new_agent(&self, proxy: Option<&ProxyUrl>) -> Result<Agent, Failure> {
        let config = Agent::config_builder()
            .proxy(proxy.map(ureq_proxy).transpose()?)
            .user_agent(header_text(&self.settings.user_agent))
            .accept("application/json")
            .accept_encoding("")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_response_header_size(limits::HEADERS)
            .input_buffer_size(limits::INPUT_BUFFER)
            .output_buffer_size(limits::OUTPUT_BUFFER)
            .max_idle_age(limits::IDLE)
            .timeout_resolve(Some(limits::CONNECT))
            .timeout_connect(Some(limits::CONNECT))
            .build();
        Ok(Agent::with_parts(config, self.dialer.clone(), Addresses::default()))
    }

    fn way(&self, url: &Url) -> Result<Route, Failure> {
        let proxy = self.settings.proxies.for_url(url);
        proxy.map(|proxy| proxy.address().map_err(Failure::proxy)).transpose()?;
        let trust = (url.scheme() == "https").then(|| self.dialer.trusted()).transpose()?;
        Ok(Route { proxy: Some(proxy.map(ToString::to_string)), trust })
    }

    fn prepare(&self, url: &Url) -> Result<(), Failure> {
        let uri: Uri =
            url.as_str().parse().map_err(|_| Failure::unreachable("the address cannot be used"))?;
        let agent = self.agent(None)?;
        Ok(self.dialer.prepare(&uri, agent.config())?)
    }
}

impl Http for Client {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        self.exchange(request).map_err(|failure| failure.at(&host_and_port(&request.url)))
    }

    fn connect_ahead(&self, url: &Url) {
        if self.settings.proxies.for_url(url).is_some() {
            return;
        }
        if let Err(failure) = self.prepare(url) {
            log::debug!("no connection ahead to {}: {failure}", host_and_port(url));
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

fn ureq_proxy(proxy: &ProxyUrl) -> Result<ureq::Proxy, Failure> {
    let address = proxy.address().map_err(Failure::proxy)?;
    ureq::Proxy::new(address.as_str()).map_err(|_| Failure::proxy(format!("{proxy} cannot be used")))
}

/// ureq panics on a configured header with other characters.
fn header_text(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect()
}

fn send(agent: &Agent, request: &HttpRequest) -> Result<Response<Body>, ureq::Error> {
    let url = request.url.as_str();
    match &request.form {
        None => for_request(agent.get(url), request)?.call(),
        Some(form) => for_request(agent.post(url), request)?
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .send(form.as_bytes()),
    }
}

fn for_request<B>(
    builder: RequestBuilder<B>,
    request: &HttpRequest,
) -> Result<RequestBuilder<B>, ureq::Error> {
    let builder = builder.config().timeout_global(Some(request.timeout)).build();
    let Some(authorization) = &request.authorization else { return Ok(builder) };
    let mut value = HeaderValue::from_str(authorization.expose()).map_err(ureq::http::Error::from)?;
    value.set_sensitive(true);
    Ok(builder.header(header::AUTHORIZATION, value))
}

/// The connection of a truncated answer is closed, not drained.
fn read(answer: Response<Body>) -> Result<HttpResponse, ureq::Error> {
    let (head, body) = answer.into_parts();
    let expected = body.content_length().unwrap_or(limits::UNTOLD_BODY).min(MAX_BODY_BYTES as u64 + 1);
    // All at once, since a vector that grows leaves copies of secrets behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected as usize));
    body.into_reader().take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let truncated = bytes.len() > MAX_BODY_BYTES;
    bytes.truncate(MAX_BODY_BYTES);
    Ok(HttpResponse {
        status: head.status.as_u16(),
        headers: text_headers(&head.headers),
        body: bytes,
        truncated,
    })
}

fn text_headers(headers: &ureq::http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn failure(error: ureq::Error, request: &HttpRequest) -> Failure {
    let mut failure = Failure::from(error);
    if failure.kind == NetworkErrorKind::TimedOut && failure.detail.is_empty() {
        failure.detail = format!("the limit is {}", humantime::format_duration(request.timeout));
    }
    failure
}
