//! `/authorize` (RFC 6749 §3.1): checks a request and sends the user to the sign-in and consent pages.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::endpoints::consent::issue_code;
use crate::endpoints::cookie::set_cookie;
use crate::endpoints::interaction;
use crate::oauth::authorization_request::{AuthorizationRequest, InvalidRequest};
use crate::oauth::authorization_response::with_error;
use crate::oauth::http_request::HttpRequest;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::pages::error::PageError;
use crate::state::App;
use crate::state::browsers::Browser;
use crate::state::consent_request::ConsentRequest;
use crate::user::SignedIn;

pub(super) async fn authorize(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Response {
    // A POST has its parameters in the body (OpenID Connect Core §3.1.2.1).
    let params = http.form.as_ref().unwrap_or(&http.query);
    let cookie = http.cookie(&app.cookie_name);
    match AuthorizationRequest::parse(&app.config.clients, params) {
        Ok(request) if request.prompt.none => respond_silently(&app, cookie, &request),
        Ok(request) => ask_user(&app, cookie, request),
        Err(InvalidRequest::Page(reason)) => PageError::Untrusted(reason).into_response(),
        Err(InvalidRequest::Redirect(return_to, error)) => with_error(&app.issuer, &return_to, &error),
    }
}

/// Responds to `prompt=none` without showing a page (OpenID Connect Core §3.1.2.6).
fn respond_silently(app: &App, cookie: Option<&str>, request: &AuthorizationRequest) -> Response {
    let tables = &mut *app.tables();
    let browser = cookie.and_then(|cookie| tables.browsers.find(cookie));
    match consented_session(browser.map(|browser| &tables.browsers[browser]), request) {
        Ok(session) => issue_code(app, tables, request, session),
        Err(error) => with_error(&app.issuer, &request.return_to, &error),
    }
}

fn ask_user(app: &App, cookie: Option<&str>, request: AuthorizationRequest) -> Response {
    let tables = &mut *app.tables();
    let (browser, new_cookie) = tables.browsers.find_or_add(cookie);
    let mut response = match consented_session(Some(&tables.browsers[browser]), &request) {
        Ok(session) => issue_code(app, tables, &request, session),
        Err(_) => interaction::begin(tables, browser, ConsentRequest::Authorization(request)),
    };
    if let Some(cookie) = new_cookie {
        set_cookie(app, &mut response, &cookie);
    }
    response
}

/// Returns the signed-in user, if there is no need to ask for a sign-in or consent.
///
/// Consent is remembered for confidential clients only, because any program can claim to be a public one (RFC 8252
/// §8.6).
///
/// # Errors
///
/// `login_required` or `consent_required`, for `prompt=none`.
fn consented_session(
    browser: Option<&Browser>,
    request: &AuthorizationRequest,
) -> Result<SignedIn, OAuthError> {
    if let Some(browser) = browser
        && let Some(session) = &browser.signed_in
        && request.accepts_sign_in(session.auth_time)
    {
        if request.client.is_public() || request.prompt.consent || !browser.has_consented(request) {
            let description = "The user must consent, and prompt=none allows no page.";
            return Err(OAuthError::new(ErrorCode::ConsentRequired, description));
        }
        return Ok(session.clone());
    }
    let description = "The user must sign in, and prompt=none allows no page.";
    Err(OAuthError::new(ErrorCode::LoginRequired, description))
}
