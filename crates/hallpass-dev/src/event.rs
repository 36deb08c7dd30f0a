//! Log events.

use std::fmt;

/// A completed request, for a log line such as `GET /authorize demo → 200`.
///
/// It holds no codes, tokens or other values of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The client ID. `None` if the request names no registered client.
    pub client: Option<String>,
    /// The status of the response.
    pub status: u16,
}

/// The callback of [`Builder::on_event`](crate::Builder::on_event).
pub(crate) type OnEvent = Box<dyn Fn(&Event) + Send + Sync>;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if let Some(client) = &self.client {
            write!(f, " {client}")?;
        }
        write!(f, " → {}", self.status)
    }
}
