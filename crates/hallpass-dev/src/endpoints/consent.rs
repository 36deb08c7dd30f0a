//! `/consent`: the consent page, its form, and the answer to whoever asked.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::device;
use crate::endpoints::form_post::FormPost;
use crate::endpoints::observe::ForClient;
use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::authorization_response::{redirect, with_code, with_error};
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::received::Received;
use crate::pages;
use crate::state::asked::Asked;
use crate::state::browsers::Browsers;
use crate::state::codes::Authorization;
use crate::state::{App, Memory};
use crate::user::SignedIn;

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
        Some(session) => pages::consent::page(&pending.asked, name, &csrf, &session.user),
        None => redirect(&format!("/login?request={name}")),
    };
    response.extensions_mut().insert(ForClient(pending.asked.client().id.clone()));
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
    let Some((asked, session)) = take(&mut memory.browsers, &post) else { return pages::error::stale() };
    let mut response = match post.form.text("decision") {
        Some("allow") => allowed(&app, memory, &post, &asked, session),
        _ => denied(&app, memory, &asked),
    };
    response.extensions_mut().insert(ForClient(asked.client().id.clone()));
    response
}

/// The request that a form answers, taken out so that it is answered once, and who answers it.
fn take(browsers: &mut Browsers, post: &FormPost<'_>) -> Option<(Asked, SignedIn)> {
    let session = browsers.find(post.cookie)?.signed_in.clone()?;
    browsers.pending(post.browser, post.request()).filter(|pending| !pending.needs_new_sign_in)?;
    Some((browsers.finish(post.browser, post.request())?.asked, session))
}

/// A device is asked about each time, so consent for it is not remembered (RFC 8628 §5.4).
fn allowed(
    app: &App,
    memory: &mut Memory,
    post: &FormPost<'_>,
    asked: &Asked,
    session: SignedIn,
) -> Response {
    match asked {
        Asked::AtRedirectUri(request) => {
            if let Some(browser) = memory.browsers.find(post.cookie) {
                browser.remember_consent(request);
            }
            allow(app, memory, request, session)
        }
        Asked::OnDevice(request) => device::allow(memory, request, session),
    }
}

fn denied(app: &App, memory: &mut Memory, asked: &Asked) -> Response {
    let error = OAuthError::new(ErrorCode::AccessDenied, "The user did not allow it.");
    match asked {
        Asked::AtRedirectUri(request) => with_error(&app.issuer, &request.return_to(), &error),
        Asked::OnDevice(request) => device::deny(memory, request),
    }
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
