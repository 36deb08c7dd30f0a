//! What the server was sent.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::oauth::received::Received;

/// Every request in the order of arrival, for tests that ask what a client really sent.
///
/// A clone reads the same journal. Values are kept in clear, as this is a server for tests;
/// [`Debug`] prints names only.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    next: u64,
    entries: Vec<Entry>,
}

/// One request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Entry {
    /// Its number since the start of the server.
    pub id: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The parameters of the query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The parameters of an `application/x-www-form-urlencoded` body, decoded, in order.
    pub form: Vec<(String, String)>,
    /// Whether there was an `Authorization` header.
    pub has_authorization: bool,
    /// The `Host` header.
    pub host: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The status answered; `None` while the request is being answered, or when its sender went away.
    pub status: Option<u16>,
    /// When it arrived.
    pub when: Instant,
    /// The TCP connection it came on: requests with the same number shared one.
    pub connection: u64,
}

impl Entry {
    /// The first value of a parameter, from the form or else the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut all = self.form.iter().chain(&self.query);
        all.find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| pairs.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        f.debug_struct("Entry")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &names(&self.query))
            .field("form", &names(&self.form))
            .field("has_authorization", &self.has_authorization)
            .field("status", &self.status)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

impl Journal {
    /// All entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    /// The entries for one path, such as `/token`.
    pub fn requests_to(&self, path: &str) -> Vec<Entry> {
        self.lock().entries.iter().filter(|entry| entry.path == path).cloned().collect()
    }

    /// How many requests came for one path.
    pub fn count(&self, path: &str) -> usize {
        self.lock().entries.iter().filter(|entry| entry.path == path).count()
    }

    /// How many TCP connections the entries came on.
    pub fn connections(&self) -> usize {
        self.lock().entries.iter().map(|entry| entry.connection).collect::<HashSet<_>>().len()
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    pub(crate) fn arrived(&self, received: &Received, connection: u64) -> u64 {
        let mut journal = self.lock();
        journal.next += 1;
        let id = journal.next;
        journal.entries.push(entry(id, received, connection));
        id
    }

    pub(crate) fn answered(&self, id: u64, status: u16) {
        if let Some(entry) = self.lock().entries.iter_mut().rfind(|entry| entry.id == id) {
            entry.status = Some(status);
        }
    }

    /// An entry is whole before and after every change, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(id: u64, received: &Received, connection: u64) -> Entry {
    Entry {
        id,
        method: received.method.to_string(),
        path: received.path.clone(),
        query: received.query.to_text(),
        form: received.form.as_ref().map(|form| form.to_text()).unwrap_or_default(),
        has_authorization: received.header("authorization").is_some(),
        host: received.header("host").map(str::to_owned),
        user_agent: received.header("user-agent").map(str::to_owned),
        content_type: received.header("content-type").map(str::to_owned),
        status: None,
        when: Instant::now(),
        connection,
    }
}
