//! `GET /jwks`: the public keys (RFC 7517 §5, OpenID Connect Core §10.1.1).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.keys.jwks())
}
