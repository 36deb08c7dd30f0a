//! The endpoints, one file each, and the steps that they share.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::pages::error::PageError;
use crate::state::App;

mod authorize;
mod consent;
mod cookie;
mod device;
mod device_authorization;
mod form_post;
mod home;
mod interaction;
mod introspect;
mod jwks;
mod login;
mod metadata;
mod observe;
mod revoke;
mod token;
mod userinfo;

use observe::observe;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/jwks", get(jwks::show))
        .route("/authorize", get(authorize::authorize).post(authorize::authorize))
        .route("/login", get(login::show).post(login::submit))
        .route("/consent", get(consent::show).post(consent::submit))
        .route("/device", get(device::show).post(device::submit))
        .route("/device/allowed", get(device::allowed))
        .route("/device/denied", get(device::denied))
        .route("/device_authorization", post(device_authorization::begin))
        .route("/token", post(token::issue))
        .route("/userinfo", get(userinfo::show).post(userinfo::show))
        .route("/revoke", post(revoke::revoke))
        .route("/introspect", post(introspect::introspect))
        .fallback(async || PageError::NotFound)
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}
