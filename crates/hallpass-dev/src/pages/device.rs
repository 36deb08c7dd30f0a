//! The pages of a device's sign-in: its code, and the end (RFC 8628 §3.3).

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::oauth::user_code::UserCode;

pub(crate) fn ask(csrf: &str) -> Response {
    let card = html! {
        h1 { "Enter the code from your device" }
        p.lead { "Look for it in your terminal." }
        (typing(csrf, "", false))
    };
    respond("Enter the code", card)
}

/// `wrong` is what was typed and is no code of a device that waits.
pub(crate) fn ask_again(csrf: &str, wrong: &str) -> Response {
    let card = html! {
        h1 { "Enter the code from your device" }
        p.alert role="alert" id="alert" {
            "No device is waiting with this code. Compare it letter by letter. If it is right, it has expired: start "
            "again on your device."
        }
        (typing(csrf, &clean(wrong), true))
    };
    respond("Enter the code", card)
}

fn typing(csrf: &str, typed: &str, is_wrong: bool) -> Markup {
    let describes = if is_wrong { "alert hint" } else { "hint" };
    html! {
        form method="post" action="/device" {
            input type="hidden" name="csrf" value=(csrf);
            label for="user_code" { "Code" }
            input.code id="user_code" name="user_code" type="text" autocomplete="off" autocapitalize="characters"
                autocorrect="off" spellcheck="false" required autofocus value=(typed)
                aria-invalid=[is_wrong.then_some("true")] aria-describedby=(describes);
            p.hint id="hint" { "Eight letters. Capitals and the hyphen do not matter." }
            button.primary type="submit" { "Continue" }
        }
    }
}

/// Whoever came by a link typed nothing, and may have the link from a stranger (RFC 8628 §3.3.1, §5.4). No key
/// pressed too early shall say yes, so the button has no focus.
pub(crate) fn confirm(csrf: &str, user_code: &UserCode) -> Response {
    let card = html! {
        h1 { "Does your device show this code?" }
        p.lead { "Compare it with the terminal where you started to sign in." }
        form method="post" action="/device" {
            input type="hidden" name="csrf" value=(csrf);
            label for="user_code" { "Code" }
            input.code id="user_code" name="user_code" type="text" readonly value=(user_code);
            div.note {
                h2 { "Did somebody send you this link?" }
                p { "Then close this page: they would get into your account." }
            }
            button.primary type="submit" { "Yes, continue" }
        }
        p.other { a href="/device" { "No, it shows another code" } }
    };
    respond("Compare the code", card)
}

/// Whoever guesses codes has to wait (RFC 6585 §4).
pub(crate) fn too_many_guesses() -> Response {
    let card = html! {
        h1 { "Too many wrong codes" }
        div.text {
            p { "Wait ten minutes. Then start again on your device, and enter the code that it shows." }
        }
    };
    let (status, title) = (StatusCode::TOO_MANY_REQUESTS, "Too many wrong codes");
    Page { status, title, form_action: FormAction::None, card }.respond()
}

pub(crate) fn allowed() -> Response {
    let tick = html! { path d="m7 12.5 3.5 3.5 7-8" {} };
    let text = "Your device will be signed in within a few seconds. You can close this page.";
    end("Allowed", &tick, "You can go back to your terminal", text)
}

pub(crate) fn denied() -> Response {
    let cross = html! { path d="m8 8 8 8m0-8-8 8" {} };
    let text = "Your device is told, and gets no access to your account. You can close this page.";
    end("Denied", &cross, "You did not allow it", text)
}

fn end(title: &'static str, sign: &Markup, heading: &str, text: &str) -> Response {
    let card = html! {
        svg.sign viewBox="0 0 24 24" width="48" height="48" aria-hidden="true" focusable="false" { (sign) }
        h1 { (heading) }
        p.lead { (text) }
    };
    Page { status: StatusCode::OK, title, form_action: FormAction::None, card }.respond()
}

fn respond(title: &'static str, card: Markup) -> Response {
    Page { status: StatusCode::OK, title, form_action: FormAction::Own, card }.respond()
}
