//! The error page, for errors that must not be sent to a client.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::oauth::authorization_request::Untrusted;
use crate::oauth::client::Client;

/// An error that the user sees.
pub(crate) enum PageError {
    /// The client or redirect URI is not registered (RFC 6749 §4.1.2.1).
    Untrusted(Untrusted),
    /// The request has already been decided, or it waited too long.
    Expired,
    /// The browser did not send the cookie.
    NoCookie,
    /// The form comes from another site, or its CSRF token from another session (RFC 9700 §4.7).
    CrossSite,
    NotFound,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            PageError::Untrusted(reason) => {
                let (title, text) = untrusted(&reason);
                (StatusCode::BAD_REQUEST, title, text)
            }
            PageError::Expired => (
                StatusCode::BAD_REQUEST,
                "This page has expired",
                html! { p {
                    "The sign-in is already complete, or it took too long. Start it again from your program."
                } },
            ),
            PageError::NoCookie => (
                StatusCode::BAD_REQUEST,
                "Cookies are required",
                html! { p {
                    "Your browser didn't send this server's cookie. Allow cookies for this site, then start the "
                    "sign-in again from your program."
                } },
            ),
            PageError::CrossSite => (
                StatusCode::FORBIDDEN,
                "This form was rejected",
                html! { p {
                    "It wasn't sent from this server's own page in this session, so nothing was changed. Start the "
                    "sign-in again from your program."
                } },
            ),
            PageError::NotFound => (
                StatusCode::NOT_FOUND,
                "Not found",
                html! { p { "There is no page at this URL. " a href="/" { "Go to the home page" } } },
            ),
        };
        let card = html! {
            h1 { (title) }
            div.text { (text) }
        };
        Page { status, title, form_action: FormAction::None, card }.respond()
    }
}

fn untrusted(reason: &Untrusted) -> (&'static str, Markup) {
    const INVALID_LINK: &str = "Invalid sign-in link";
    match reason {
        Untrusted::Repeated(name) => {
            (INVALID_LINK, html! { p { "It has the parameter " code { (name) } " more than once." } })
        }
        Untrusted::NoClientId => {
            (INVALID_LINK, html! { p { "The parameter " code { "client_id" } " is missing." } })
        }
        Untrusted::UnknownClient(id) => (
            "Unknown client",
            html! { p {
                "There is no client " code { (clean(id)) } " on this server. The built-in client is "
                code { "demo" } "."
            } },
        ),
        Untrusted::NoRedirectUri(client) => (
            INVALID_LINK,
            html! {
                p { "The parameter " code { "redirect_uri" } " is missing." }
                (registered_uris(client))
            },
        ),
        Untrusted::WrongRedirectUri(client, uri) => (
            "Redirect URI not registered",
            html! {
                p { "The client " code { (clean(&client.id)) } " asked to send you to:" }
                p { code.block { (clean(uri)) } }
                (registered_uris(client))
            },
        ),
    }
}

fn registered_uris(client: &Client) -> Markup {
    html! {
        p { "Registered for " code { (clean(&client.id)) } ":" }
        @for uri in &client.redirect_uris { p { code.block { (uri) } } }
        p.small {
            "Redirect URIs have to match exactly, except for the port of " code { "127.0.0.1" } " and "
            code { "[::1]" } "."
        }
    }
}
