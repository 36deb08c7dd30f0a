//! Names of servers.

use ureq::http::Uri;
use url::Url;

/// Scheme, host and port: what a connection is good for.
pub(in crate::world::http) fn origin_of(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    format!("{scheme}://{}:{}", uri.host().unwrap_or_default(), port_of(uri)).to_ascii_lowercase()
}

pub(in crate::world::http) fn port_of(uri: &Uri) -> u16 {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    uri.port_u16().unwrap_or(default)
}

/// What errors say about a URL: host and port, never more.
pub(in crate::world::http) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
