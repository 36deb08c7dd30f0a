//! Client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::oauth::client::{Client, Clients};
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::params::{self, Params};
use crate::oauth::received::Received;

/// The form of a client's own request: it must be one, and name nothing twice (RFC 6749 §3.2).
pub(crate) fn form(received: &Received) -> Result<&Params, OAuthError> {
    let wrong = || OAuthError::invalid_request("The body must be application/x-www-form-urlencoded.");
    let form = received.form.as_ref().ok_or_else(wrong)?;
    form.doubled().map_or(Ok(form), |name| Err(OAuthError::doubled(name)))
}

/// The client that sent the request. Exactly one method: `none` for a public client,
/// `client_secret_basic` or `client_secret_post` for one with a secret.
pub(crate) fn authenticate(clients: &Clients, received: &Received) -> Result<Arc<Client>, OAuthError> {
    let form = form(received)?;
    let client_id = form.text("client_id");
    let posted = form.text("client_secret");
    if received.header("authorization").is_none() {
        return judge(clients, client_id, posted);
    }
    if posted.is_some() {
        return Err(OAuthError::invalid_request("The client authenticates by two methods at once."));
    }
    let (id, secret) = basic(received).ok_or_else(refused)?;
    if client_id.is_some_and(|other| other != id) {
        return Err(OAuthError::invalid_request("client_id and the Authorization header differ."));
    }
    judge(clients, Some(&id), Some(&secret))
}

fn judge(clients: &Clients, id: Option<&str>, secret: Option<&str>) -> Result<Arc<Client>, OAuthError> {
    let id = id.ok_or_else(|| OAuthError::new(ErrorCode::InvalidClient, "client_id is missing."))?;
    let client = clients.find(id).ok_or_else(refused)?;
    let accepted = match secret {
        Some(secret) => client.has_secret(secret),
        None => client.is_public(),
    };
    if accepted { Ok(client) } else { Err(refused()) }
}

fn refused() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, "The client is unknown or its authentication failed.")
}

/// Id and secret are form-encoded before they are joined and put into base64 (RFC 6749 §2.3.1).
fn basic(received: &Received) -> Option<(String, String)> {
    let decoded = STANDARD.decode(received.credentials("Basic")?).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    let text = |bytes: &[u8]| String::from_utf8(params::decode(bytes)).ok();
    Some((text(&decoded[..colon])?, text(&decoded[colon + 1..])?))
}

/// The client that an `Authorization` header names, whether or not it proves it.
pub(crate) fn basic_id(received: &Received) -> Option<String> {
    basic(received).map(|(id, _)| id)
}
