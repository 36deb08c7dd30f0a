//! Requests to an endpoint of a server, and what its response says when it is no success.

use std::time::{Duration, SystemTime};

use url::Url;

use crate::error::{Error, NetworkError, NetworkErrorKind};
use crate::protocol::client::{ClientAuth, ClientRequest};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::protocol::oauth_error;
use crate::protocol::retry_after::retry_after;
use crate::settings::Client;
use crate::store::Record;
use crate::world::http::{HttpRequest, HttpResponse};

/// The request for an endpoint that the client names itself to.
pub(crate) fn post(url: &Url, request: ClientRequest) -> HttpRequest {
    HttpRequest { authorization: request.authorization, ..HttpRequest::post(url.clone(), request.form) }
}

/// How the client of a record names itself.
pub(crate) fn client_auth(record: &Record) -> ClientAuth<'_> {
    ClientAuth {
        client_id: &record.client_id,
        secret: record.secret.client_secret.as_ref(),
        method: record.auth_method,
    }
}

/// How the client of a login names itself, given what the server accepts.
pub(crate) fn client_auth_for<'a>(client: &'a Client, metadata: &ServerMetadata) -> ClientAuth<'a> {
    let supported = metadata.token_endpoint_auth_methods_supported.as_deref();
    ClientAuth {
        client_id: &client.client_id,
        secret: client.secret.as_ref(),
        method: client.auth_method(supported),
    }
}

/// An endpoint that was saved with the record, and nothing that anybody says since.
pub(crate) fn endpoint_of<S>(record: &Record<S>, endpoint: Endpoint) -> Option<Url> {
    record.endpoints.get(endpoint.name()).and_then(|url| Url::parse(url).ok())
}

/// Why an answer with this status is no success: the server's own error, its pause, never its body.
pub(crate) fn status_error(url: &Url, answer: &HttpResponse) -> Error {
    let detail = oauth_error::from_body(&answer.body).map(|error| error.to_string()).unwrap_or_default();
    let mut error = NetworkError::new(NetworkErrorKind::Status(answer.status), &host_of(url), &detail);
    error.retry_after = pause_of(answer);
    error.into()
}

/// How long the server asks to wait.
pub(crate) fn pause_of(answer: &HttpResponse) -> Option<Duration> {
    answer.header("retry-after").and_then(|value| retry_after(value, SystemTime::now()))
}

pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
