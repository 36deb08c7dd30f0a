//! The home page.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::Page;
use super::form_action::FormAction;
use crate::state::App;

pub(crate) fn page(app: &App) -> Response {
    let user = app.config.first_user();
    let client = app.config.clients.first();
    let card = html! {
        h1 { "The server is running" }
        p.lead { "An OAuth 2.1 and OpenID Connect server for developing and testing sign-in." }
        dl.facts {
            dt { "Issuer" } dd { code { (app.issuer) } }
            dt { "Client ID" } dd { code { (client.id) } }
            dt { "Email" } dd { code { (user.email) } }
            dt { "Password" } dd { code { (user.password) } }
        }
        h2 { "Try it" }
        pre { code {
            span { "hallpass login" } " " span { "--issuer " (app.issuer) } " " span { "--client-id " (client.id) }
        } }
        h2 { "Redirect URIs for " (client.id) }
        @for uri in &client.redirect_uris { p { code.block { (uri) } } }
        p.small {
            code { "127.0.0.1" } " and " code { "[::1]" } " match on any port. All endpoints are listed in the "
            a href="/.well-known/openid-configuration" { "metadata" } "."
        }
    };
    Page { status: StatusCode::OK, title: "Home", form_action: FormAction::None, card }.respond()
}
