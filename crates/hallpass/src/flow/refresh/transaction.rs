//! One refresh, all of it or nothing of it: lock → read again, adopt what another process wrote → reserve space →
//! send → judge → save → unlock → verify the new ID token.
//!
//! What can fail late is tried before the refresh token, which may be good for one use only, is spent.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Map;
use url::Url;

use super::{Ask, confirm, journal_rules, may_be_renewed};
use crate::error::{
    Error, LoginRequired, NetworkError, NetworkErrorKind, OAuthError, Result, ServerIncompatible,
};
use crate::flow::endpoint::{client_auth, endpoint_of, host_of, post, status_error};
use crate::flow::{Context, LOCK_LIMIT};
use crate::interrupt::TICK;
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::{self, TokenVerdict, Tokens};
use crate::secret::Secret;
use crate::store::{Access, Fingerprint, Record, Staged, Tombstone, Wait};

/// A refresh takes no longer, with the second try that it may need.
const LIMIT: Duration = Duration::from_secs(30);
/// What the first try may take of it.
const FIRST_TRY: Duration = Duration::from_secs(20);
/// With less than this left there is no second one: it would only lose another answer.
const LEAST_TRY: Duration = Duration::from_secs(1);

/// A record that answers what was asked, and remarks.
type Renewed = (Record, Vec<String>);

/// Whoever has a token that still works does not queue for the lock.
pub(super) fn run(context: &Context, ask: &Ask<'_>, seen: &Record, can_do_without: bool) -> Result<Renewed> {
    let (begun, attempts) = (Instant::now(), context.store.journal().attempts);
    let limit = if can_do_without { Duration::ZERO } else { LOCK_LIMIT };
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        if let Some(renewed) = attempt(context, ask, seen, attempts, left)? {
            return Ok(renewed);
        }
        if left.is_zero() {
            return Err(kept_busy(context, limit).into());
        }
        context.cancel.check()?;
        std::thread::sleep(TICK);
    }
}

/// `None` while another process is about to save, or just did: somebody removed the file that it locked.
fn attempt(
    context: &Context,
    ask: &Ask<'_>,
    seen: &Record,
    attempts: u64,
    limit: Duration,
) -> Result<Option<Renewed>> {
    let will_do = |record: &Record| ask.is_satisfied(seen, record, context.now());
    let guard = match context.lock_unless(limit, || context.record().ok().filter(will_do))? {
        Wait::Locked(guard) => guard,
        Wait::Found(record) => return Ok(Some((record, Vec::new()))),
    };
    let record = context.record()?;
    if will_do(&record) {
        return Ok(Some((record, Vec::new())));
    }
    may_be_renewed(context, &record, ask)?;
    let spending = Spending::of(context, ask, &record)?;
    journal_rules::may_send(&context.store.journal(), attempts, &host_of(&spending.url), context.now())?;
    let left_over = context.store.sweep().err().map(|error| error.to_string());
    let foreign = context.store.is_foreign().then(|| written_over(context));
    let staged = context.store.stage()?;
    // In this order: who is no rival any more has saved by now.
    if staged.has_rivals()? || spending.replaced()?.is_some() {
        return Ok(None);
    }
    let outcome = spending.run(record, staged);
    drop(guard);
    let (record, mut notes) = finished(context, outcome?);
    notes.extend(left_over.into_iter().chain(foreign));
    Ok(Some((record, notes)))
}

fn finished(context: &Context, outcome: Outcome) -> Renewed {
    match outcome {
        Outcome::Saved(saved) => {
            let Saved { record, id_token, before } = *saved;
            confirm::id_token(context, record, id_token, before)
        }
        Outcome::Adopted(record) => (*record, Vec::new()),
    }
}

/// Told once: what is saved next is ours again.
fn written_over(context: &Context) -> String {
    let path = context.store.path().map(|path| path.display().to_string()).unwrap_or_default();
    format!(
        "another program wrote to the sign-in record {path}; one that renews tokens by itself can end the sign-in: let it ask for them here"
    )
}

