//! `POST /token` (RFC 6749 §3.2): codes, refresh tokens and device codes become tokens.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use crate::oauth::client_auth;
use crate::oauth::id_token::IdToken;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::params::Params;
use crate::oauth::received::Received;
use crate::oauth::scope::Scope;
use crate::state::App;
use crate::state::codes::{Redeemed, Redemption};
use crate::state::grants::{Grant, GrantId, Grants};

/// The grant type of RFC 8628 §3.4.
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) async fn issue(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    match answer(&app, &received).await {
        Ok(response) => response,
        Err(error) => error.into_json(),
    }
}

async fn answer(app: &App, received: &Received) -> Result<Response, OAuthError> {
    let client = client_auth::authenticate(&app.config.clients, received)?;
    let form = client_auth::form(received)?;
    let issued = match required(form, "grant_type")? {
        "authorization_code" => by_code(app, form, &client.id),
        "refresh_token" => by_refresh_token(app, form, &client.id),
        DEVICE_CODE => by_device_code(app, form, &client.id),
        _ => {
            let why = format!("The grant types are authorization_code, refresh_token and {DEVICE_CODE}.");
            Err(OAuthError::new(ErrorCode::UnsupportedGrantType, why))
        }
    }?;
    respond(app, issued).await
}

fn required<'a>(form: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    form.text(name).ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing.")))
}

/// What one token request yields, before the ID token is signed.
struct Issued {
    grant: Grant,
    scope: Scope,
    nonce: Option<String>,
    access_token: String,
    refresh_token: Option<String>,
}

/// RFC 6749 §4.1.3. `redirect_uri` may be left out, as in OAuth 2.1 §10.2; if it is there, it must match.
fn by_code(app: &App, form: &Params, client_id: &str) -> Result<Issued, OAuthError> {
    let memory = &mut *app.memory();
    let request = Redemption {
        code: required(form, "code")?,
        client_id,
        redirect_uri: form.text("redirect_uri"),
        verifier: required(form, "code_verifier")?,
    };
    let id = memory.grants.reserve();
    let authorization = match memory.codes.redeem(&request, id)? {
        Redeemed::First(authorization) => authorization,
        Redeemed::Again(earlier) => {
            memory.grants.revoke(earlier);
            return Err(OAuthError::new(ErrorCode::InvalidGrant, "The code was used before."));
        }
    };
    let (user, scope) = (authorization.user, authorization.scope);
    let grant = Grant { client_id: client_id.to_owned(), user, scope, auth_time: authorization.auth_time };
    memory.grants.open(id, grant.clone());
    let scope = grant.scope.clone();
    Ok(tokens(app, &mut memory.grants, id, grant, scope, authorization.nonce))
}

/// RFC 6749 §6. A narrower scope narrows the access token only: the new refresh token keeps it all.
fn by_refresh_token(app: &App, form: &Params, client_id: &str) -> Result<Issued, OAuthError> {
    let memory = &mut *app.memory();
    let token = required(form, "refresh_token")?;
    let wanted = form.text("scope");
    let allowed = |granted: &Scope| wanted.map_or(Some(granted.clone()), |list| granted.narrowed_to(list));
    // A scope that is refused must not cost the client its token.
    if memory.grants.refresh(token).is_some_and(|live| allowed(&live.grant.scope).is_none()) {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "The scope is wider than what was granted."));
    }
    let (id, grant) = memory.grants.rotate(token, client_id, app.config.refresh_reuse_grace)?;
    let scope = allowed(&grant.scope).unwrap_or_else(|| grant.scope.clone());
    Ok(tokens(app, &mut memory.grants, id, grant, scope, None))
}

/// RFC 8628 §3.4.
fn by_device_code(app: &App, form: &Params, client_id: &str) -> Result<Issued, OAuthError> {
    let memory = &mut *app.memory();
    let device_code = required(form, "device_code")?;
    let (session, scope) = memory.devices.poll(device_code, client_id, Instant::now())?;
    let (user, auth_time) = (session.user, session.auth_time);
    let grant = Grant { client_id: client_id.to_owned(), user, scope: scope.clone(), auth_time };
    let id = memory.grants.reserve();
    memory.grants.open(id, grant.clone());
    Ok(tokens(app, &mut memory.grants, id, grant, scope, None))
}

fn tokens(
    app: &App,
    grants: &mut Grants,
    id: GrantId,
    grant: Grant,
    scope: Scope,
    nonce: Option<String>,
) -> Issued {
    let access_token = grants.issue_access(id, scope.clone(), app.config.token_ttl);
    let refresh_token = grant.scope.contains("offline_access").then(|| grants.issue_refresh(id));
    Issued { grant, scope, nonce, access_token, refresh_token }
}

/// RFC 6749 §5.1, OpenID Connect Core §3.1.3.3.
async fn respond(app: &App, issued: Issued) -> Result<Response, OAuthError> {
    let id_token = if issued.scope.contains("openid") { Some(id_token(app, &issued).await?) } else { None };
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": app.config.token_ttl.as_secs(),
        "scope": issued.scope.to_string(),
    });
    if let Some(refresh_token) = issued.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    if let Some(id_token) = id_token {
        body["id_token"] = json!(id_token);
    }
    Ok(Json(body).into_response())
}

async fn id_token(app: &App, issued: &Issued) -> Result<String, OAuthError> {
    let failed = || OAuthError::new(ErrorCode::ServerError, "The ID token could not be signed.");
    let user = &issued.grant.user;
    let profile =
        if app.config.profile_in_id_token { user.claims(&issued.scope) } else { Default::default() };
    let token = IdToken {
        issuer: &app.issuer,
        sub: &user.sub,
        client_id: &issued.grant.client_id,
        lifetime: app.config.token_ttl,
        auth_time: issued.grant.auth_time,
        nonce: issued.nonce.as_deref(),
        access_token: &issued.access_token,
        profile,
    };
    let key = app.keys.signer(app.config.signing_alg).await.ok_or_else(failed)?;
    token.signed_by(&key).ok_or_else(failed)
}
