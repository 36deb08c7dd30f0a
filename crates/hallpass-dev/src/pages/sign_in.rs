//! The sign-in page.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::state::App;
use crate::state::consent_request::ConsentRequest;

/// Asks for an email address and password. `failed_email` is the address of an attempt that has just failed.
pub(crate) fn page(
    app: &App,
    request: &ConsentRequest,
    request_id: &str,
    csrf: &str,
    failed_email: Option<&str>,
) -> Response {
    let email = clean(failed_email.or(request.login_hint()).unwrap_or_default());
    let (invalid, described_by) = (failed_email.map(|_| "true"), failed_email.map(|_| "alert"));
    let test_user = app.config.first_user();
    let card = html! {
        h1 { "Sign in" }
        p.lead { "to continue to " strong { (clean(request.client().display_name())) } }
        @if failed_email.is_some() {
            p.alert role="alert" id="alert" { "Wrong email or password. Try again." }
        }
        form method="post" action="/login" {
            input type="hidden" name="request" value=(request_id);
            input type="hidden" name="csrf" value=(csrf);
            label for="email" { "Email" }
            input id="email" name="email" type="email" autocomplete="username" autocapitalize="none"
                spellcheck="false" required value=(email) autofocus[email.is_empty()]
                aria-invalid=[invalid] aria-describedby=[described_by];
            label for="password" { "Password" }
            input id="password" name="password" type="password" autocomplete="current-password" required
                autofocus[!email.is_empty()] aria-invalid=[invalid] aria-describedby=[described_by];
            button.primary type="submit" { "Sign in" }
        }
        div.note {
            h2 { "Test account" }
            dl {
                dt { "Email" } dd { code { (test_user.email) } }
                dt { "Password" } dd { code { (test_user.password) } }
            }
        }
    };
    let form_action = FormAction::for_request(request);
    Page { status: StatusCode::OK, title: "Sign in", form_action, card }.respond()
}
