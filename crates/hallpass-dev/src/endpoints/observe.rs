//! What happens to every request: read, noted, checked for its host, answered, noted again.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::event::Event;
use crate::listener::Connection;
use crate::oauth::client_auth;
use crate::oauth::received::Received;
use crate::state::App;

/// Far above any honest form.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The client an answer was for, where the request does not name it: on the way through our pages.
#[derive(Clone)]
pub(crate) struct ForClient(pub(crate) String);

pub(crate) async fn observe(
    State(app): State<Arc<App>>,
    ConnectInfo(Connection(connection)): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let received = Arc::new(Received::new(&parts, body.as_ref().unwrap_or(&Bytes::new())));
    let entry = app.journal.arrived(&received, connection);
    let mut response = if body.is_err() {
        StatusCode::PAYLOAD_TOO_LARGE.into_response()
    } else if received.is_for(&app.authority) {
        parts.extensions.insert(received.clone());
        next.run(Request::from_parts(parts, Body::empty())).await
    } else {
        misdirected(&app)
    };
    protect(&mut response);
    app.journal.answered(entry, response.status().as_u16());
    report(&app, &received, &response);
    response
}

/// A page of another name that resolves to this machine must not reach us (DNS rebinding).
fn misdirected(app: &App) -> Response {
    let text = format!("This server answers for {} only.\n", app.authority);
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

/// Headers of every answer. Nothing here may be cached, framed, sniffed, or named in a `Referer`
/// (RFC 6749 §5.1, RFC 9700 §4.2.4, §4.16).
fn protect(response: &mut Response) {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ));
}

fn report(app: &App, received: &Received, response: &Response) {
    let Some(on_event) = &app.on_event else { return };
    on_event(&Event {
        method: received.method.to_string(),
        path: received.path.clone(),
        client: client(app, received, response),
        status: response.status().as_u16(),
    });
}

/// Only a registered client is named: anything else is a stranger's text.
fn client(app: &App, received: &Received, response: &Response) -> Option<String> {
    let noted = response.extensions().get::<ForClient>().map(|client| client.0.clone());
    let form = received.form.as_ref().and_then(|form| form.text("client_id"));
    let named = form.or_else(|| received.query.text("client_id")).map(str::to_owned);
    let id = noted.or(named).or_else(|| client_auth::basic_id(received))?;
    app.config.clients.find(&id).map(|client| client.id.clone())
}
