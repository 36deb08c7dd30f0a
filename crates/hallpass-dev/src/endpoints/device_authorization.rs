//! `POST /device_authorization` (RFC 8628 §3.1, §3.2).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::oauth::client_auth::ClientRequest;
use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::OAuthError;
use crate::oauth::scope::Scope;
use crate::state::App;

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Json<Value>, OAuthError> {
    let request = ClientRequest::authenticate(&app.config.clients, &http)?;
    let scope = Scope::requested(request.form.text("scope"))?;
    let polling = app.config.device_polling;
    let codes = app.tables().devices.begin(request.client, scope, polling, Instant::now());
    let (verification_uri, user_code) = (format!("{}/device", app.issuer), codes.user_code.to_string());
    Ok(Json(json!({
        "device_code": codes.device_code,
        "user_code": user_code,
        "verification_uri": verification_uri,
        "verification_uri_complete": format!("{verification_uri}?user_code={user_code}"),
        "expires_in": polling.lifetime.as_secs(),
        "interval": polling.interval.as_secs(),
    })))
}
