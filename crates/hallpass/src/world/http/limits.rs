//! How long and how large.

use std::time::Duration;

/// Connecting, with everything that belongs to it (proxy, TLS), gets this long; so does looking up
/// the name before. Long enough for a lost SYN to be sent three times, short enough to wait for.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// A connection that was used or opened within this time counts as fresh. Under 5 s, where the most
/// impatient servers (Node's default) close idle connections.
pub(super) const FRESH: Duration = Duration::from_secs(4);

/// An older idle connection is not used: something between us and the server may have forgotten it
/// without telling, and the request would wait for an answer that cannot come.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// Status line and headers together.
pub(super) const HEADERS: usize = 32 * 1024;

/// What to make room for where the length of a body is not told: more than any answer with tokens in it.
pub(super) const UNTOLD_BODY: u64 = 64 * 1024;

/// Read buffer; more than [`HEADERS`], else ureq takes too large headers for a closed connection.
pub(super) const INPUT_BUFFER: usize = HEADERS + 8 * 1024;

/// Write buffer: a TLS record's worth.
pub(super) const OUTPUT_BUFFER: usize = 16 * 1024;
