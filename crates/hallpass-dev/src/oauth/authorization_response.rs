//! The authorization response: always a redirect with `iss` (RFC 6749 §4.1.2, RFC 9207 §2).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::byte_serialize;

use crate::oauth::authorization_request::ReturnTo;
use crate::oauth::oauth_error::OAuthError;

pub(crate) fn with_code(issuer: &str, back: &ReturnTo, code: &str) -> Response {
    redirect(&location(issuer, back, &[("code", code)]))
}

pub(crate) fn with_error(issuer: &str, back: &ReturnTo, error: &OAuthError) -> Response {
    let fields = [("error", error.code.as_str()), ("error_description", &error.description)];
    redirect(&location(issuer, back, &fields))
}

/// 303, never 307, which would send a password on to the client (RFC 9700 §4.12).
pub(crate) fn redirect(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The redirect URI stays as it was sent; parameters are added to the query it may have.
fn location(issuer: &str, back: &ReturnTo, fields: &[(&str, &str)]) -> String {
    let mut query: Vec<String> = fields.iter().map(|(n, v)| pair(n, v.as_bytes())).collect();
    query.extend(back.state.as_ref().map(|state| pair("state", state)));
    query.push(pair("iss", issuer.as_bytes()));
    let joint = if back.redirect_uri.contains('?') { '&' } else { '?' };
    format!("{}{joint}{}", back.redirect_uri, query.join("&"))
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

    fn back(redirect_uri: &str, state: Option<Vec<u8>>) -> ReturnTo {
        ReturnTo { redirect_uri: redirect_uri.to_owned(), state }
    }

    #[test]
    fn a_query_of_the_redirect_uri_is_kept() {
        let location = location(ISSUER, &back("https://a.example/cb?x=1", None), &[("code", "c")]);
        assert_eq!(location, "https://a.example/cb?x=1&code=c&iss=http%3A%2F%2F127.0.0.1%3A4000");
    }

    proptest! {
        #[test]
        fn s16_state_comes_back_byte_for_byte(state in proptest::collection::vec(any::<u8>(), 1..200)) {
            let location = location(ISSUER, &back("http://127.0.0.1/cb", Some(state.clone())), &[("code", "c")]);
            prop_assert!(HeaderValue::from_str(&location).is_ok());
            let params = Params::parse(location.split_once('?').unwrap().1.as_bytes());
            prop_assert_eq!(params.bytes("state"), Some(&state[..]));
        }
    }
}
