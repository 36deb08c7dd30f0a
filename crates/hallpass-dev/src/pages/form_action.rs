//! Where the forms of a page may lead.

use std::fmt;

use url::{Host, Url};

use crate::state::asked::Asked;

/// The `form-action` directive of a page.
///
/// Browsers check it for every redirect that follows a form, and ours end at the client: a page
/// that says `'self'` alone would lock the user in (w3c/webappsec-csp#8). The client's listener may
/// send the browser on once more, to its maker's own "signed in" page, so `https:` is allowed as well:
/// Chromium would otherwise stay on the consent page although the sign-in is done.
pub(super) enum FormAction {
    /// The page has no form.
    None,
    /// Forms end on a page of this server.
    Own,
    /// Forms go to this server, which may send the user on to the client's redirect URI.
    Returning(String),
}

impl FormAction {
    /// Of the pages that a user walks through to answer.
    pub(super) fn answering(asked: &Asked) -> FormAction {
        match asked {
            Asked::AtRedirectUri(request) => FormAction::returning_to(&request.redirect_uri),
            Asked::OnDevice(_) => FormAction::Own,
        }
    }

    fn returning_to(redirect_uri: &str) -> FormAction {
        match Url::parse(redirect_uri) {
            Ok(url) => FormAction::Returning(source(&url)),
            Err(_) => FormAction::None,
        }
    }
}

/// A source expression that covers `url` (CSP 3 §2.3.1). The grammar has no IPv6 addresses, and a
/// private-use scheme has no origin: both are covered by their scheme.
fn source(url: &Url) -> String {
    let is_named = url.origin().is_tuple() && !matches!(url.host(), Some(Host::Ipv6(_)));
    if is_named { url.origin().ascii_serialization() } else { format!("{}:", url.scheme()) }
}

impl fmt::Display for FormAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormAction::None => f.write_str("'none'"),
            FormAction::Own => f.write_str("'self'"),
            FormAction::Returning(source) => write!(f, "'self' {source} https:"),
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
            assert_eq!(FormAction::returning_to(redirect_uri).to_string(), policy);
        }
    }
}
