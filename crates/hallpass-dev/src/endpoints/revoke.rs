//! `POST /revoke` (RFC 7009).

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use crate::oauth::client_auth::ClientRequest;
use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::OAuthError;
use crate::state::App;

/// Revokes a token. `token_type_hint` is ignored, as the token is found without it (RFC 7009 §2.1).
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<StatusCode, OAuthError> {
    let request = ClientRequest::authenticate(&app.config.clients, &http)?;
    let token = request.required("token")?;
    app.tables().grants.revoke_token(token, &request.client.id)?;
    Ok(StatusCode::OK)
}
