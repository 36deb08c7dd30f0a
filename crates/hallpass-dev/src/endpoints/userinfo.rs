//! `/userinfo` (OpenID Connect Core §5.3): the claims, for a Bearer token in the header (RFC 6750 §2.1).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::received::Received;
use crate::state::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let Some(token) = received.credentials("Bearer") else { return unauthenticated() };
    match claims(&app, token) {
        Ok(claims) => Json(claims).into_response(),
        Err(error) => error.into_bearer_challenge(),
    }
}

fn claims(app: &App, token: &str) -> Result<Value, OAuthError> {
    let memory = app.memory();
    let refused =
        || OAuthError::new(ErrorCode::InvalidToken, "The access token is unknown, expired or revoked.");
    let live = memory.grants.access(token).ok_or_else(refused)?;
    if !live.scope.contains("openid") {
        return Err(OAuthError::new(ErrorCode::InsufficientScope, "The scope openid is needed."));
    }
    let mut claims = live.grant.user.claims(live.scope);
    claims.insert("sub".to_owned(), json!(live.grant.user.sub));
    Ok(Value::Object(claims))
}

/// A request that brings no token is told the scheme and no error code (RFC 6750 §3.1).
fn unauthenticated() -> Response {
    let challenge = HeaderValue::from_static("Bearer realm=\"hallpass-dev\"");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}
