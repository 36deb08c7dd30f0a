//! A tunnel through an HTTP proxy (CONNECT, RFC 9110 §9.3.6).

use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use ureq_proto::http::{Method, Request, header};
use url::Url;
use zeroize::Zeroizing;

use super::{Stream, socket, tls};
use crate::error::NetworkErrorKind;
use crate::world::http::exchange;
use crate::world::http::failure::Failure;
use crate::world::http::origin::host_and_port;
use crate::world::http::proxy::ProxyUrl;
use crate::world::http::trust::Trust;

/// Connects to the proxy and has it connect to the URL's host.
pub(super) fn open(
    proxy: &ProxyUrl,
    url: &Url,
    trust: &Trust,
    deadline: Instant,
) -> Result<Box<dyn Stream>, Failure> {
    let proxy = proxy.address().map_err(Failure::proxy)?;
    connect(proxy, url, trust, deadline).map_err(|failure| at_proxy(proxy, failure))
}

fn connect(proxy: &Url, url: &Url, trust: &Trust, deadline: Instant) -> Result<Box<dyn Stream>, Failure> {
    let mut stream = socket::open(proxy, deadline)?;
    if proxy.scheme() == "https" {
        stream = tls::handshake(stream, trust.config()?, proxy)?;
    }
    let status = exchange::head(&mut *stream, request(proxy, url)?, &[])?.response.status();
    if status.is_success() { Ok(stream) } else { Err(Failure::proxy(refusal(status.as_u16()))) }
}

fn request(proxy: &Url, url: &Url) -> Result<Request<()>, Failure> {
    let mut request = Request::builder().method(Method::CONNECT).uri(host_and_port(url));
    if !proxy.username().is_empty() || proxy.password().is_some() {
        request = request.header(header::PROXY_AUTHORIZATION, credentials(proxy).as_str());
    }
    request.body(()).map_err(|_| Failure::proxy("the request for a tunnel cannot be written as HTTP"))
}

fn credentials(proxy: &Url) -> Zeroizing<String> {
    let decoded = |text: &str| Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
    let password = proxy.password().unwrap_or_default();
    let pair = [decoded(proxy.username()).as_slice(), b":", decoded(password).as_slice()].concat();
    Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(Zeroizing::new(pair))))
}

fn refusal(status: u16) -> String {
    match status {
        407 => "it requires a user name and password, or different ones (407)".to_owned(),
        status => format!("it responded with {status}"),
    }
}

/// A failure on the way through the proxy, reported as the proxy's.
fn at_proxy(proxy: &Url, failure: Failure) -> Failure {
    let detail = match failure.kind {
        NetworkErrorKind::TimedOut => "it did not respond in time",
        NetworkErrorKind::Broken => "it closed the connection",
        _ => &failure.detail,
    };
    Failure::proxy(format!("{}: {detail}", host_and_port(proxy)))
}
