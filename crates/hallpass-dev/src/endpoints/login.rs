//! `/login`: the sign-in page and its form.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::cookie::set_cookie;
use crate::endpoints::form_post::FormPost;
use crate::endpoints::interaction;
use crate::endpoints::observe::log_client;
use crate::oauth::authorization_response::redirect;
use crate::oauth::http_request::HttpRequest;
use crate::pages;
use crate::pages::error::PageError;
use crate::state::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Response, PageError> {
    let browsers = &mut app.tables().browsers;
    let (browser, request_id) = interaction::resume(&app, browsers, &http)?;
    let csrf = browsers[browser].csrf.clone();
    let pending = browsers.pending(browser, request_id).ok_or(PageError::Expired)?;
    let failed_email = pending.failed_email.take();
    let page = pages::sign_in::page(&app, &pending.request, request_id, &csrf, failed_email.as_deref());
    Ok(log_client(pending.request.client().id.clone(), page))
}

/// Checks the password. Either way it redirects to a page, so that a reload never sends the password again.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Response, PageError> {
    let tables = &mut *app.tables();
    let post = FormPost::accept(&app, &tables.browsers, &http)?;
    let pending = tables.browsers.pending(post.browser, post.request_id).ok_or(PageError::Expired)?;
    let client_id = pending.request.client().id.clone();
    let email = post.form.text("email").unwrap_or_default();
    let password = post.form.text("password").unwrap_or_default();
    let Some(user) = app.config.user(email, password) else {
        pending.failed_email = Some(email.to_owned());
        return Ok(log_client(client_id, redirect(&format!("/login?request={}", post.request_id))));
    };
    pending.failed_email = None;
    pending.needs_new_sign_in = false;
    let mut response = redirect(&format!("/consent?request={}", post.request_id));
    set_cookie(&app, &mut response, &tables.browsers.sign_in(post.browser, user));
    Ok(log_client(client_id, response))
}
