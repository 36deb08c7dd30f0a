//! The consent page.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use url::Url;

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::oauth::authorization_request::AuthorizationRequest;
use crate::state::asked::Asked;
use crate::state::devices::DeviceRequest;
use crate::user::User;

pub(crate) fn page(asked: &Asked, name: &str, csrf: &str, user: &User) -> Response {
    let client = clean(asked.client().display_name());
    let card = html! {
        h1 { "Allow " (client) " to use your account?" }
        @if let Asked::OnDevice(request) = asked { (code(request)) }
        (account(user, name))
        h2 { (client) " will be able to" }
        ul.scopes {
            @for scope in asked.scope().iter() { (wish(scope)) }
        }
        @if let Asked::OnDevice(_) = asked { (caution()) }
        form method="post" action="/consent" {
            input type="hidden" name="request" value=(name);
            input type="hidden" name="csrf" value=(csrf);
            div.choice {
                button type="submit" name="decision" value="deny" { "Deny" }
                button type="submit" name="decision" value="allow" { "Allow" }
            }
        }
        @if let Asked::AtRedirectUri(request) = asked { (way_back(request)) }
    };
    let form_action = FormAction::answering(asked);
    Page { status: StatusCode::OK, title: "Allow access", form_action, card }.respond()
}

fn account(user: &User, name: &str) -> Markup {
    let initial: String = user.given_name.chars().take(1).collect();
    html! {
        div.account {
            span.avatar aria-hidden="true" { (initial) }
            div.who {
                strong { (user.name()) }
                span { (user.email) }
            }
            a href={ "/login?request=" (name) } { "Use another account" }
        }
    }
}

/// A scope in words for people.
fn wish(scope: &str) -> Markup {
    let (title, detail) = match scope {
        "openid" => ("Know that it is you", "The identifier of your account"),
        "profile" => ("See your profile", "Your name and username"),
        "email" => ("See your email address", "And whether it is verified"),
        "offline_access" => ("Stay signed in", "Keep its access until you sign out, also while you are away"),
        other => (other, ""),
    };
    html! {
        li {
            svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false" {
                path d="m5 10.5 3.5 3.5 6.5-7.5" {}
            }
            div { strong { (title) } span { (detail) } }
        }
    }
}

/// The code, once more: it says which of several devices this is about.
fn code(request: &DeviceRequest) -> Markup {
    html! {
        p.lead { "It asks on the device that shows this code:" }
        p.code { (request.user_code) }
    }
}

/// A code or link can come from a stranger, who would get the account (RFC 8628 §5.4). It is said before the choice.
fn caution() -> Markup {
    html! {
        div.note {
            h2 { "Did you start this yourself?" }
            p {
                "Only continue if you started this on your device. If somebody sent you the code or a link, deny it: "
                "they would get into your account."
            }
        }
    }
}

fn way_back(request: &AuthorizationRequest) -> Markup {
    html! {
        p.small {
            "You will be sent back to " code { (destination(&request.redirect_uri)) }
            ". Allow this only if you have just started a sign-in yourself."
        }
    }
}

/// Host and port say which program gets the answer; the rest is for machines.
fn destination(redirect_uri: &str) -> String {
    let url = Url::parse(redirect_uri).ok();
    let authority = url
        .filter(Url::has_host)
        .map(|url| url[url::Position::BeforeHost..url::Position::AfterPort].to_owned());
    clean(authority.as_deref().unwrap_or(redirect_uri))
}
