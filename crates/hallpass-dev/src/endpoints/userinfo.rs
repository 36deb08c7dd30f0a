//! `/userinfo` (OpenID Connect Core §5.3), with a Bearer token in the `Authorization` header (RFC 6750 §2.1).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::state::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Response {
    let Some(token) = http.credentials("Bearer") else {
        // Without a token the response has no error code (RFC 6750 §3.1).
        let challenge = HeaderValue::from_static("Bearer realm=\"hallpass-dev\"");
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    };
    match claims(&app, token) {
        Ok(claims) => Json(claims).into_response(),
        Err(error) => error.into_bearer_challenge(),
    }
}

fn claims(app: &App, token: &str) -> Result<Value, OAuthError> {
    let tables = app.tables();
    let Some(token) = tables.grants.active_access_token(token) else {
        let description = "The access token is unknown, expired or revoked.";
        return Err(OAuthError::new(ErrorCode::InvalidToken, description));
    };
    if !token.scope.contains("openid") {
        return Err(OAuthError::new(ErrorCode::InsufficientScope, "The scope openid is required."));
    }
    let user = &token.grant.session.user;
    let mut claims = user.claims(token.scope);
    claims.insert("sub".to_owned(), json!(user.sub));
    Ok(Value::Object(claims))
}
