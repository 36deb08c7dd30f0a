//! Tokens for a program that runs for long.

use std::sync::Arc;

use crate::error::Result;
use crate::flow::Context;
use crate::flow::refresh::{self, TokenRequest};
use crate::session::AccessToken;

/// Returns a valid access token whenever it is asked. Cheap to clone and to share between threads.
///
/// Ask it before each request and don't keep the token. The stored session is read anew each time, so a refresh, a
/// sign-out or another account's sign-in by another process takes effect at once. If many threads and processes find
/// the token expired, it is refreshed once.
///
/// A token that has not expired may have been revoked, and only the API can tell: it responds with 401 (RFC 6750 §3.1).
/// On 401, call [`refresh`](TokenSource::refresh), repeat the request once, and report a second 401 as a failure. Don't
/// refresh on 403: the token is valid, but the user lacks the permission.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = hallpass_dev::DevServer::start()?;
/// # let pass = hallpass::Hallpass::builder("mytool", server.issuer(), "demo")
/// #     .browser(server.robot().opener()).storage(hallpass::Storage::Memory).build()?;
/// # pass.login(&mut hallpass::Terminal::new(Box::new(std::io::sink()), false))?;
/// # fn call(_: hallpass::Secret) -> u16 { 401 }
/// let tokens = pass.token_source();
/// let token = tokens.access_token()?;
/// let mut status = call(token.authorization_header());
/// if status == 401 {
///     let token = tokens.refresh(&token)?; // a different token than the rejected one
///     status = call(token.authorization_header()); // once more, and no further
/// }
/// # let _ = status;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenSource {
    pub(super) context: Arc<Context>,
    #[cfg(feature = "tokio")]
    pub(super) refreshes: super::shared_refresh::SharedRefreshes,
    pub(super) request: TokenRequest,
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource").field("request", &self.request).finish_non_exhaustive()
    }
}

impl TokenSource {
    /// Returns a valid access token: the stored one, or a refreshed one if it is about to expire.
    ///
    /// # Errors
    /// As [`Hallpass::access_token_for`](crate::Hallpass::access_token_for).
    pub fn access_token(&self) -> Result<AccessToken> {
        refresh::access_token(&self.context, &self.request)
    }

    /// Returns another access token than the one that a server rejected with 401. If another thread or process has
    /// refreshed it in the meantime, returns the token of that refresh and sends nothing.
    ///
    /// # Errors
    /// As [`Hallpass::access_token_for`](crate::Hallpass::access_token_for). If the refresh fails, this fails too,
    /// however long the rejected token would still be valid.
    pub fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken> {
        refresh::access_token(&self.context, &self.request.clone().instead_of(rejected.secret()))
    }
}
