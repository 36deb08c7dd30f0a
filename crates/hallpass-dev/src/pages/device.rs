//! The pages for a device's sign-in (RFC 8628 §3.3).

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::oauth::user_code::UserCode;

/// Asks for the code. `wrong` is a wrong code that the user has just entered.
pub(crate) fn enter(csrf: &str, wrong: Option<&str>) -> Response {
    let described_by = if wrong.is_some() { "alert hint" } else { "hint" };
    let card = html! {
        h1 { "Enter the code from your device" }
        @if wrong.is_some() {
            p.alert role="alert" id="alert" {
                "No device is waiting for this code. Check each letter. If they are all correct, the code has expired: "
                "start again on your device."
            }
        } @else {
            p.lead { "You'll find it in your terminal." }
        }
        form method="post" action="/device" {
            input type="hidden" name="csrf" value=(csrf);
            label for="user_code" { "Code" }
            input.code id="user_code" name="user_code" type="text" autocomplete="off" autocapitalize="characters"
                autocorrect="off" spellcheck="false" required autofocus value=(clean(wrong.unwrap_or_default()))
                aria-invalid=[wrong.map(|_| "true")] aria-describedby=(described_by);
            p.hint id="hint" { "Eight letters. Case and the hyphen don't matter." }
            button.primary type="submit" { "Continue" }
        }
    };
    Page { status: StatusCode::OK, title: "Enter the code", form_action: FormAction::Own, card }.respond()
}

/// Shows the code from the URL, to be compared with the device. The link may come from an attacker (RFC 8628 §3.3.1,
/// §5.4), so the button has no focus: a key pressed too early must not confirm anything.
pub(crate) fn compare(csrf: &str, user_code: &UserCode) -> Response {
    let card = html! {
        h1 { "Does your device show this code?" }
        p.lead { "Compare it with the code in the terminal where you started to sign in." }
        form method="post" action="/device" {
            input type="hidden" name="csrf" value=(csrf);
            label for="user_code" { "Code" }
            input.code id="user_code" name="user_code" type="text" readonly value=(user_code);
            div.note {
                h2 { "Did someone send you this link?" }
                p { "Then close this page. Otherwise they get access to your account." }
            }
            button.primary type="submit" { "Yes, continue" }
        }
        p.other { a href="/device" { "No, it shows another code" } }
    };
    Page { status: StatusCode::OK, title: "Compare the code", form_action: FormAction::Own, card }.respond()
}

/// Tells the user to wait, after too many wrong codes (RFC 6585 §4).
pub(crate) fn too_many_guesses() -> Response {
    let card = html! {
        h1 { "Too many wrong codes" }
        div.text {
            p { "Wait ten minutes. Then start again on your device and enter the new code." }
        }
    };
    let (status, title) = (StatusCode::TOO_MANY_REQUESTS, "Too many wrong codes");
    Page { status, title, form_action: FormAction::None, card }.respond()
}

pub(crate) fn allowed() -> Response {
    let tick = html! { path d="m7 12.5 3.5 3.5 7-8" {} };
    let text = "Your device will be signed in within a few seconds. You can close this page.";
    finished("Allowed", &tick, "You can go back to your terminal", text)
}

pub(crate) fn denied() -> Response {
    let cross = html! { path d="m8 8 8 8m0-8-8 8" {} };
    let text = "Your device gets no access to your account. You can close this page.";
    finished("Denied", &cross, "Access denied", text)
}

fn finished(title: &'static str, icon: &Markup, heading: &str, text: &str) -> Response {
    let card = html! {
        svg.sign viewBox="0 0 24 24" width="48" height="48" aria-hidden="true" focusable="false" { (icon) }
        h1 { (heading) }
        p.lead { (text) }
    };
    Page { status: StatusCode::OK, title, form_action: FormAction::None, card }.respond()
}
