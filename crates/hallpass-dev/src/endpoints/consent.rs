//! `/consent`: the consent page, its form, and the authorization response.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::app::{App, Memory};
use crate::authorization_request::AuthorizationRequest;
use crate::authorization_response::{redirect, with_code, with_error};
use crate::browsers::{Browsers, Pending, SignedIn};
use crate::codes::Authorization;
use crate::endpoints::form_post::FormPost;
use crate::oauth_error::{ErrorCode, OAuthError};
use crate::observe::ForClient;
use crate::pages;
use crate::received::Received;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let browsers = &mut app.memory().browsers;
    let Some(name) = received.query.text("request") else { return pages::error::stale() };
    let Some(cookie) = received.cookie(&app.cookie_name) else { return pages::error::no_cookie() };
    page(browsers, cookie, name).unwrap_or_else(pages::error::stale)
}

fn page(browsers: &mut Browsers, cookie: &str, name: &str) -> Option<Response> {
    let browser = browsers.find(cookie)?;
    let (id, csrf, signed_in) = (browser.id, browser.csrf().to_owned(), browser.signed_in.clone());
    let pending = browsers.pending(id, name)?;
    let mut response = match signed_in.filter(|_| !pending.needs_new_sign_in) {
        Some(session) => pages::consent::page(&pending.request, name, &csrf, &session.user),
        None => redirect(&format!("/login?request={name}")),
    };
    response.extensions_mut().insert(ForClient(pending.request.client.id.clone()));
    Some(response)
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let memory = &mut *app.memory();
    let post = match FormPost::accept(&app, memory, &received) {
        Ok(post) => post,
        Err(refused) => return refused.page(),
    };
    let decision = post.form.text("decision");
    let signed_in = memory.browsers.find(post.cookie).and_then(|browser| browser.signed_in.clone());
    let waiting = memory.browsers.pending(post.browser, post.request).is_some_and(|p| !p.needs_new_sign_in);
    let (true, Some(session)) = (waiting, signed_in) else { return pages::error::stale() };
    let Some(Pending { request, .. }) = memory.browsers.finish(post.browser, post.request) else {
        return pages::error::stale();
    };
    if decision != Some("allow") {
        return deny(&app, &request);
    }
    if let Some(browser) = memory.browsers.find(post.cookie) {
        browser.remember_consent(&request);
    }
    allow(&app, memory, &request, session)
}

fn deny(app: &App, request: &AuthorizationRequest) -> Response {
    let error = OAuthError::new(ErrorCode::AccessDenied, "The user did not allow it.");
    let mut response = with_error(&app.issuer, &request.return_to(), &error);
    response.extensions_mut().insert(ForClient(request.client.id.clone()));
    response
}

/// Issues the code and sends the user back with it.
pub(super) fn allow(
    app: &App,
    memory: &mut Memory,
    request: &AuthorizationRequest,
    session: SignedIn,
) -> Response {
    let code = memory.codes.issue(Authorization {
        client_id: request.client.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        scope: request.scope.clone(),
        nonce: request.nonce.clone(),
        user: session.user,
        auth_time: session.auth_time,
    });
    let mut response = with_code(&app.issuer, &request.return_to(), &code);
    response.extensions_mut().insert(ForClient(request.client.id.clone()));
    response
}
