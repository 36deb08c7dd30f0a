//! `POST /token` (RFC 6749 §3.2): exchanges codes, refresh tokens and device codes for tokens.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use crate::oauth::client_auth::ClientRequest;
use crate::oauth::http_request::HttpRequest;
use crate::oauth::id_token::IdToken;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::scope::Scope;
use crate::state::codes::{Redeemed, Redemption};
use crate::state::grants::{Grant, Tokens};
use crate::state::{App, Tables};

/// The grant type of a device (RFC 8628 §3.4).
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) async fn issue(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Json<Value>, OAuthError> {
    let request = ClientRequest::authenticate(&app.config.clients, &http)?;
    let issued = match request.required("grant_type")? {
        "authorization_code" => with_code(&app, &request)?,
        "refresh_token" => with_refresh_token(&app, &request)?,
        DEVICE_CODE => with_device_code(&app, &request)?,
        _ => {
            let description =
                format!("grant_type must be authorization_code, refresh_token or {DEVICE_CODE}.");
            return Err(OAuthError::new(ErrorCode::UnsupportedGrantType, description));
        }
    };
    token_response(&app, issued).await
}

/// The result of a token request, before the ID token is signed.
struct Issued {
    grant: Grant,
    scope: Scope,
    nonce: Option<String>,
    tokens: Tokens,
}

/// Redeems an authorization code (RFC 6749 §4.1.3). `redirect_uri` is optional, as in OAuth 2.1 §10.2, but must match
/// if it is sent.
fn with_code(app: &App, request: &ClientRequest<'_>) -> Result<Issued, OAuthError> {
    let Tables { codes, grants, .. } = &mut *app.tables();
    let redemption = Redemption {
        code: request.required("code")?,
        client_id: &request.client.id,
        redirect_uri: request.form.text("redirect_uri"),
        verifier: request.required("code_verifier")?,
    };
    let id = grants.reserve_id();
    let authorization = match codes.redeem(&redemption, id)? {
        Redeemed::First(authorization) => authorization,
        Redeemed::Again(earlier) => {
            grants.revoke(earlier);
            return Err(OAuthError::new(ErrorCode::InvalidGrant, "The code has already been used."));
        }
    };
    let grant = authorization.grant;
    grants.add(id, grant.clone());
    let tokens = grants.issue(id, &grant, &grant.scope, app.config.token_ttl);
    Ok(Issued { scope: grant.scope.clone(), grant, nonce: authorization.nonce, tokens })
}

/// Rotates a refresh token (RFC 6749 §6). A narrower scope applies to the access token only, not to the new refresh
/// token.
fn with_refresh_token(app: &App, request: &ClientRequest<'_>) -> Result<Issued, OAuthError> {
    let grants = &mut app.tables().grants;
    let token = request.required("refresh_token")?;
    let requested = request.form.text("scope");
    // Checked first, so that an invalid scope doesn't use up the token.
    if let Some(active) = grants.active_refresh_token(token) {
        active.scope.narrowed(requested)?;
    }
    let (id, grant) = grants.rotate(token, &request.client.id, app.config.refresh_reuse_grace)?;
    let scope = grant.scope.narrowed(requested)?;
    let tokens = grants.issue(id, &grant, &scope, app.config.token_ttl);
    Ok(Issued { grant, scope, nonce: None, tokens })
}

/// Redeems a device code (RFC 8628 §3.4).
fn with_device_code(app: &App, request: &ClientRequest<'_>) -> Result<Issued, OAuthError> {
    let Tables { devices, grants, .. } = &mut *app.tables();
    let device_code = request.required("device_code")?;
    let (session, scope) = devices.poll(device_code, &request.client.id, Instant::now())?;
    let grant = Grant { client_id: request.client.id.clone(), session, scope: scope.clone() };
    let id = grants.reserve_id();
    grants.add(id, grant.clone());
    let tokens = grants.issue(id, &grant, &scope, app.config.token_ttl);
    Ok(Issued { grant, scope, nonce: None, tokens })
}

/// Returns the response, with an ID token if the scope includes `openid` (RFC 6749 §5.1, OpenID Connect Core
/// §3.1.3.3).
async fn token_response(app: &App, issued: Issued) -> Result<Json<Value>, OAuthError> {
    let mut body = json!({
        "access_token": issued.tokens.access_token,
        "token_type": "Bearer",
        "expires_in": app.config.token_ttl.as_secs(),
        "scope": issued.scope.to_string(),
    });
    if let Some(refresh_token) = &issued.tokens.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    if issued.scope.contains("openid") {
        body["id_token"] = json!(id_token(app, &issued).await?);
    }
    Ok(Json(body))
}

async fn id_token(app: &App, issued: &Issued) -> Result<String, OAuthError> {
    let failed = || OAuthError::new(ErrorCode::ServerError, "The ID token could not be signed.");
    let session = &issued.grant.session;
    let profile =
        if app.config.profile_in_id_token { session.user.claims(&issued.scope) } else { Map::new() };
    let token = IdToken {
        issuer: &app.issuer,
        sub: &session.user.sub,
        client_id: &issued.grant.client_id,
        lifetime: app.config.token_ttl,
        auth_time: session.auth_time,
        nonce: issued.nonce.as_deref(),
        access_token: &issued.tokens.access_token,
        profile,
    };
    let key = app.keys.signing_key(app.config.signing_alg).await.ok_or_else(failed)?;
    token.sign(&key).ok_or_else(failed)
}
