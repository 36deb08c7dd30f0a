//! The journeys. Each file is one; together they are the only code that does things in an order.

pub(crate) mod browser;
mod discover;
mod exchange;
mod keys;
pub(crate) mod logout;
pub(crate) mod refresh;
mod replaced;
pub(crate) mod status;
pub(crate) mod userinfo;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::cancel::Canceller;
use crate::config::Config;
use crate::error::{Error, LoginRequired, NetworkError, NetworkErrorKind, Result, ServerMisbehaved};
use crate::pages::Pages;
use crate::protocol::client::{ClientAuth, ClientRequest};
use crate::protocol::oauth_error;
use crate::store::{Guard, Record, Store};
use crate::world::browser::Browser;
use crate::world::clock::Clock;
use crate::world::http::{Http, HttpRequest, HttpResponse};

/// How long to wait for another process that changes the record: a refresh takes 30 s at most.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(40);

/// What every journey needs: the settings and the outside world.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) browser: Arc<dyn Browser>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) cancel: Canceller,
}

impl Context {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The stored record, which must be of the issuer and client that this pass was built for.
    pub(crate) fn record(&self) -> Result<Record> {
        let record = self
            .store
            .read()?
            .ok_or_else(|| LoginRequired::NotSignedIn { profile: self.config.profile.clone() })?;
        self.check_session(&record)?;
        Ok(record)
    }

    fn check_session(&self, record: &Record) -> Result<(), LoginRequired> {
        let Some(client) = &self.config.client else { return Ok(()) };
        let issuer = client.issuer.as_str();
        let is_same_issuer = record.issuer == issuer || client.issuer.differs_by_slash(&record.issuer);
        if is_same_issuer && record.client_id == client.client_id {
            return Ok(());
        }
        Err(LoginRequired::OtherServer {
            stored: format!("{} (client {})", record.issuer, record.client_id),
            asked: format!("{issuer} (client {})", client.client_id),
        })
    }

    /// Waits until no other process changes the record, or somebody cancels.
    pub(crate) fn lock(&self, limit: Duration) -> Result<Guard> {
        self.store.lock(limit, &self.cancel)
    }

    /// Sends a request to an endpoint; a redirect and a body without end are no answers.
    pub(crate) fn send(&self, endpoint: &'static str, mut request: HttpRequest) -> Result<HttpResponse> {
        request.timeout = request.timeout.min(self.config.request_timeout);
        let answer = self.http.send(&request);
        match &answer {
            Ok(answer) => {
                log::debug!("{endpoint}: {request:?} → {}, {} bytes", answer.status, answer.body.len())
            }
            Err(error) => log::debug!("{endpoint}: {request:?} failed: {error}"),
        }
        let answer = answer?;
        if (300..400).contains(&answer.status) {
            return Err(ServerMisbehaved::Redirected(endpoint).into());
        }
        if answer.truncated {
            return Err(ServerMisbehaved::TooLarge(endpoint).into());
        }
        Ok(answer)
    }
}

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

/// An endpoint that was saved with the record, and nothing that anybody says since.
pub(crate) fn endpoint_of(record: &Record, endpoint: crate::protocol::metadata::Endpoint) -> Option<Url> {
    record.endpoints.get(endpoint.name()).and_then(|url| Url::parse(url).ok())
}

/// Why an answer with this status is no success: the server's own error, its pause, never its body.
pub(crate) fn status_error(url: &Url, answer: &HttpResponse) -> Error {
    let detail = oauth_error::from_body(&answer.body).map(|error| error.to_string()).unwrap_or_default();
    let mut error = NetworkError::new(NetworkErrorKind::Status(answer.status), &host_of(url), &detail);
    error.retry_after =
        answer.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    error.into()
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
