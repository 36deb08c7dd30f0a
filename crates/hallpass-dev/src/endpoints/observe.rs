//! The middleware around all endpoints: reads a request, records it, and secures the response.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::event::Event;
use crate::listener::Connection;
use crate::oauth::client_auth;
use crate::oauth::http_request::HttpRequest;
use crate::state::App;

/// The size limit for a body, far above that of any real form.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(super) async fn observe(
    State(app): State<Arc<App>>,
    ConnectInfo(Connection(connection)): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let http = Arc::new(HttpRequest::new(&parts, body.as_ref().unwrap_or(&Bytes::new())));
    let entry = app.journal.record(&http, connection);
    let mut response = if body.is_err() {
        StatusCode::PAYLOAD_TOO_LARGE.into_response()
    } else if http.is_for(&app.authority) {
        parts.extensions.insert(http.clone());
        next.run(Request::from_parts(parts, Body::empty())).await
    } else {
        // DNS rebinding: a site whose name resolves to this machine must not reach the endpoints.
        let text = format!("This server only accepts requests for {}.\n", app.authority);
        (StatusCode::MISDIRECTED_REQUEST, text).into_response()
    };
    secure(&mut response);
    app.journal.set_status(entry, response.status().as_u16());
    log(&app, &http, &response);
    response
}

/// Sets headers that keep a response from being cached, framed, sniffed or named in a `Referer` (RFC 6749 §5.1, RFC
/// 9700 §4.2.4, §4.16). Pages have a content security policy of their own.
fn secure(response: &mut Response) {
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

/// The client ID for the log, in the extensions of a response.
#[derive(Clone)]
struct LoggedClient(String);

/// Sets the client ID for the log line of a response, for requests from our own pages, which don't contain it.
pub(super) fn log_client(client_id: String, mut response: Response) -> Response {
    response.extensions_mut().insert(LoggedClient(client_id));
    response
}

fn log(app: &App, http: &HttpRequest, response: &Response) {
    let Some(on_event) = &app.on_event else { return };
    on_event(&Event {
        method: http.method.to_string(),
        path: http.path.clone(),
        client: client_id(app, http, response),
        status: response.status().as_u16(),
    });
}

/// Returns the client ID, if it is registered. Other IDs are not logged, as they could contain anything.
fn client_id(app: &App, http: &HttpRequest, response: &Response) -> Option<String> {
    let in_form = http.form.as_ref().and_then(|form| form.text("client_id"));
    let in_request = in_form.or_else(|| http.query.text("client_id"));
    let id = match (response.extensions().get::<LoggedClient>(), in_request) {
        (Some(LoggedClient(id)), _) => id.clone(),
        (None, Some(id)) => id.to_owned(),
        (None, None) => client_auth::basic_credentials(http)?.0,
    };
    app.config.clients.find(&id).map(|client| client.id.clone())
}
