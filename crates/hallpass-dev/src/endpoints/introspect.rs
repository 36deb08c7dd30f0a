//! `POST /introspect` (RFC 7662).
//!
//! RFC 7662 §2.1 requires client authentication, which a public client cannot do. Here public clients may use their
//! `client_id`, for their own tokens only. They learn no more than from `/userinfo`, and tests can see the state of a
//! token.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::oauth::client_auth::ClientRequest;
use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::OAuthError;
use crate::state::App;
use crate::state::grants::ActiveToken;

pub(super) async fn introspect(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Json<Value>, OAuthError> {
    let request = ClientRequest::authenticate(&app.config.clients, &http)?;
    let token = request.required("token")?;
    let grants = &app.tables().grants;
    let found = grants.active_access_token(token).or_else(|| grants.active_refresh_token(token));
    Ok(Json(match found {
        Some(token) if token.grant.client_id == request.client.id => active(&app.issuer, &token),
        _ => json!({ "active": false }),
    }))
}

/// Describes a token as in RFC 7662 §2.2.
fn active(issuer: &str, token: &ActiveToken<'_>) -> Value {
    let user = &token.grant.session.user;
    let mut response = json!({
        "active": true,
        "iss": issuer,
        "sub": user.sub,
        "username": user.email,
        "client_id": token.grant.client_id,
        "scope": token.scope.to_string(),
        "iat": token.issued_at,
    });
    if let Some(exp) = token.expires_at {
        response["exp"] = json!(exp);
        response["token_type"] = json!("Bearer");
    }
    response
}
