//! The record of all requests.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::oauth::http_request::HttpRequest;

/// All requests to a server in the order of arrival, for tests that check what a client sends.
///
/// A clone shares the entries. They hold codes, tokens and passwords in clear text; [`Debug`] prints parameter names
/// only.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    last_id: u64,
    entries: Vec<Entry>,
}

/// A request in the [`Journal`].
#[derive(Clone)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the request, counted from the start of the server.
    pub id: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The parameters of the query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The parameters of an `application/x-www-form-urlencoded` body, decoded, in order.
    pub form: Vec<(String, String)>,
    /// Whether the request has an `Authorization` header.
    pub has_authorization: bool,
    /// The `Host` header.
    pub host: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The status of the response. `None` until there is one, and if the client disconnects before.
    pub status: Option<u16>,
    /// The time of arrival.
    pub when: Instant,
    /// The number of the TCP connection. Requests with the same number shared a connection.
    pub connection: u64,
}

impl Entry {
    fn new(id: u64, http: &HttpRequest, connection: u64) -> Entry {
        Entry {
            id,
            method: http.method.to_string(),
            path: http.path.clone(),
            query: http.query.to_text(),
            form: http.form.as_ref().map(|form| form.to_text()).unwrap_or_default(),
            has_authorization: http.header("authorization").is_some(),
            host: http.header("host").map(str::to_owned),
            user_agent: http.header("user-agent").map(str::to_owned),
            content_type: http.header("content-type").map(str::to_owned),
            status: None,
            when: Instant::now(),
            connection,
        }
    }

    /// Returns the first value of a parameter, from the form or else from the query.
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
    /// Returns all entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    /// Returns the entries for a path, such as `/token`.
    pub fn requests_to(&self, path: &str) -> Vec<Entry> {
        self.lock().entries.iter().filter(|entry| entry.path == path).cloned().collect()
    }

    /// Returns the number of requests to a path.
    pub fn count(&self, path: &str) -> usize {
        self.lock().entries.iter().filter(|entry| entry.path == path).count()
    }

    /// Returns the number of TCP connections that the entries came on.
    pub fn connections(&self) -> usize {
        self.lock().entries.iter().map(|entry| entry.connection).collect::<HashSet<_>>().len()
    }

    /// Removes all entries.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    /// Adds a request and returns its ID.
    pub(crate) fn record(&self, http: &HttpRequest, connection: u64) -> u64 {
        let mut journal = self.lock();
        journal.last_id += 1;
        let id = journal.last_id;
        journal.entries.push(Entry::new(id, http, connection));
        id
    }

    pub(crate) fn set_status(&self, id: u64, status: u16) {
        if let Some(entry) = self.lock().entries.iter_mut().rfind(|entry| entry.id == id) {
            entry.status = Some(status);
        }
    }

    /// Locks the entries. A poisoned lock is fine, as every change is complete in itself.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
