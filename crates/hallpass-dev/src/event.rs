//! What a log may say about a request.

use std::fmt;

/// One request that was answered, without any value that a log must not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The client that asked, if it is registered.
    pub client: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

/// `GET /authorize demo → 200`
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if let Some(client) = &self.client {
            write!(f, " {client}")?;
        }
        write!(f, " → {}", self.status)
    }
}
