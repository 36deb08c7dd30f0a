//! `/device`: the `verification_uri`, on which the user enters the code of a device (RFC 8628 §3.3).

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::cookie::set_cookie;
use crate::endpoints::form_post::FormPost;
use crate::endpoints::interaction;
use crate::oauth::authorization_response::redirect;
use crate::oauth::http_request::HttpRequest;
use crate::oauth::user_code::UserCode;
use crate::pages;
use crate::pages::error::PageError;
use crate::state::browsers::BrowserId;
use crate::state::consent_request::ConsentRequest;
use crate::state::guesses::{LIMIT_IN_TOTAL, LIMIT_PER_BROWSER};
use crate::state::{App, Tables};

/// Asks for the code, or shows the code in the URL for comparison.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Response {
    let tables = &mut *app.tables();
    let (browser, new_cookie) = tables.browsers.find_or_add(http.cookie(&app.cookie_name));
    let mut response = page(tables, browser, http.query.text("user_code"));
    if let Some(cookie) = new_cookie {
        set_cookie(&app, &mut response, &cookie);
    }
    response
}

/// Returns the page to show. A code in the URL is not looked up, because anyone can make such a link, and opening it
/// must not count as a guess.
fn page(tables: &mut Tables, browser: BrowserId, code_in_url: Option<&str>) -> Response {
    if is_locked(tables, browser) {
        return pages::device::too_many_guesses();
    }
    let browser = &mut tables.browsers[browser];
    let wrong_code = browser.wrong_code.take();
    match code_in_url.and_then(UserCode::parse) {
        Some(user_code) if wrong_code.is_none() => pages::device::compare(&browser.csrf, &user_code),
        _ => pages::device::enter(&browser.csrf, wrong_code.as_deref()),
    }
}

fn is_locked(tables: &Tables, browser: BrowserId) -> bool {
    let now = Instant::now();
    tables.browsers[browser].guesses.have_reached(LIMIT_PER_BROWSER, now)
        || tables.devices.guesses.have_reached(LIMIT_IN_TOTAL, now)
}

/// Looks up the code and redirects to the sign-in or consent page, or back to this page if the code is wrong.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(http): Extension<Arc<HttpRequest>>,
) -> Result<Response, PageError> {
    let tables = &mut *app.tables();
    let post = FormPost::accept(&app, &tables.browsers, &http)?;
    if is_locked(tables, post.browser) {
        return Ok(redirect("/device"));
    }
    let now = Instant::now();
    let typed = post.form.text("user_code").unwrap_or_default();
    let user_code = UserCode::parse(typed);
    if let Some(code) = &user_code
        && let Some(request) = tables.devices.pending(code, now).cloned()
    {
        return Ok(interaction::begin(tables, post.browser, ConsentRequest::Device(request)));
    }
    let browser = &mut tables.browsers[post.browser];
    browser.wrong_code = Some(typed.to_owned());
    // A typo that cannot be a code doesn't count as a guess.
    if user_code.is_some() {
        browser.guesses.record(now);
        tables.devices.guesses.record(now);
    }
    Ok(redirect("/device"))
}

pub(super) async fn allowed() -> Response {
    pages::device::allowed()
}

pub(super) async fn denied() -> Response {
    pages::device::denied()
}
