//! `/device`: the `verification_uri`, where the user brings the code of a device (RFC 8628 §3.3).

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::cookie::set_cookie;
use crate::endpoints::form_post::FormPost;
use crate::endpoints::observe::ForClient;
use crate::oauth::authorization_response::redirect;
use crate::oauth::received::Received;
use crate::oauth::user_code::UserCode;
use crate::pages;
use crate::state::asked::Asked;
use crate::state::browsers::Browser;
use crate::state::devices::DeviceRequest;
use crate::state::guesses::{OF_ALL_BROWSERS, OF_ONE_BROWSER};
use crate::state::{App, Memory};
use crate::user::SignedIn;

/// A code in the address is shown, not looked up: a link, which anybody can make, must not cost a guess.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let memory = &mut *app.memory();
    let known = received.cookie(&app.cookie_name).filter(|cookie| memory.browsers.find(cookie).is_some());
    let cookie = known.map_or_else(|| memory.browsers.meet(), str::to_owned);
    let mut response = page(memory, &cookie, received.query.text("user_code"));
    if known.is_none() {
        set_cookie(&app, &mut response, &cookie);
    }
    response
}

fn page(memory: &mut Memory, cookie: &str, in_address: Option<&str>) -> Response {
    if has_guessed_enough(memory, cookie) {
        return pages::device::too_many_guesses();
    }
    let Some(browser) = memory.browsers.find(cookie) else { return pages::error::stale() };
    let wrong = browser.wrong_code.take();
    match (wrong, in_address.and_then(UserCode::parse)) {
        (Some(wrong), _) => pages::device::ask_again(browser.csrf(), &wrong),
        (None, Some(user_code)) => pages::device::confirm(browser.csrf(), &user_code),
        (None, None) => pages::device::ask(browser.csrf()),
    }
}

fn has_guessed_enough(memory: &mut Memory, cookie: &str) -> bool {
    let now = Instant::now();
    let own = |browser: &mut Browser| browser.guesses.have_reached(OF_ONE_BROWSER, now);
    memory.devices.guesses.have_reached(OF_ALL_BROWSERS, now) || memory.browsers.find(cookie).is_some_and(own)
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
    if has_guessed_enough(memory, post.cookie) {
        return redirect("/device");
    }
    let typed = post.form.text("user_code").unwrap_or_default();
    let user_code = UserCode::parse(typed);
    match user_code.as_ref().and_then(|code| memory.devices.waiting(code, Instant::now()).cloned()) {
        Some(request) => proceed(memory, &post, request),
        None => ask_again(memory, &post, typed, user_code.is_some()),
    }
}

/// On to the user, as after an authorization request.
fn proceed(memory: &mut Memory, post: &FormPost<'_>, request: DeviceRequest) -> Response {
    let client = ForClient(request.client.id.clone());
    let signed_in = memory.browsers.find(post.cookie).is_some_and(|browser| browser.signed_in.is_some());
    let name = memory.browsers.suspend(post.browser, Asked::OnDevice(request), false);
    let page = if signed_in { "/consent" } else { "/login" };
    let mut response = redirect(&format!("{page}?request={name}"));
    response.extensions_mut().insert(client);
    response
}

/// Only what could have been right is a guess; a slip of the finger costs nothing.
fn ask_again(memory: &mut Memory, post: &FormPost<'_>, typed: &str, is_guess: bool) -> Response {
    let now = Instant::now();
    if let Some(browser) = memory.browsers.find(post.cookie) {
        browser.wrong_code = Some(typed.to_owned());
        if is_guess {
            browser.guesses.count_one(now);
            memory.devices.guesses.count_one(now);
        }
    }
    redirect("/device")
}

/// Keeps the user's answer for the next poll.
pub(super) fn allow(memory: &mut Memory, request: &DeviceRequest, session: SignedIn) -> Response {
    match memory.devices.allow(&request.user_code, session, Instant::now()) {
        Some(()) => redirect("/device/allowed"),
        None => pages::error::stale(),
    }
}

/// As [`allow`].
pub(super) fn deny(memory: &mut Memory, request: &DeviceRequest) -> Response {
    match memory.devices.deny(&request.user_code, Instant::now()) {
        Some(()) => redirect("/device/denied"),
        None => pages::error::stale(),
    }
}

pub(super) async fn allowed() -> Response {
    pages::device::allowed()
}

pub(super) async fn denied() -> Response {
    pages::device::denied()
}
