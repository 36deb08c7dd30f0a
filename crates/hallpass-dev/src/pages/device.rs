//! The pages of a device's sign-in: its code, and the end (RFC 8628 §3.3).

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::user_code::UserCode;

pub(crate) fn ask(csrf: &str) -> Response {
    let lead = "Your terminal, or whatever else you are signing in on, shows it.";
    respond(
        "Enter the code",
        html! {
            h1 { "Enter the code from your device" }
            p.lead { (lead) }
            (form(csrf, "", false, "Continue"))
        },
    )
}

/// `wrong` is what was typed and is no code of a device that waits.
pub(crate) fn ask_again(csrf: &str, wrong: &str) -> Response {
    respond(
        "Enter the code",
        html! {
            h1 { "Enter the code from your device" }
            p.alert role="alert" id="alert" {
                "No device is waiting with this code. Compare it letter by letter. If it is right it has expired: start "
                "the sign-in again on your device."
            }
            (form(csrf, &clean(wrong), true, "Continue"))
        },
    )
}

/// Whoever came by a link typed nothing, and may have the link from a stranger (RFC 8628 §3.3.1, §5.4).
pub(crate) fn confirm(csrf: &str, user_code: &UserCode) -> Response {
    respond(
        "Compare the code",
        html! {
            h1 { "Does your device show this code?" }
            p.lead { "Continue only if you started a sign-in there, and it shows exactly this." }
            (form(csrf, &user_code.to_string(), false, "Yes, continue"))
        },
    )
}

/// The cursor waits in the field that is to be filled or corrected, and on the button where nothing is to be typed.
fn form(csrf: &str, user_code: &str, is_wrong: bool, button: &str) -> Markup {
    let is_confirmed = !user_code.is_empty() && !is_wrong;
    let describes = if is_wrong { "alert hint" } else { "hint" };
    html! {
        form method="post" action="/device" {
            input type="hidden" name="csrf" value=(csrf);
            label for="user_code" { "Code" }
            input.code id="user_code" name="user_code" type="text" autocomplete="off" autocapitalize="characters"
                autocorrect="off" spellcheck="false" required value=(user_code) autofocus[!is_confirmed]
                aria-invalid=[is_wrong.then_some("true")] aria-describedby=(describes);
            p.hint id="hint" { "Eight letters. Capitals and the hyphen do not matter." }
            button.primary type="submit" autofocus[is_confirmed] { (button) }
        }
    }
}

/// RFC 6585 §4: whoever guesses codes has to wait.
pub(crate) fn too_many_guesses() -> Response {
    let card = html! {
        h1 { "Too many wrong codes" }
        div.text { p { "Wait ten minutes. Then start the sign-in again on your device, and enter the code that it shows." } }
    };
    let status = StatusCode::TOO_MANY_REQUESTS;
    Page { status, title: "Too many wrong codes", form_action: FormAction::None, card }.respond()
}

pub(crate) fn allowed() -> Response {
    end(
        "Allowed",
        html! {
            h1 { "You can go back to your terminal" }
            p.lead { "Your device is signed in within a few seconds. You can close this page." }
        },
    )
}

pub(crate) fn denied() -> Response {
    end(
        "Denied",
        html! {
            h1 { "You did not allow it" }
            p.lead { "Your device is told, and gets no access to your account. You can close this page." }
        },
    )
}

fn end(title: &'static str, card: Markup) -> Response {
    Page { status: StatusCode::OK, title, form_action: FormAction::None, card }.respond()
}

fn respond(title: &'static str, card: Markup) -> Response {
    Page { status: StatusCode::OK, title, form_action: FormAction::Own, card }.respond()
}
