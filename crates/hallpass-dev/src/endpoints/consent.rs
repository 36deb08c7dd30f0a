//! `/consent`: the consent page and its form.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::endpoints::form_post::FormPost;
use crate::endpoints::interaction;
use crate::endpoints::observe::log_client;
use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::authorization_response::{redirect, with_code, with_error};
use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::pages;
use crate::pages::error::PageError;
use crate::state::codes::Authorization;
use crate::state::consent_request::ConsentRequest;
use crate::state::grants::Grant;
use crate::state::{App, Tables};
use crate::user::SignedIn;

/// Shows the page, or redirects to the sign-in page if the user has to sign in first.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Response, PageError> {
    let browsers = &mut app.tables().browsers;
    let (browser, request_id) = interaction::resume(&app, browsers, &http)?;
    let csrf = browsers[browser].csrf.clone();
    let session = browsers.session_for(browser, request_id);
    let request = &browsers.pending(browser, request_id).ok_or(PageError::Expired)?.request;
    let page = match session {
        Some(session) => pages::consent::page(request, request_id, &csrf, &session.user),
        None => redirect(&format!("/login?request={request_id}")),
    };
    Ok(log_client(request.client().id.clone(), page))
}

/// Carries out the user's decision. Anything but `allow` denies the request.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Response, PageError> {
    let tables = &mut *app.tables();
    let post = FormPost::accept(&app, &tables.browsers, &http)?;
    let session = tables.browsers.session_for(post.browser, post.request_id).ok_or(PageError::Expired)?;
    let request = tables.browsers.finish(post.browser, post.request_id).ok_or(PageError::Expired)?;
    let client_id = request.client().id.clone();
    let response = match post.form.text("decision") {
        Some("allow") => allow(&app, tables, &post, &request, session),
        _ => deny(&app, tables, &request),
    };
    Ok(log_client(client_id, response))
}

/// Sends a code to the client, or lets the device have its tokens. Consent for devices is not remembered, so that the
/// user compares the code each time (RFC 8628 §5.4).
fn allow(
    app: &App,
    tables: &mut Tables,
    post: &FormPost<'_>,
    request: &ConsentRequest,
    session: SignedIn,
) -> Response {
    match request {
        ConsentRequest::Authorization(request) => {
            tables.browsers[post.browser].remember_consent(request);
            issue_code(app, tables, request, session)
        }
        ConsentRequest::Device(request) => {
            match tables.devices.allow(&request.user_code, session, Instant::now()) {
                Some(()) => redirect("/device/allowed"),
                None => PageError::Expired.into_response(),
            }
        }
    }
}

fn deny(app: &App, tables: &mut Tables, request: &ConsentRequest) -> Response {
    match request {
        ConsentRequest::Authorization(request) => {
            let error = OAuthError::new(ErrorCode::AccessDenied, "The user denied the request.");
            with_error(&app.issuer, &request.return_to, &error)
        }
        ConsentRequest::Device(request) => match tables.devices.deny(&request.user_code, Instant::now()) {
            Some(()) => redirect("/device/denied"),
            None => PageError::Expired.into_response(),
        },
    }
}

/// Issues a code and redirects to the client with it.
pub(super) fn issue_code(
    app: &App,
    tables: &mut Tables,
    request: &AuthorizationRequest,
    session: SignedIn,
) -> Response {
    let code = tables.codes.issue(Authorization {
        grant: Grant { client_id: request.client.id.clone(), session, scope: request.scope.clone() },
        redirect_uri: request.return_to.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
    });
    with_code(&app.issuer, &request.return_to, &code)
}
