//! One refresh, as a transaction: lock → read again, use what another process saved → reserve space → send → check →
//! save → unlock → verify the new ID token.
//!
//! Every step that could fail later is tried before the refresh token is sent, because a server may accept it only once.

use std::time::{Duration, Instant};

use super::confirm;
use super::exchange::{Exchange, Outcome, Saved};
use super::journal_rules;
use super::note::Note;
use super::token_request::TokenRequest;
use crate::error::{LoginRequired, NetworkError, Result};
use crate::flow::Context;
use crate::flow::endpoint::host_of;
use crate::interrupt::TICK;
use crate::store::{self, LockOrFound, Record};

/// A refresh of the access token that the record `seen` lacks.
pub(super) struct Transaction<'a> {
    context: &'a Context,
    request: &'a TokenRequest,
    seen: &'a Record,
}

/// The record after a refresh, by this process or by another.
pub(super) struct Refreshed {
    pub(super) record: Record,
    pub(super) notes: Vec<Note>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(context: &'a Context, request: &'a TokenRequest, seen: &'a Record) -> Transaction<'a> {
        Transaction { context, request, seen }
    }

    /// Refreshes the token, after waiting for other processes and threads until `lock_limit`.
    pub(super) fn run(&self, lock_limit: Duration) -> Result<Refreshed> {
        self.check_refreshable(self.seen)?;
        let (started, attempts) = (Instant::now(), self.context.store.journal().attempts);
        loop {
            let left = lock_limit.saturating_sub(started.elapsed());
            if let Some(refreshed) = self.attempt(attempts, left)? {
                return Ok(refreshed);
            }
            if left.is_zero() {
                return Err(self.busy(lock_limit).into());
            }
            self.context.cancel.check()?;
            std::thread::sleep(TICK);
        }
    }

    /// Tries once. `attempts` is the journal's count from before this process waited for the lock. Returns `None` if
    /// another process is about to save a record, or just did: the lock file was removed, so both got a lock.
    fn attempt(&self, attempts: u64, lock_limit: Duration) -> Result<Option<Refreshed>> {
        let Transaction { context, request, .. } = self;
        let find = || context.record().ok().filter(|record| self.is_met_by(record));
        let guard = match context.store.lock_or_find(lock_limit, &context.cancel, find)? {
            LockOrFound::Locked(guard) => guard,
            LockOrFound::Found(record) => return Ok(Some(Refreshed { record, notes: Vec::new() })),
        };
        let record = context.record()?;
        if self.is_met_by(&record) {
            return Ok(Some(Refreshed { record, notes: Vec::new() }));
        }
        self.check_refreshable(&record)?;
        let exchange = Exchange::new(context, request, &record)?;
        journal_rules::may_send(&context.store.journal(), attempts, &host_of(&exchange.url), context.now())?;
        let mut notes: Vec<Note> = context.store.sweep().err().map(Note::NotSwept).into_iter().collect();
        if context.store.is_foreign() {
            // Noted once: the record that is saved below is ours again.
            notes.extend(context.store.path().map(|path| Note::ForeignRecord(path.to_owned())));
        }
        let staged = context.store.stage()?;
        // In this order: a process that is no longer a rival has saved by now.
        if staged.has_rivals()? || exchange.replacement()?.is_some() {
            return Ok(None);
        }
        let outcome = exchange.run(record, staged);
        drop(guard);
        let mut refreshed = self.finish(outcome?);
        refreshed.notes.append(&mut notes);
        Ok(Some(refreshed))
    }

    fn is_met_by(&self, record: &Record) -> bool {
        self.request.is_met_by(record, self.seen, self.context.now())
    }

    /// Checks what is known without asking the server.
    fn check_refreshable(&self, record: &Record) -> Result<()> {
        if let Some(tombstone) = &record.tombstone {
            return Err(tombstone.ended().into());
        }
        record.check_writable(self.context.store.path())?;
        if record.secret.refresh_token.is_some() {
            return Ok(());
        }
        match self.request.unexpired_token(record, self.context.now()) {
            Some(_) => Err(LoginRequired::NoRefreshToken.into()),
            None => Err(LoginRequired::Expired.into()),
        }
    }

    fn finish(&self, outcome: Outcome) -> Refreshed {
        match outcome {
            Outcome::Saved(saved) => {
                let Saved { record, id_token, previous_id_token } = *saved;
                let notes = confirm::confirm(self.context, &record, id_token, previous_id_token);
                Refreshed { record, notes }
            }
            Outcome::Replaced(record) => Refreshed { record: *record, notes: Vec::new() },
        }
    }

    fn busy(&self, limit: Duration) -> NetworkError {
        let holder = match self.context.store.journal().in_flight {
            Some(sent) => format!("process {}", sent.pid),
            None => "another process".to_owned(),
        };
        store::busy(&format!("{holder} is about to save it"), limit)
    }
}
