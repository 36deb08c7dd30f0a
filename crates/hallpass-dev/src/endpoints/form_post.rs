//! Form posts from the pages of this server.

use crate::oauth::http_request::HttpRequest;
use crate::oauth::params::Params;
use crate::pages::error::PageError;
use crate::state::App;
use crate::state::browsers::{BrowserId, Browsers};

/// A form that a known browser sent from a page of this server.
pub(super) struct FormPost<'a> {
    pub(super) form: &'a Params,
    pub(super) browser: BrowserId,
    /// The ID of the request that waits for this form. Empty if the form has none.
    pub(super) request_id: &'a str,
}

impl<'a> FormPost<'a> {
    /// Accepts a form if the browser says that it comes from this server, and if it carries the browser's CSRF token
    /// (RFC 9700 §4.7). Either check would be enough by itself.
    pub(super) fn accept(app: &App, browsers: &Browsers, http: &'a HttpRequest) -> Result<Self, PageError> {
        if !is_same_origin(&app.issuer, http) {
            return Err(PageError::CrossSite);
        }
        let form = http.form.as_ref().filter(|form| form.repeated().is_none()).ok_or(PageError::Expired)?;
        let cookie = http.cookie(&app.cookie_name).ok_or(PageError::NoCookie)?;
        let browser = browsers.find(cookie).ok_or(PageError::Expired)?;
        if !browsers[browser].sent_form_with(form.text("csrf")) {
            return Err(PageError::CrossSite);
        }
        Ok(FormPost { form, browser, request_id: form.text("request").unwrap_or_default() })
    }
}

/// Returns whether the browser's headers say that a form comes from this server.
///
/// Our pages send no referrer, so browsers send `Origin: null` with their forms (Fetch §3.2), and only
/// `Sec-Fetch-Site` tells them apart from other sites. Programs that are not browsers send neither header, but they
/// have no session that another site could abuse.
fn is_same_origin(issuer: &str, http: &HttpRequest) -> bool {
    match (http.header("sec-fetch-site"), http.header("origin")) {
        (Some("same-origin"), Some(origin)) => origin == issuer || origin == "null",
        (None, Some(origin)) => origin == issuer,
        (Some("same-origin") | None, None) => true,
        (Some(_), _) => false,
    }
}