fn kept_busy(context: &Context, limit: Duration) -> NetworkError {
    let holder = context.store.journal().in_flight.map(|sent| format!("process {}", sent.pid));
    let holder = holder.unwrap_or_else(|| "another process".to_owned());
    let detail = format!("{holder} is about to save one for more than {} s", limit.as_secs());
    NetworkError::new(NetworkErrorKind::Busy, "", &detail)
}

/// A refresh token on its way to the server. From the moment that it is sent until what came is saved, the process
/// should not end.
struct Spending<'a> {
    context: &'a Context,
    ask: &'a Ask<'a>,
    url: Url,
    refresh_token: Secret,
    token: Fingerprint,
}

enum Outcome {
    Saved(Box<Saved>),
    Adopted(Box<Record>),
}

struct Saved {
    record: Record,
    id_token: Option<confirm::NewIdToken>,
    /// The one that the new ID token took the place of.
    before: Option<Secret>,
}

enum Answer {
    Granted(Tokens),
    Ended(OAuthError),
}

impl<'a> Spending<'a> {
    fn of(context: &'a Context, ask: &'a Ask<'a>, record: &Record) -> Result<Spending<'a>> {
        let url = endpoint_of(record, Endpoint::Token)
            .ok_or(ServerIncompatible::NoEndpoint(Endpoint::Token.member()))?;
        let refresh_token = record.secret.refresh_token.clone().ok_or(LoginRequired::NoRefreshToken)?;
        let token = Fingerprint::from_token(&refresh_token);
        Ok(Spending { context, ask, url, refresh_token, token })
    }

    /// Sends and saves; the journal has it from before the first byte until after the last.
    fn run(&self, record: Record, staged: Staged<'_>) -> Result<Outcome> {
        // In this order: whoever cancels and waits for what is saved misses nothing in between.
        let _saving = self.context.saving.begin();
        self.context.cancel.check()?;
        let mut journal = self.context.store.journal();
        let mut lost_at = journal_rules::lost_at(&journal, &self.token);
        journal_rules::begin(&mut journal, self.token.clone(), lost_at.unwrap_or(self.context.now()));
        self.context.store.note(&journal);
        let outcome = self.send_and_save(record, staged, &mut lost_at);
        journal = self.context.store.journal();
        let outcome = match outcome {
            Err(error) if !matches!(error, Error::LoginRequired(_)) => {
                Err(journal_rules::fail(&mut journal, self.token.clone(), lost_at, error, self.context.now()))
            }
            outcome => {
                journal_rules::succeed(&mut journal);
                outcome
            }
        };
        self.context.store.note(&journal);
        outcome
    }

    fn send_and_save(
        &self,
        record: Record,
        staged: Staged<'_>,
        lost_at: &mut Option<SystemTime>,
    ) -> Result<Outcome> {
        let answer = self.answer(&record, lost_at)?;
        if let Some(other) = self.replaced()? {
            return self.adopted(other);
        }
        let mut tokens = match answer {
            Answer::Granted(tokens) => tokens,
            Answer::Ended(error) => return Err(self.bury(staged, record, error, *lost_at)),
        };
        let id_token = confirm::judge(&record, &mut tokens)?;
        let before = record.secret.id_token.clone();
        let record = staged.save(renewed(record, tokens, self.ask, self.context.now()))?;
        Ok(Outcome::Saved(Box::new(Saved { record, id_token, before })))
    }

    /// The server's answer. If it was lost on the way, the same token is sent once more, at once: where the server had
    /// replaced it already, only a prompt repeat can be forgiven.
    fn answer(&self, record: &Record, lost_at: &mut Option<SystemTime>) -> Result<Answer> {
        let begun = Instant::now();
        let first = self.send(record, FIRST_TRY);
        let Err(Error::Network(error)) = &first else { return first };
        if !journal_rules::is_ambiguous(error) {
            return first;
        }
        lost_at.get_or_insert(self.context.now());
        let left = LIMIT.saturating_sub(begun.elapsed());
        if left < LEAST_TRY {
            return first;
        }
        log::debug!("the answer to a refresh was lost ({error}); asking once more");
        self.send(record, left)
    }

    fn send(&self, record: &Record, limit: Duration) -> Result<Answer> {
        let first = record.access.first();
        let resource = self.ask.resource.or(first.and_then(|access| access.resource.as_deref()));
        let form = token::refresh_request(&client_auth(record), &self.refresh_token, resource);
        let mut request = post(&self.url, form);
        request.timeout = limit;
        let answer = self.context.send("token endpoint", request).map_err(|error| self.kept(error))?;
        match token::judge(answer.status, &answer.body) {
            TokenVerdict::Granted(tokens) => Ok(Answer::Granted(tokens)),
            TokenVerdict::Refused(error) if error.error == "invalid_grant" => Ok(Answer::Ended(error)),
            TokenVerdict::Refused(_) | TokenVerdict::Status(_) => Err(status_error(&self.url, &answer)),
            TokenVerdict::Broken(rule) => Err(self.kept(rule.into())),
            TokenVerdict::Unusable(lack) => Err(self.kept(lack.into())),
        }
    }

    /// An answer that makes no sense (a captive portal's page, a redirect to it) says nothing about the session.
    fn kept(&self, error: Error) -> Error {
        match error {
            Error::ServerMisbehaved(_) | Error::ServerIncompatible(_) => {
                NetworkError::new(NetworkErrorKind::InvalidResponse, &host_of(&self.url), &error.to_string())
                    .into()
            }
            other => other,
        }
    }

    /// What stands in the record's place by now: a logout passes over a lock that is held for long, and not
    /// every file system keeps locks. Neither a tombstone nor a renewed token may undo that. A record that cannot be
    /// read just now was not replaced as far as anybody knows, and the new token must not be lost for it.
    ///
    /// # Errors
    /// [`LoginRequired`] after a logout.
    fn replaced(&self) -> Result<Option<Record>> {
        match self.context.record() {
            Ok(current) => {
                let is_same = current.secret.refresh_token.as_ref() == Some(&self.refresh_token);
                Ok((!is_same).then_some(current))
            }
            Err(error @ Error::LoginRequired(_)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn adopted(&self, other: Record) -> Result<Outcome> {
        if self.ask.fresh(&other, self.context.now()).is_some() {
            return Ok(Outcome::Adopted(Box::new(other)));
        }
        let detail = "another process replaced it meanwhile; try again";
        Err(NetworkError::new(NetworkErrorKind::Busy, &other.issuer, detail).into())
    }

    /// The server answered `invalid_grant` to exactly the stored token: written down, so that nobody asks again.
    fn bury(
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
}

/// The record with what came; what did not come stays (RFC 6749 §6).
fn renewed(mut record: Record, tokens: Tokens, ask: &Ask<'_>, now: SystemTime) -> Record {
    let index = record.access_index(ask.resource).unwrap_or_else(|| {
        let scopes = record.access.first().map(|access| access.scopes.clone()).unwrap_or_default();
        let resource = ask.resource.map(str::to_owned);
        record.access.push(Access {
            resource,
            scopes,
            expires_at: None,
            obtained_at: None,
            unknown: Map::new(),
        });
        record.secret.access_tokens.push(tokens.access_token.clone());
        record.access.len() - 1
    });
    let access = &mut record.access[index];
    access.expires_at = tokens.expires_in.map(|lifetime| now + lifetime);
    access.obtained_at = Some(now);
    access.scopes = tokens.scopes.unwrap_or_else(|| access.scopes.clone());
    record.secret.access_tokens[index] = tokens.access_token;
    record.secret.refresh_token = tokens.refresh_token.or(record.secret.refresh_token);
    record.secret.id_token = tokens.id_token.or(record.secret.id_token);
    record
}
