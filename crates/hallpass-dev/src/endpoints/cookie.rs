//! The cookie that identifies a browser.

use axum::http::{HeaderValue, header};
use axum::response::Response;

use crate::state::App;

/// Sets the cookie. It is not `Secure` because this server has no TLS, and it is `Lax` because users arrive by a link
/// (RFC 6265bis §4.1.2.7).
pub(super) fn set_cookie(app: &App, response: &mut Response, cookie: &str) {
    let value = format!("{}={cookie}; Path=/; HttpOnly; SameSite=Lax", app.cookie_name);
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}
