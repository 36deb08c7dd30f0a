//! The steps that lead a request through the sign-in and consent pages.

use axum::response::Response;

use crate::endpoints::observe::log_client;
use crate::oauth::authorization_response::redirect;
use crate::oauth::http_request::HttpRequest;
use crate::pages::error::PageError;
use crate::state::browsers::{BrowserId, Browsers};
use crate::state::consent_request::ConsentRequest;
use crate::state::{App, Tables};

/// Keeps a request until the user has decided, and redirects to the sign-in page, or to the consent page if the user
/// is signed in.
pub(super) fn begin(tables: &mut Tables, browser: BrowserId, request: ConsentRequest) -> Response {
    let client_id = request.client().id.clone();
    let request_id = tables.browsers.suspend(browser, request);
    let page = match tables.browsers.session_for(browser, &request_id) {
        Some(_) => "/consent",
        None => "/login",
    };
    log_client(client_id, redirect(&format!("{page}?request={request_id}")))
}

/// Returns the browser that opened a page, and the ID of the request in the page's URL.
pub(super) fn resume<'a>(
    app: &App,
    browsers: &Browsers,
    http: &'a HttpRequest,
) -> Result<(BrowserId, &'a str), PageError> {
    let request_id = http.query.text("request").ok_or(PageError::Expired)?;
    let cookie = http.cookie(&app.cookie_name).ok_or(PageError::NoCookie)?;
    let browser = browsers.find(cookie).ok_or(PageError::Expired)?;
    Ok((browser, request_id))
}
