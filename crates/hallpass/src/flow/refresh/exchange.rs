//! Exchanging a refresh token for new tokens (RFC 6749 §6) and saving them.

use std::time::{Duration, Instant, SystemTime};

use url::Url;

use super::confirm::{self, NewIdToken};
use super::journal_rules;
use super::token_request::TokenRequest;
use crate::error::{
    Error, LoginRequired, NetworkError, NetworkErrorKind, OAuthError, Result, ServerIncompatible,
};
use crate::flow::Context;
use crate::flow::endpoint::{client_auth, endpoint_of, host_of, post, status_error};
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::{self, TokenVerdict, Tokens};
use crate::secret::Secret;
use crate::store::{Fingerprint, Record, Staged, Tombstone};

/// The time limit of a refresh, including the second attempt.
const LIMIT: Duration = Duration::from_secs(30);
/// The time limit of the first attempt.
const FIRST_LIMIT: Duration = Duration::from_secs(20);
/// With less time left there is no second attempt, because its response would probably be lost too.
const LEAST_LIMIT: Duration = Duration::from_secs(1);

/// A refresh token and where to send it. From the time when it is sent until its successor is saved, the process should
/// not end.
pub(super) struct Exchange<'a> {
    context: &'a Context,
    request: &'a TokenRequest,
    pub(super) url: Url,
    refresh_token: Secret,
    fingerprint: Fingerprint,
}

/// The outcome of an exchange that did not fail.
pub(super) enum Outcome {
    Saved(Box<Saved>),
    /// Another process replaced the record in the meantime, and its record meets the request.
    Replaced(Box<Record>),
}

/// A record with new tokens. The ID token's signature is not verified yet.
pub(super) struct Saved {
    pub(super) record: Record,
    pub(super) id_token: Option<NewIdToken>,
    /// The ID token that the record had before.
    pub(super) previous_id_token: Option<Secret>,
}

