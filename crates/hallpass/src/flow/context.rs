//! The settings and the outside world, as every flow needs them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::browser::{Browser, BrowserWish};
use crate::browser::{Explanation, Surroundings, decide};
use crate::environment::Environment;
use crate::error::KeychainError;
use crate::error::{LoginRequired, Result, ServerMisbehaved, StoreError};
use crate::interrupt::Canceller;
use crate::interrupt::saving::Saving;
use crate::loopback::Pages;
use crate::settings::Config;
use crate::store::{Guard, Record, Store, StoredRecord};
use crate::world::clock::Clock;
use crate::world::http::{Http, HttpRequest, HttpResponse};

/// How long to wait for another process that changes the record: a refresh takes 30 s at most.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(40);

/// Every flow's needs: the settings and the outside world.
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
    pub(crate) environment: Environment,
}

impl Context {
    /// The same, for journeys that are cancelled by themselves.
    pub(crate) fn cancellable(&self) -> Context {
        Context { cancel: self.cancel.child(), ..self.clone() }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The plan of a login, from what can be seen of the machine and the session just now. What the browser says of
    /// itself counts.
    pub(crate) fn explain(&self) -> Explanation {
        let seen = Surroundings::look(&self.environment);
        let decision = decide(&seen, &BrowserWish::Unsaid).with_plan(self.browser.plan());
        Explanation::new(&seen, decision, &self.config.binding)
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
            Some(tombstone) => Err(tombstone.ended().into()),
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

    /// Waits until no other process changes the record, for at most `limit` or until the login is cancelled.
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
