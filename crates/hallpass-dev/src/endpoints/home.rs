//! `GET /`: the home page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::pages;
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    pages::home::page(&app)
}