enum Response {
    Granted(Tokens),
    SessionEnded(OAuthError),
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        context: &'a Context,
        request: &'a TokenRequest,
        record: &Record,
    ) -> Result<Exchange<'a>> {
        let url = endpoint_of(record, Endpoint::Token)
            .ok_or(ServerIncompatible::NoEndpoint(Endpoint::Token.member()))?;
        let refresh_token = record.secret.refresh_token.clone().ok_or(LoginRequired::NoRefreshToken)?;
        let fingerprint = Fingerprint::new(refresh_token.expose().as_bytes());
        Ok(Exchange { context, request, url, refresh_token, fingerprint })
    }

    /// Returns the stored record if it no longer has this refresh token. Locks don't rule that out: a logout goes ahead
    /// if a lock is held for long, and not every file system has locks. Neither a tombstone nor new tokens may undo
    /// that.
    ///
    /// # Errors
    /// [`LoginRequired`] after a logout.
    pub(super) fn replacement(&self) -> Result<Option<Record>> {
        match self.context.record() {
            Ok(current) if current.secret.refresh_token.as_ref() == Some(&self.refresh_token) => Ok(None),
            Ok(current) => Ok(Some(current)),
            Err(error @ Error::LoginRequired(_)) => Err(error),
            // As far as we know nothing replaced it, and the new tokens must not be lost.
            Err(_) => Ok(None),
        }
    }

    /// Sends the refresh token and saves the new tokens. The journal says so from before the first byte is sent until
    /// the outcome is saved.
    pub(super) fn run(&self, record: Record, staged: Staged<'_>) -> Result<Outcome> {
        // In this order: a caller that cancels and then waits for what is being saved does not miss this exchange.
        let _operation = self.context.saving.begin();
        self.context.cancel.check()?;
        let store = &self.context.store;
        let mut journal = store.journal();
        let mut lost_at = journal_rules::lost_at(&journal, &self.fingerprint);
        journal_rules::begin(&mut journal, self.fingerprint.clone(), lost_at.unwrap_or(self.context.now()));
        store.write_journal(&journal);
        let outcome = self.send_and_save(record, staged, &mut lost_at);
        journal = store.journal();
        let outcome = match outcome {
            Err(error) if !matches!(error, Error::LoginRequired(_)) => {
                let (token, now) = (self.fingerprint.clone(), self.context.now());
                Err(journal_rules::fail(&mut journal, token, lost_at, error, now))
            }
            outcome => {
                journal_rules::succeed(&mut journal);
                outcome
            }
        };
        store.write_journal(&journal);
        outcome
    }

    fn send_and_save(
        &self,
        record: Record,
        staged: Staged<'_>,
        lost_at: &mut Option<SystemTime>,
    ) -> Result<Outcome> {
        let response = self.send_up_to_twice(&record, lost_at)?;
        if let Some(current) = self.replacement()? {
            return self.use_replacement(current);
        }
        let mut tokens = match response {
            Response::Granted(tokens) => tokens,
            Response::SessionEnded(error) => return Err(self.end_session(staged, record, error, *lost_at)),
        };
        let id_token = confirm::check(&record, &mut tokens)?;
        let previous_id_token = record.secret.id_token.clone();
        let record = staged.save(self.with_tokens(record, tokens))?;
        Ok(Outcome::Saved(Box::new(Saved { record, id_token, previous_id_token })))
    }

    /// Sends the refresh token. If the response is lost, sends it once more, immediately: if the server has already
    /// replaced the token, it may still accept a prompt repetition.
    fn send_up_to_twice(&self, record: &Record, lost_at: &mut Option<SystemTime>) -> Result<Response> {
        let started = Instant::now();
        let first = self.send(record, FIRST_LIMIT);
        let Err(Error::Network(error)) = &first else { return first };
        if !journal_rules::is_response_lost(error) {
            return first;
        }
        lost_at.get_or_insert(self.context.now());
        let left = LIMIT.saturating_sub(started.elapsed());
        if left < LEAST_LIMIT {
            return first;
        }
        log::debug!("the response to a refresh was lost ({error}); sending it once more");
        self.send(record, left)
    }

    fn send(&self, record: &Record, limit: Duration) -> Result<Response> {
        let own = record.access.first().and_then(|access| access.resource.as_deref());
        let resource = self.request.resource.as_deref().or(own);
        let form = token::refresh_request(&client_auth(record), &self.refresh_token, resource);
        let mut request = post(&self.url, form);
        request.timeout = limit;
        let response =
            self.context.send("token endpoint", request).map_err(|error| self.as_network_error(error))?;
        match token::judge(response.status, &response.body) {
            TokenVerdict::Granted(tokens) => Ok(Response::Granted(tokens)),
            TokenVerdict::Refused(error) if error.error == "invalid_grant" => {
                Ok(Response::SessionEnded(error))
            }
            TokenVerdict::Refused(_) | TokenVerdict::Status(_) => Err(status_error(&self.url, &response)),
            TokenVerdict::Broken(rule) => Err(self.as_network_error(rule.into())),
            TokenVerdict::Unusable(lack) => Err(self.as_network_error(lack.into())),
        }
    }

    /// Turns an invalid response into a network error: it may be a captive portal's page or a redirect to one, and says
    /// nothing about the session.
    fn as_network_error(&self, error: Error) -> Error {
        match error {
            Error::ServerMisbehaved(_) | Error::ServerIncompatible(_) => {
                let (host, detail) = (host_of(&self.url), error.to_string());
                NetworkError::new(NetworkErrorKind::InvalidResponse, &host, &detail).into()
            }
            other => other,
        }
    }

    fn use_replacement(&self, current: Record) -> Result<Outcome> {
        if self.request.fresh_token(&current, self.context.now()).is_some() {
            return Ok(Outcome::Replaced(Box::new(current)));
        }
        let detail = "it replaced the session in the meantime; try again";
        Err(NetworkError::new(NetworkErrorKind::Busy, &current.issuer, detail).into())
    }

    /// Saves that the server rejected this refresh token with `invalid_grant`, so that it is never sent again.
    fn end_session(
        &self,
        staged: Staged<'_>,
        record: Record,
        error: OAuthError,
        lost_at: Option<SystemTime>,
    ) -> Error {
        let tombstone = Tombstone {
            since: self.context.now(),
            error: error.error,
            error_description: error.error_description,
            lost_at,
        };
        match staged.save(Record { tombstone: Some(tombstone.clone()), ..record }) {
            Ok(_) => tombstone.ended().into(),
            Err(error) => error.into(),
        }
    }

    /// Puts the new tokens into the record. What the server did not send stays (RFC 6749 §6).
    fn with_tokens(&self, mut record: Record, tokens: Tokens) -> Record {
        let now = self.context.now();
        let access = record.put_token(self.request.resource.as_deref(), tokens.access_token);
        access.expires_at = tokens.expires_in.map(|lifetime| now + lifetime);
        access.obtained_at = Some(now);
        if let Some(scopes) = tokens.scopes {
            access.scopes = scopes;
        }
        record.secret.refresh_token = tokens.refresh_token.or(record.secret.refresh_token);
        record.secret.id_token = tokens.id_token.or(record.secret.id_token);
        record
    }
}
