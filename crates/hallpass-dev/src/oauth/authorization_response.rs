//! The authorization response: a redirect to the client, always with `iss` (RFC 6749 §4.1.2, RFC 9207 §2).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::byte_serialize;

use crate::oauth::authorization_request::ReturnTo;
use crate::oauth::oauth_error::OAuthError;

pub(crate) fn with_code(issuer: &str, return_to: &ReturnTo, code: &str) -> Response {
    redirect(&location(issuer, return_to, &[("code", code)]))
}

pub(crate) fn with_error(issuer: &str, return_to: &ReturnTo, error: &OAuthError) -> Response {
    let params = [("error", error.code.as_str()), ("error_description", &error.description)];
    redirect(&location(issuer, return_to, &params))
}

/// Redirects with 303. A 307 would repeat the POST and send the password to the client (RFC 9700 §4.12).
pub(crate) fn redirect(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Appends the parameters to the redirect URI, and to the query it may already have.
fn location(issuer: &str, return_to: &ReturnTo, params: &[(&str, &str)]) -> String {
    let mut query: Vec<String> = params.iter().map(|(n, v)| pair(n, v.as_bytes())).collect();
    query.extend(return_to.state.as_ref().map(|state| pair("state", state)));
    query.push(pair("iss", issuer.as_bytes()));
    let separator = if return_to.redirect_uri.contains('?') { '&' } else { '?' };
    format!("{}{separator}{}", return_to.redirect_uri, query.join("&"))
}

fn pair(name: &str, value: &[u8]) -> String {
    format!("{name}={}", byte_serialize(value).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::params::Params;
    use proptest::prelude::*;

    const ISSUER: &str = "http://127.0.0.1:4000";

    fn return_to(redirect_uri: &str, state: Option<Vec<u8>>) -> ReturnTo {
        ReturnTo { redirect_uri: redirect_uri.to_owned(), state }
    }

    #[test]
    fn the_query_of_a_redirect_uri_is_kept() {
        let location = location(ISSUER, &return_to("https://a.example/cb?x=1", None), &[("code", "c")]);
        assert_eq!(location, "https://a.example/cb?x=1&code=c&iss=http%3A%2F%2F127.0.0.1%3A4000");
    }

    proptest! {
        #[test]
        fn s16_state_comes_back_byte_for_byte(state in proptest::collection::vec(any::<u8>(), 1..200)) {
            let location = location(ISSUER, &return_to("http://127.0.0.1/cb", Some(state.clone())), &[("code", "c")]);
            prop_assert!(HeaderValue::from_str(&location).is_ok());
            let params = Params::parse(location.split_once('?').unwrap().1.as_bytes());
            prop_assert_eq!(params.bytes("state"), Some(&state[..]));
        }
    }
}
