//! Time and size limits of HTTP.

use std::time::Duration;

/// For a name lookup, and again for connecting with everything that belongs to it (proxy, TLS). Long enough for a
/// lost SYN to be sent three times.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// A connection opened or used within this time counts as fresh. Under 5 s, when the most impatient servers (Node's
/// default) close idle connections.
pub(super) const FRESH: Duration = Duration::from_secs(4);

/// A connection idle for longer isn't used again: something on the path may have forgotten it without telling us,
/// and the request would wait for a response that can't come.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// Status line and headers together.
pub(super) const HEADERS: usize = 32 * 1024;

/// Room for a body whose length isn't announced: more than any response with tokens in it.
pub(super) const UNANNOUNCED_BODY: usize = 64 * 1024;
