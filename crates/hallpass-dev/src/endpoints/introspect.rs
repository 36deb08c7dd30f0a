//! `POST /introspect` (RFC 7662).
//!
//! RFC 7662 §2.1 wants the caller authenticated, and a public client cannot be. It may still ask
//! here, by its `client_id`, and about its own tokens only: whoever holds a token learns nothing
//! by it that `/userinfo` would not say, and tests can see what the server thinks of a token.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::oauth::client_auth;
use crate::oauth::oauth_error::OAuthError;
use crate::oauth::received::Received;
use crate::state::App;
use crate::state::grants::{Grants, Live};

pub(super) async fn introspect(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    match judged(&app, &received) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_json(),
    }
}

fn judged(app: &App, received: &Received) -> Result<Value, OAuthError> {
    let client = client_auth::authenticate(&app.config.clients, received)?;
    let token = client_auth::form(received)?.text("token");
    let token = token.ok_or_else(|| OAuthError::invalid_request("token is missing."))?;
    let memory = app.memory();
    let live = find(&memory.grants, token).filter(|live| live.grant.client_id == client.id);
    Ok(live.map_or_else(|| json!({ "active": false }), |live| describe(&app.issuer, &live)))
}

fn find<'a>(grants: &'a Grants, token: &str) -> Option<Live<'a>> {
    grants.access(token).or_else(|| grants.refresh(token))
}

/// RFC 7662 §2.2.
fn describe(issuer: &str, live: &Live<'_>) -> Value {
    let mut answer = json!({
        "active": true,
        "iss": issuer,
        "sub": live.grant.user.sub,
        "username": live.grant.user.email,
        "client_id": live.grant.client_id,
        "scope": live.scope.to_string(),
        "iat": live.issued_at,
    });
    if let Some(exp) = live.expires_at {
        answer["exp"] = json!(exp);
        answer["token_type"] = json!("Bearer");
    }
    answer
}
