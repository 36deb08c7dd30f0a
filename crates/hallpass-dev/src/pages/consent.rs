//! The consent page.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use url::{Position, Url};

use super::Page;
use super::form_action::FormAction;
use super::text::clean;
use crate::state::consent_request::ConsentRequest;
use crate::user::User;

/// Asks `user` to allow or deny a request.
pub(crate) fn page(request: &ConsentRequest, request_id: &str, csrf: &str, user: &User) -> Response {
    let client = clean(request.client().display_name());
    let card = html! {
        h1 { "Allow " (client) " to access your account?" }
        @if let ConsentRequest::Device(request) = request {
            p.lead { "Requested on the device that shows this code:" }
            p.code { (request.user_code) }
        }
        (account(user, request_id))
        h2 { (client) " will be able to" }
        ul.scopes {
            @for scope in request.scope().iter() { (permission(scope)) }
        }
        @if let ConsentRequest::Device(_) = request { (phishing_warning()) }
        form method="post" action="/consent" {
            input type="hidden" name="request" value=(request_id);
            input type="hidden" name="csrf" value=(csrf);
            div.choice {
                button type="submit" name="decision" value="deny" { "Deny" }
                button type="submit" name="decision" value="allow" { "Allow" }
            }
        }
        @if let ConsentRequest::Authorization(request) = request {
            p.small {
                "You'll be sent back to " code { (destination(&request.return_to.redirect_uri)) }
                ". Only allow this if you just started a sign-in yourself."
            }
        }
    };
    let form_action = FormAction::for_request(request);
    Page { status: StatusCode::OK, title: "Allow access", form_action, card }.respond()
}

fn account(user: &User, request_id: &str) -> Markup {
    let initial: String = user.given_name.chars().take(1).collect();
    html! {
        div.account {
            span.avatar aria-hidden="true" { (initial) }
            div.who {
                strong { (user.name()) }
                span { (user.email) }
            }
            a href={ "/login?request=" (request_id) } { "Use another account" }
        }
    }
}

/// Describes a scope value.
fn permission(scope: &str) -> Markup {
    let (title, detail) = match scope {
        "openid" => ("Identify you", "The ID of your account"),
        "profile" => ("See your profile", "Your name and username"),
        "email" => ("See your email address", "And whether it's verified"),
        "offline_access" => ("Stay signed in", "Keep its access until you sign out, even while you're away"),
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

/// Warns about codes and links from attackers, who would get the access for their own device (RFC 8628 §5.4).
fn phishing_warning() -> Markup {
    html! {
        div.note {
            h2 { "Did you start this yourself?" }
            p {
                "Only allow this if you started it on your own device. If someone sent you the code or a link, deny it. "
                "Otherwise they get access to your account."
            }
        }
    }
}

/// Returns the host and port of a redirect URI, or all of it if it has no host.
fn destination(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.has_host() => clean(&url[Position::BeforeHost..Position::AfterPort]),
        _ => clean(redirect_uri),
    }
}
