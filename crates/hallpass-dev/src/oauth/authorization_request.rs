//! The authorization request, parsed and judged (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).

use std::sync::Arc;

use crate::oauth::client::{Client, Clients};
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::params::Params;
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::scope::Scope;

/// A request that may go on to the user.
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<Vec<u8>>,
    pub(crate) scope: Scope,
    pub(crate) challenge: CodeChallenge,
    pub(crate) nonce: Option<String>,
    pub(crate) login_hint: Option<String>,
    pub(crate) prompt: Prompt,
    /// Seconds since the last sign-in that the client still accepts.
    pub(crate) max_age: Option<u64>,
}

/// OpenID Connect Core §3.1.2.1, `prompt`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) none: bool,
    pub(crate) login: bool,
    pub(crate) consent: bool,
}

/// How a refused request is answered.
pub(crate) enum Refusal {
    /// Nobody trustworthy to send the user back to: a page (RFC 6749 §4.1.2.1).
    OnPage(Untrusted),
    /// To the client, which is known and owns the redirect URI.
    ToClient(ReturnTo, OAuthError),
}

/// Why the user cannot be sent back.
pub(crate) enum Untrusted {
    Doubled(&'static str),
    NoClientId,
    UnknownClient(String),
    NoRedirectUri(Arc<Client>),
    WrongRedirectUri(Arc<Client>, String),
}

/// Where an authorization response goes.
#[derive(Clone)]
pub(crate) struct ReturnTo {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<Vec<u8>>,
}

impl AuthorizationRequest {
    pub(crate) fn parse(clients: &Clients, params: &Params) -> Result<AuthorizationRequest, Refusal> {
        let (client, redirect_uri) = trusted_origin(clients, params).map_err(Refusal::OnPage)?;
        // Of two states neither can be called the client's.
        let state = params.bytes("state").filter(|_| !params.is_doubled("state")).map(<[u8]>::to_vec);
        let back = ReturnTo { redirect_uri, state };
        judge(params, client, &back).map_err(|error| Refusal::ToClient(back, error))
    }

    pub(crate) fn return_to(&self) -> ReturnTo {
        ReturnTo { redirect_uri: self.redirect_uri.clone(), state: self.state.clone() }
    }
}

/// The client and its redirect URI come first: until both are known to belong together, an error
/// must not be sent anywhere.
fn trusted_origin(clients: &Clients, params: &Params) -> Result<(Arc<Client>, String), Untrusted> {
    for name in ["client_id", "redirect_uri"] {
        if params.is_doubled(name) {
            return Err(Untrusted::Doubled(name));
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

fn judge(params: &Params, client: Arc<Client>, back: &ReturnTo) -> Result<AuthorizationRequest, OAuthError> {
    if let Some(name) = params.doubled() {
        return Err(OAuthError::doubled(name));
    }
    refuse_unsupported(params)?;
    Ok(AuthorizationRequest {
        client,
        redirect_uri: back.redirect_uri.clone(),
        state: back.state.clone(),
        scope: Scope::requested(params.text("scope"))?,
        challenge: challenge(params)?,
        nonce: params.text("nonce").map(str::to_owned),
        login_hint: params.text("login_hint").map(str::to_owned),
        prompt: prompt(params)?,
        max_age: max_age(params)?,
    })
}

fn refuse_unsupported(params: &Params) -> Result<(), OAuthError> {
    if params.bytes("request").is_some() {
        return Err(OAuthError::new(ErrorCode::RequestNotSupported, "Request objects are not supported."));
    }
    if params.bytes("request_uri").is_some() {
        return Err(OAuthError::new(ErrorCode::RequestUriNotSupported, "request_uri is not supported."));
    }
    match params.text("response_type") {
        Some("code") => {}
        None => return Err(OAuthError::invalid_request("response_type is missing.")),
        Some(_) => {
            let why = "The only response_type is code.";
            return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, why));
        }
    }
    match params.text("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::invalid_request("The only response_mode is query.")),
    }
}

/// PKCE with S256, from every client (OAuth 2.1 §4.1.1, §7.5).
fn challenge(params: &Params) -> Result<CodeChallenge, OAuthError> {
    let text = params
        .text("code_challenge")
        .ok_or_else(|| OAuthError::invalid_request("code_challenge is missing: PKCE is required."))?;
    if params.text("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256."));
    }
    CodeChallenge::parse(text)
        .ok_or_else(|| OAuthError::invalid_request("code_challenge is not the base64url of a SHA-256."))
}

fn prompt(params: &Params) -> Result<Prompt, OAuthError> {
    let mut prompt = Prompt::default();
    for value in params.text("prompt").unwrap_or_default().split(' ').filter(|v| !v.is_empty()) {
        match value {
            "none" => prompt.none = true,
            // Both end at the sign-in page, which is also where an account is chosen.
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(OAuthError::invalid_request("prompt has an unknown value.")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(OAuthError::invalid_request("prompt=none excludes the other values."));
    }
    Ok(prompt)
}

fn max_age(params: &Params) -> Result<Option<u64>, OAuthError> {
    let parse = |text: &str| text.parse().map_err(|_| OAuthError::invalid_request("max_age is no number."));
    params.text("max_age").map(parse).transpose()
}
