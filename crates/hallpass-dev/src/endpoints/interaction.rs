//! The way of a request through the sign-in and consent pages.

use axum::response::Response;

use crate::endpoints::observe::log_client;
use crate::oauth::authorization_response::redirect;
use crate::oauth::http_request::HttpRequest;
use crate::pages::error::PageError;
use crate::state::browsers::{BrowserId, Browsers};
use crate::state::consent_request::ConsentRequest;
use crate::state::{App, Memory};

/// Keeps a request until the user has decided, and redirects to the first page that is needed.
pub(super) fn begin(memory: &mut Memory, browser: BrowserId, request: ConsentRequest) -> Response {
    let client_id = request.client().id.clone();
    let name = memory.browsers.suspend(browser, request);
    let page = match memory.browsers.session_for(browser, &name) {
        Some(_) => "/consent",
        None => "/login",
    };
    log_client(client_id, redirect(&format!("{page}?request={name}")))
}

/// Returns the browser that opened a page, and the name of the request that the page is for.
pub(super) fn resume<'a>(
    app: &App,
    browsers: &Browsers,
    http: &'a HttpRequest,
) -> Result<(BrowserId, &'a str), PageError> {
    let name = http.query.text("request").ok_or(PageError::Expired)?;
    let cookie = http.cookie(&app.cookie_name).ok_or(PageError::NoCookie)?;
    let browser = browsers.find(cookie).ok_or(PageError::Expired)?;
    Ok((browser, name))
}
