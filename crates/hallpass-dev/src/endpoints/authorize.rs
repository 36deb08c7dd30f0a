//! `/authorize` (RFC 6749 §3.1): judges the request, then hands it to the pages.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::consent;
use crate::endpoints::cookie::set_cookie;
use crate::endpoints::observe::ForClient;
use crate::oauth::authorization_request::{AuthorizationRequest, Refusal};
use crate::oauth::authorization_response::{redirect, with_error};
use crate::oauth::id_token::unix_now;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::received::Received;
use crate::pages;
use crate::state::asked::Asked;
use crate::state::{App, Memory};
use crate::user::SignedIn;

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    // A POST carries its parameters in the body (OpenID Connect Core §3.1.2.1).
    let params = received.form.as_ref().unwrap_or(&received.query);
    match AuthorizationRequest::parse(&app.config.clients, params) {
        Ok(request) => proceed(&app, &received, request),
        Err(Refusal::OnPage(why)) => pages::error::untrusted(&why),
        Err(Refusal::ToClient(back, error)) => with_error(&app.issuer, &back, &error),
    }
}

fn proceed(app: &App, received: &Received, request: AuthorizationRequest) -> Response {
    let memory = &mut *app.memory();
    let known = received.cookie(&app.cookie_name).filter(|cookie| memory.browsers.find(cookie).is_some());
    let signed_in = known.and_then(|cookie| memory.browsers.find(cookie)?.signed_in.clone());
    let signed_in = signed_in.filter(|session| is_recent_enough(session, &request));
    if request.prompt.none {
        return without_asking(app, memory, known, signed_in, request);
    }
    let cookie = known.map_or_else(|| memory.browsers.meet(), str::to_owned);
    let mut response = match signed_in {
        Some(session) if is_allowed_already(memory, &cookie, &request) => {
            consent::allow(app, memory, &request, session)
        }
        signed_in => suspend(memory, &cookie, request, signed_in.is_some()),
    };
    if known.is_none() {
        set_cookie(app, &mut response, &cookie);
    }
    response
}

/// `max_age` and `prompt=login` ask for a sign-in that is newer than the session's.
fn is_recent_enough(session: &SignedIn, request: &AuthorizationRequest) -> bool {
    let age = unix_now().saturating_sub(session.auth_time);
    !request.prompt.login && request.max_age.is_none_or(|max_age| age < max_age)
}

fn is_allowed_already(memory: &mut Memory, cookie: &str, request: &AuthorizationRequest) -> bool {
    let consented = memory.browsers.find(cookie).is_some_and(|browser| browser.has_consented(request));
    consented && !request.client.is_public() && !request.prompt.consent
}

/// `prompt=none` (OpenID Connect Core §3.1.2.6): an answer without any page.
fn without_asking(
    app: &App,
    memory: &mut Memory,
    cookie: Option<&str>,
    signed_in: Option<SignedIn>,
    request: AuthorizationRequest,
) -> Response {
    let refuse = |code, why: &str| with_error(&app.issuer, &request.return_to(), &OAuthError::new(code, why));
    let (Some(cookie), Some(session)) = (cookie, signed_in) else {
        return refuse(ErrorCode::LoginRequired, "Nobody is signed in, and prompt=none forbids to ask.");
    };
    if !is_allowed_already(memory, cookie, &request) {
        return refuse(
            ErrorCode::ConsentRequired,
            "The user has to allow this, and prompt=none forbids to ask.",
        );
    }
    consent::allow(app, memory, &request, session)
}

fn suspend(memory: &mut Memory, cookie: &str, request: AuthorizationRequest, signed_in: bool) -> Response {
    let client = request.client.id.clone();
    let Some(browser) = memory.browsers.find(cookie).map(|browser| browser.id) else {
        return pages::error::stale();
    };
    let needs_new_sign_in = !signed_in && (request.prompt.login || request.max_age.is_some());
    let name = memory.browsers.suspend(browser, Asked::AtRedirectUri(request), needs_new_sign_in);
    let page = if signed_in { "/consent" } else { "/login" };
    let mut response = redirect(&format!("{page}?request={name}"));
    response.extensions_mut().insert(ForClient(client));
    response
}
