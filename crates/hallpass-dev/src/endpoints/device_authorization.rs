//! `POST /device_authorization` (RFC 8628 §3.1, §3.2).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::oauth::client_auth;
use crate::oauth::oauth_error::OAuthError;
use crate::oauth::received::Received;
use crate::oauth::scope::Scope;
use crate::state::App;
use crate::state::devices::CodePair;

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    match begun(&app, &received) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_json(),
    }
}

fn begun(app: &App, received: &Received) -> Result<Value, OAuthError> {
    let client = client_auth::authenticate(&app.config.clients, received)?;
    let scope = Scope::requested(client_auth::form(received)?.text("scope"))?;
    let codes = app.memory().devices.begin(client, scope, app.config.device_polling, Instant::now());
    Ok(describe(app, &codes))
}

fn describe(app: &App, codes: &CodePair) -> Value {
    let (verification_uri, user_code) = (format!("{}/device", app.issuer), codes.user_code.to_string());
    json!({
        "device_code": codes.device_code,
        "user_code": user_code,
        "verification_uri": verification_uri,
        "verification_uri_complete": format!("{verification_uri}?user_code={user_code}"),
        "expires_in": app.config.device_polling.lifetime.as_secs(),
        "interval": app.config.device_polling.interval.as_secs(),
    })
}
