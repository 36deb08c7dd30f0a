//! `POST /revoke` (RFC 7009).

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::oauth::client_auth;
use crate::oauth::oauth_error::OAuthError;
use crate::oauth::received::Received;
use crate::state::App;

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    match revoked(&app, &received) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_json(),
    }
}

/// `token_type_hint` is not needed to find a token, so it is not looked at (RFC 7009 §2.1).
fn revoked(app: &App, received: &Received) -> Result<(), OAuthError> {
    let client = client_auth::authenticate(&app.config.clients, received)?;
    let token = client_auth::form(received)?.text("token");
    let token = token.ok_or_else(|| OAuthError::invalid_request("token is missing."))?;
    app.memory().grants.revoke_token(token, &client.id)
}
