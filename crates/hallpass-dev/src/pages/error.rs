//! The error page: for whatever must not be sent to a client.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::oauth::authorization_request::Untrusted;
use crate::oauth::client::Client;

/// A client or redirect URI that is not registered (RFC 6749 §4.1.2.1).
pub(crate) fn untrusted(why: &Untrusted) -> Response {
    match why {
        Untrusted::Doubled(name) => {
            refuse("This sign-in link is broken", html! { code { (name) } " is in it more than once." })
        }
        Untrusted::NoClientId => {
            refuse("This sign-in link is broken", html! { code { "client_id" } " is missing." })
        }
        Untrusted::UnknownClient(id) => refuse("Unknown client", unknown_client(id)),
        Untrusted::NoRedirectUri(client) => refuse(
            "This sign-in link is broken",
            html! {
                p { code { "redirect_uri" } " is missing." }
                (registered(client))
            },
        ),
        Untrusted::WrongRedirectUri(client, uri) => {
            refuse("Redirect URI not registered", wrong_redirect_uri(client, uri))
        }
    }
}

fn unknown_client(id: &str) -> Markup {
    html! {
        p { "No client " code { (clean(id)) } " is registered here. The one that always is: " code { "demo" } "." }
    }
}

fn wrong_redirect_uri(client: &Client, uri: &str) -> Markup {
    html! {
        p { "The client " code { (clean(&client.id)) } " asked to send you to:" }
        p { code.block { (clean(uri)) } }
        (registered(client))
    }
}

fn registered(client: &Client) -> Markup {
    html! {
        p { "Registered for " code { (clean(&client.id)) } ":" }
        @for uri in &client.redirect_uris { p { code.block { (uri) } } }
        p.small {
            "They are compared character by character. Only the port of " code { "127.0.0.1" } " and "
            code { "[::1]" } " is free."
        }
    }
}

/// A page that was left open too long, or answered before.
pub(crate) fn stale() -> Response {
    refuse(
        "This page has expired",
        html! {
            p { "The sign-in was finished already, or it waited too long. Start it again from your program." }
        },
    )
}

/// A browser that did not send our cookie back.
pub(crate) fn no_cookie() -> Response {
    refuse(
        "Cookies are needed",
        html! {
            p { "This browser did not send the cookie that this server gave it. Allow cookies for this address, "
                "then start the sign-in again from your program." }
        },
    )
}

/// A form that another site sent, or one whose token is not this session's (RFC 9700 §4.7).
pub(crate) fn cross_site() -> Response {
    let text = html! {
        p { "The form did not come from this server's own page in this session, so nothing was done. "
            "Start the sign-in again from your program." }
    };
    respond(StatusCode::FORBIDDEN, "This form was refused", text)
}

pub(crate) fn not_found() -> Response {
    let text = html! { p { "Nothing is at this address. " a href="/" { "What this server is" } } };
    respond(StatusCode::NOT_FOUND, "Not found", text)
}

fn refuse(title: &'static str, text: Markup) -> Response {
    respond(StatusCode::BAD_REQUEST, title, text)
}

fn respond(status: StatusCode, title: &'static str, text: Markup) -> Response {
    let card = html! {
        h1 { (title) }
        div.text { (text) }
    };
    Page { status, title, form_action: FormAction::None, card }.respond()
}
