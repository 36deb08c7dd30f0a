//! What every form of ours must bring before it is read.

use axum::response::Response;

use crate::oauth::params::Params;
use crate::oauth::received::Received;
use crate::pages;
use crate::state::browsers::BrowserId;
use crate::state::{App, Memory};

/// Why a form is not read.
pub(super) enum Refused {
    CrossSite,
    NoCookie,
    Stale,
}

impl Refused {
    pub(super) fn page(&self) -> Response {
        match self {
            Refused::CrossSite => pages::error::cross_site(),
            Refused::NoCookie => pages::error::no_cookie(),
            Refused::Stale => pages::error::stale(),
        }
    }
}

/// A form that our own page sent from a browser we know.
pub(super) struct FormPost<'a> {
    pub(super) form: &'a Params,
    pub(super) cookie: &'a str,
    pub(super) browser: BrowserId,
}

impl<'a> FormPost<'a> {
    /// Two independent bars (RFC 9700 §4.7): where the browser says the form comes from, and a
    /// value bound to the session that only our page knows.
    pub(super) fn accept(app: &App, memory: &mut Memory, received: &'a Received) -> Result<Self, Refused> {
        if !is_same_origin(&app.issuer, received) {
            return Err(Refused::CrossSite);
        }
        let form = received.form.as_ref().filter(|form| form.doubled().is_none());
        let form = form.ok_or(Refused::Stale)?;
        let cookie = received.cookie(&app.cookie_name).ok_or(Refused::NoCookie)?;
        let browser = memory.browsers.find(cookie).ok_or(Refused::Stale)?;
        if !browser.owns_form(form.text("csrf")) {
            return Err(Refused::CrossSite);
        }
        Ok(FormPost { form, cookie, browser: browser.id })
    }

    /// The name of the request that waits for this answer; empty where the form has none.
    pub(super) fn request(&self) -> &'a str {
        self.form.text("request").unwrap_or_default()
    }
}

/// Our pages send no referrer, and then browsers write `Origin: null` into a form post (Fetch §3.2);
/// `Sec-Fetch-Site` tells the truth in both cases. Neither header comes from programs without a
/// browser, which have no session that could be misused.
fn is_same_origin(issuer: &str, received: &Received) -> bool {
    let origin = received.header("origin");
    match received.header("sec-fetch-site") {
        Some(site) => site == "same-origin" && origin.is_none_or(|o| o == issuer || o == "null"),
        None => origin.is_none_or(|origin| origin == issuer),
    }
}
