//! The journeys. Each file is one; together they are the only code that does things in an order.

mod browser;
mod device;
pub(crate) mod diagnose;
mod discover;
mod exchange;
mod keys;
pub(crate) mod login;
pub(crate) mod logout;
mod place;
pub(crate) mod refresh;
pub(crate) mod relocate;
mod replaced;
pub(crate) mod status;
mod turn;
pub(crate) mod userinfo;
mod wait;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::cancel::Canceller;
use crate::config::{Client, Config};
use crate::environment::Environment;
use crate::error::{
    Error, LoginRequired, NetworkError, NetworkErrorKind, Result, ServerMisbehaved, StoreError,
};
use crate::pages::Pages;
use crate::protocol::client::{ClientAuth, ClientRequest};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::oauth_error;
use crate::saving::Saving;
use crate::store::{Guard, Record, Store, StoredRecord};
use crate::surroundings::{Explanation, Surroundings, decide};
use crate::world::browser::{Browser, BrowserWish};
use crate::world::clock::Clock;
use crate::world::http::{Http, HttpRequest, HttpResponse};
use crate::world::keychain::KeychainError;

/// How long to wait for another process that changes the record: a refresh takes 30 s at most.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(40);

/// What every journey needs: the settings and the outside world.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) store: Arc<Store>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) browser: Arc<dyn Browser>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) cancel: Canceller,
    pub(crate) saving: Saving,
    #[cfg(feature = "tokio")]
    pub(crate) flights: crate::flight::Flights,
    pub(crate) environment: Environment,
}

impl Context {
    /// The same, for journeys that are cancelled by themselves.
    pub(crate) fn cancellable(&self) -> Context {
        Context {
            cancel: self.cancel.child(),
            // What is cancelled here must not be cancelled for those who wait elsewhere.
            #[cfg(feature = "tokio")]
            flights: crate::flight::Flights::default(),
            ..self.clone()
        }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// What a login does here, by what can be seen of the machine and the session just now. What the browser says of
    /// itself counts.
    pub(crate) fn explain(&self) -> Explanation {
        let seen = Surroundings::look(&self.environment);
        let decision = decide(&seen, &BrowserWish::Unsaid).about(self.browser.plan());
        Explanation::new(&seen, decision, &self.config.landing)
    }

    /// The stored record with its secrets. What needs none reads [`stored`](Context::stored).
    pub(crate) fn record(&self) -> Result<Record> {
        let stored = self.living()?;
        let key_id = stored.key_id().map(str::to_owned);
        match self.store.open(stored) {
            // A login may have replaced the record and removed its key since it was read.
            Err(error @ StoreError::Keychain { cause: KeychainError::NoItem, .. }) => {
                let again = self.living()?;
                if again.key_id() == key_id.as_deref() {
                    Err(error.into())
                } else {
                    Ok(self.store.open(again)?)
                }
            }
            result => Ok(result?),
        }
    }

    /// The stored record of a session that the server did not end.
    fn living(&self) -> Result<StoredRecord> {
        let stored = self.stored()?;
        match &stored.tombstone {
            Some(tombstone) => Err(refresh::ended(tombstone).into()),
            None => Ok(stored),
        }
    }

    /// The stored record, which must be of the issuer and client that this pass was built for.
    pub(crate) fn stored(&self) -> Result<StoredRecord> {
        let record = self
            .store
            .read()?
            .ok_or_else(|| LoginRequired::NotSignedIn { profile: self.config.profile.clone() })?;
        self.check_session(&record)?;
        Ok(record)
    }

    fn check_session(&self, record: &StoredRecord) -> Result<(), LoginRequired> {
        let Some(client) = &self.config.client else { return Ok(()) };
        let issuer = client.issuer.as_str();
        let is_same_issuer = client.is_issuer(&record.issuer);
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

    /// The same, unless what it is `wanted` for comes from another thread while this one waits.
    pub(crate) fn lock_unless<T>(
        &self,
        limit: Duration,
        wanted: impl Fn() -> Option<T>,
    ) -> Result<Result<Guard, T>> {
        self.store.lock_unless(limit, &self.cancel, wanted)
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
pub(crate) fn endpoint_of<S>(
    record: &Record<S>,
    endpoint: crate::protocol::metadata::Endpoint,
) -> Option<Url> {
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
    answer.header("retry-after").and_then(retry_after)
}

/// Seconds, or an HTTP date (RFC 9110 §10.2.3).
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok(),
    }
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
