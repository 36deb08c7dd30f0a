//! The sign-in page.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::state::App;
use crate::state::asked::Asked;

/// `failed_email` is the address of an attempt that was refused just now.
pub(crate) fn page(app: &App, asked: &Asked, name: &str, csrf: &str, failed_email: Option<&str>) -> Response {
    let email = failed_email.or(asked.login_hint()).map(clean).unwrap_or_default();
    let user = app.config.first_user();
    let card = html! {
        h1 { "Sign in" }
        p.lead { "to continue to " strong { (clean(asked.client().display_name())) } }
        @if failed_email.is_some() {
            p.alert role="alert" id="alert" { "That email and password do not match. Try again." }
        }
        form method="post" action="/login" {
            input type="hidden" name="request" value=(name);
            input type="hidden" name="csrf" value=(csrf);
            (fields(&email, failed_email.is_some()))
            button.primary type="submit" { "Sign in" }
        }
        div.note {
            h2 { "Test account" }
            dl {
                dt { "Email" } dd { code { (user.email) } }
                dt { "Password" } dd { code { (user.password) } }
            }
        }
    };
    let form_action = FormAction::answering(asked);
    Page { status: StatusCode::OK, title: "Sign in", form_action, card }.respond()
}

/// The cursor waits in the first field that is still to be filled.
fn fields(email: &str, failed: bool) -> Markup {
    let describes = failed.then_some("alert");
    let invalid = failed.then_some("true");
    html! {
        label for="email" { "Email" }
        input id="email" name="email" type="email" autocomplete="username" autocapitalize="none"
            spellcheck="false" required value=(email) autofocus[email.is_empty()]
            aria-invalid=[invalid] aria-describedby=[describes];
        label for="password" { "Password" }
        input id="password" name="password" type="password" autocomplete="current-password" required
            autofocus[!email.is_empty()] aria-invalid=[invalid] aria-describedby=[describes];
    }
}
