//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).

use std::sync::Arc;

use crate::oauth::client::{Client, Clients};
use crate::oauth::clock::unix_now;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::params::Params;
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::scope::Scope;

/// A valid authorization request.
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) return_to: ReturnTo,
    pub(crate) scope: Scope,
    pub(crate) challenge: CodeChallenge,
    pub(crate) nonce: Option<String>,
    pub(crate) login_hint: Option<String>,
    pub(crate) prompt: Prompt,
    /// The number of seconds that the last sign-in may be ago.
    pub(crate) max_age: Option<u64>,
}

/// The client's redirect URI, and the `state` to return with the response.
#[derive(Clone)]
pub(crate) struct ReturnTo {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<Vec<u8>>,
}

/// The values of `prompt` (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) none: bool,
    pub(crate) login: bool,
    pub(crate) consent: bool,
}

/// An invalid authorization request, and the way to report it (RFC 6749 §4.1.2.1).
pub(crate) enum InvalidRequest {
    /// On an error page, because the redirect URI cannot be trusted.
    Page(Untrusted),
    /// In an error response to the client.
    Redirect(ReturnTo, OAuthError),
}

/// The reason why a redirect URI cannot be trusted.
pub(crate) enum Untrusted {
    Repeated(&'static str),
    NoClientId,
    UnknownClient(String),
    NoRedirectUri(Arc<Client>),
    WrongRedirectUri(Arc<Client>, String),
}

impl AuthorizationRequest {
    pub(crate) fn parse(clients: &Clients, params: &Params) -> Result<AuthorizationRequest, InvalidRequest> {
        let (client, redirect_uri) = redirect_target(clients, params).map_err(InvalidRequest::Page)?;
        // A repeated state is dropped: the server cannot tell which one the client expects.
        let state = params.bytes("state").filter(|_| !params.is_repeated("state")).map(<[u8]>::to_vec);
        let return_to = ReturnTo { redirect_uri, state };
        validate(params, client, return_to.clone())
            .map_err(|error| InvalidRequest::Redirect(return_to, error))
    }

    /// Returns whether a sign-in at `auth_time` is recent enough for `prompt=login` and `max_age`.
    pub(crate) fn accepts_sign_in(&self, auth_time: u64) -> bool {
        let age = unix_now().saturating_sub(auth_time);
        let is_too_old = matches!(self.max_age, Some(max_age) if age >= max_age);
        !self.prompt.login && !is_too_old
    }
}

/// Returns the client and its redirect URI. Until both are known to belong together, no error may be sent to the URI.
fn redirect_target(clients: &Clients, params: &Params) -> Result<(Arc<Client>, String), Untrusted> {
    for name in ["client_id", "redirect_uri"] {
        if params.is_repeated(name) {
            return Err(Untrusted::Repeated(name));
        }
    }
    let id = params.text("client_id").ok_or(Untrusted::NoClientId)?;
    let client = clients.find(id).ok_or_else(|| Untrusted::UnknownClient(id.to_owned()))?;
    let uri = params.text("redirect_uri").ok_or_else(|| Untrusted::NoRedirectUri(client.clone()))?;
    if !client.may_redirect_to(uri) {
        return Err(Untrusted::WrongRedirectUri(client, uri.to_owned()));
    }
    Ok((client, uri.to_owned()))
}

fn validate(
    params: &Params,
    client: Arc<Client>,
    return_to: ReturnTo,
) -> Result<AuthorizationRequest, OAuthError> {
    if let Some(name) = params.repeated() {
        return Err(OAuthError::repeated(name));
    }
    reject_unsupported(params)?;
    Ok(AuthorizationRequest {
        client,
        return_to,
        scope: Scope::requested(params.text("scope"))?,
        challenge: code_challenge(params)?,
        nonce: params.text("nonce").map(str::to_owned),
        login_hint: params.text("login_hint").map(str::to_owned),
        prompt: prompt(params)?,
        max_age: max_age(params)?,
    })
}

fn reject_unsupported(params: &Params) -> Result<(), OAuthError> {
    if params.bytes("request").is_some() {
        return Err(OAuthError::new(ErrorCode::RequestNotSupported, "request is not supported."));
    }
    if params.bytes("request_uri").is_some() {
        return Err(OAuthError::new(ErrorCode::RequestUriNotSupported, "request_uri is not supported."));
    }
    match params.text("response_type") {
        Some("code") => {}
        None => return Err(OAuthError::missing("response_type")),
        Some(_) => {
            let description = "response_type must be code.";
            return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, description));
        }
    }
    match params.text("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::invalid_request("response_mode must be query.")),
    }
}

/// Requires PKCE with S256 from every client (OAuth 2.1 §4.1.1, §7.5).
fn code_challenge(params: &Params) -> Result<CodeChallenge, OAuthError> {
    let Some(challenge) = params.text("code_challenge") else {
        return Err(OAuthError::invalid_request("code_challenge is missing. PKCE is required."));
    };
    if params.text("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256."));
    }
    CodeChallenge::parse(challenge)
        .ok_or_else(|| OAuthError::invalid_request("code_challenge must be a SHA-256 hash in base64url."))
}

fn prompt(params: &Params) -> Result<Prompt, OAuthError> {
    let mut prompt = Prompt::default();
    for value in params.text("prompt").unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
        match value {
            "none" => prompt.none = true,
            // The account is selected on the sign-in page.
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(OAuthError::invalid_request("prompt has an unknown value.")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(OAuthError::invalid_request("prompt=none cannot be combined with other values."));
    }
    Ok(prompt)
}

fn max_age(params: &Params) -> Result<Option<u64>, OAuthError> {
    match params.text("max_age").map(str::parse) {
        None => Ok(None),
        Some(Ok(seconds)) => Ok(Some(seconds)),
        Some(Err(_)) => Err(OAuthError::invalid_request("max_age must be a number of seconds.")),
    }
}
