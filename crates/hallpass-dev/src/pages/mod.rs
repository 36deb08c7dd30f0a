//! The pages. They share one style sheet, and load no scripts or other resources.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod error;
mod form_action;
pub(crate) mod home;
pub(crate) mod sign_in;
mod text;

use form_action::FormAction;

const STYLE: &str = include_str!("style.css");

static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes()).as_ref()));

struct Page {
    status: StatusCode,
    title: &'static str,
    form_action: FormAction,
    card: Markup,
}

impl Page {
    fn respond(self) -> Response {
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; form-action {}; base-uri 'none'; frame-ancestors 'none'",
            *STYLE_HASH, self.form_action
        );
        let mut response = (self.status, self.document().into_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    fn document(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Hallpass development server" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        div.brand { (logo()) "Hallpass development server" }
                        div.card { (self.card) }
                        p.foot { "For development on this machine. Don't enter a real password." }
                    }
                }
            }
        }
    }
}

/// Draws the logo: a pass with a slot for its lanyard and a check mark.
fn logo() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" width="26" height="26" aria-hidden="true" focusable="false" {
            rect.badge x="3.5" y="1.5" width="17" height="21" rx="4.5" {}
            path.slot d="M9.5 5.5h5" {}
            path.tick d="m8 14 3 3 5.2-6" {}
        }
    }
}
