//! The URLs to which the forms of a page may lead.

use std::fmt;

use url::{Host, Url};

use crate::state::consent_request::ConsentRequest;

/// The `form-action` directive of a page.
///
/// Browsers also apply it to the redirects after a form, and ours lead to the client, so `'self'` alone would stop
/// them (w3c/webappsec-csp#8). `https:` is allowed because the client may redirect once more, to a "signed in" page
/// on its website. Without it, Chromium would stay on the consent page.
pub(super) enum FormAction {
    /// The page has no form.
    None,
    /// Forms lead to pages of this server.
    Own,
    /// Forms lead to pages of this server, or by a redirect to the client with this source expression.
    Client(String),
}

impl FormAction {
    /// Returns the directive for the sign-in and consent pages.
    pub(super) fn for_request(request: &ConsentRequest) -> FormAction {
        match request {
            ConsentRequest::Authorization(request) => FormAction::for_client(&request.return_to.redirect_uri),
            ConsentRequest::Device(_) => FormAction::Own,
        }
    }

    fn for_client(redirect_uri: &str) -> FormAction {
        match Url::parse(redirect_uri) {
            Ok(url) => FormAction::Client(source(&url)),
            Err(_) => FormAction::None,
        }
    }
}

/// Returns a source expression that matches `url` (CSP 3 §2.3.1): its origin, or only its scheme if it has no origin
/// or an IPv6 host, which source expressions don't support.
fn source(url: &Url) -> String {
    let is_named = url.origin().is_tuple() && !matches!(url.host(), Some(Host::Ipv6(_)));
    if is_named { url.origin().ascii_serialization() } else { format!("{}:", url.scheme()) }
}

impl fmt::Display for FormAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormAction::None => f.write_str("'none'"),
            FormAction::Own => f.write_str("'self'"),
            FormAction::Client(source) => write!(f, "'self' {source} https:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_origin_of_the_redirect_uri_or_its_scheme() {
        for (redirect_uri, policy) in [
            ("http://127.0.0.1:51234/callback", "'self' http://127.0.0.1:51234 https:"),
            ("http://localhost:9999/callback", "'self' http://localhost:9999 https:"),
            ("https://app.example/cb?x=1", "'self' https://app.example https:"),
            ("http://[::1]:51234/callback", "'self' http: https:"),
            ("com.example.tool:/callback", "'self' com.example.tool: https:"),
        ] {
            assert_eq!(FormAction::for_client(redirect_uri).to_string(), policy);
        }
    }
}
