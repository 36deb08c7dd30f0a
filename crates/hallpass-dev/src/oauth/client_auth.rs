//! Client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::oauth::client::{Client, Clients};
use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::params::{self, Params};

/// A form from an authenticated client, such as a token request.
pub(crate) struct ClientRequest<'a> {
    pub(crate) client: Arc<Client>,
    pub(crate) form: &'a Params,
}

impl<'a> ClientRequest<'a> {
    /// Reads the form, which must not repeat a parameter (RFC 6749 §3.2), and authenticates the client.
    ///
    /// A client uses exactly one method: `none` if it is public, `client_secret_basic` or `client_secret_post` if it
    /// has a secret.
    pub(crate) fn authenticate(clients: &Clients, http: &'a HttpRequest) -> Result<Self, OAuthError> {
        let Some(form) = &http.form else {
            return Err(OAuthError::invalid_request("The body must be application/x-www-form-urlencoded."));
        };
        if let Some(name) = form.repeated() {
            return Err(OAuthError::repeated(name));
        }
        let (id, secret) = (form.text("client_id"), form.text("client_secret"));
        let client = match http.header("authorization") {
            Some(_) if secret.is_some() => {
                return Err(OAuthError::invalid_request(
                    "The client must authenticate with one method only.",
                ));
            }
            Some(_) => by_header(clients, http, id)?,
            None => check(clients, id, secret)?,
        };
        Ok(ClientRequest { client, form })
    }

    pub(crate) fn required(&self, name: &str) -> Result<&'a str, OAuthError> {
        self.form.text(name).ok_or_else(|| OAuthError::missing(name))
    }
}

fn by_header(
    clients: &Clients,
    http: &HttpRequest,
    client_id: Option<&str>,
) -> Result<Arc<Client>, OAuthError> {
    let (id, secret) = basic_credentials(http).ok_or_else(failed)?;
    match client_id {
        Some(other) if other != id => {
            Err(OAuthError::invalid_request("client_id differs from the Authorization header."))
        }
        _ => check(clients, Some(&id), Some(&secret)),
    }
}

fn check(clients: &Clients, id: Option<&str>, secret: Option<&str>) -> Result<Arc<Client>, OAuthError> {
    let id = id.ok_or_else(|| OAuthError::new(ErrorCode::InvalidClient, "client_id is missing."))?;
    let client = clients.find(id).ok_or_else(failed)?;
    let is_authentic = match secret {
        Some(secret) => client.has_secret(secret),
        None => client.is_public(),
    };
    if is_authentic { Ok(client) } else { Err(failed()) }
}

fn failed() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, "Unknown client or failed client authentication.")
}

/// Returns the client ID and secret in the `Authorization` header, without verifying them. Both are form-encoded
/// inside the base64 text (RFC 6749 §2.3.1).
pub(crate) fn basic_credentials(http: &HttpRequest) -> Option<(String, String)> {
    let decoded = STANDARD.decode(http.credentials("Basic")?).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    let id = String::from_utf8(params::decode(&decoded[..colon])).ok()?;
    let secret = String::from_utf8(params::decode(&decoded[colon + 1..])).ok()?;
    Some((id, secret))
}
