//! `/login`: the sign-in page and its form.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::endpoints::cookie::set_cookie;
use crate::endpoints::form_post::FormPost;
use crate::endpoints::observe::ForClient;
use crate::oauth::authorization_response::redirect;
use crate::oauth::received::Received;
use crate::pages;
use crate::state::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let browsers = &mut app.memory().browsers;
    let Some(name) = received.query.text("request") else { return pages::error::stale() };
    let Some(cookie) = received.cookie(&app.cookie_name) else { return pages::error::no_cookie() };
    let Some((id, csrf)) = browsers.find(cookie).map(|b| (b.id, b.csrf().to_owned())) else {
        return pages::error::stale();
    };
    match browsers.pending(id, name) {
        Some(pending) => {
            let failed_email = pending.failed_email.take();
            let mut response =
                pages::sign_in::page(&app, &pending.asked, name, &csrf, failed_email.as_deref());
            response.extensions_mut().insert(ForClient(pending.asked.client().id.clone()));
            response
        }
        None => pages::error::stale(),
    }
}

/// Right or wrong, the answer is a redirect to a page, so that a reload never sends a password again.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let memory = &mut *app.memory();
    let post = match FormPost::accept(&app, memory, &received) {
        Ok(post) => post,
        Err(refused) => return refused.page(),
    };
    let Some(pending) = memory.browsers.pending(post.browser, post.request()) else {
        return pages::error::stale();
    };
    let client = ForClient(pending.asked.client().id.clone());
    let email = post.form.text("email").unwrap_or_default();
    let user = app.config.user(email, post.form.text("password").unwrap_or_default());
    pending.needs_new_sign_in &= user.is_none();
    pending.failed_email = user.is_none().then(|| email.to_owned());
    let page = if user.is_some() { "/consent" } else { "/login" };
    let mut response = redirect(&format!("{page}?request={}", post.request()));
    if let Some(cookie) = user.and_then(|user| memory.browsers.sign_in(post.cookie, user)) {
        set_cookie(&app, &mut response, &cookie);
    }
    response.extensions_mut().insert(client);
    response
}
