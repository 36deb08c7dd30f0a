//! Tokens for a program that runs for long.

use std::sync::Arc;

use crate::error::Result;
use crate::flow::Context;
use crate::flow::refresh::TokenWish;
use crate::flow::refresh::{self, Ask};
use crate::secret::Secret;
use crate::session::AccessToken;

/// Hands out a valid access token whenever it is asked; cheap to clone and to share between threads.
///
/// Ask it for each request, and keep no token: the record is read anew each time, so that a renewal, a logout or
/// another account's login by another process counts at once. Any number of threads and processes that find the token
/// expired renew it once.
///
/// A token that looks alive may have been revoked, and only a server's answer tells: 401 (RFC 6750 §3.1), and nothing
/// else. 403 means that the token is good and the user may not; a new one would not help. So the pattern is: on 401
/// [`renew`](TokenSource::renew), repeat the request once, and report a second 401 as the failure that it is.
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
///     let token = tokens.renew(&token)?; // another one than the server refused
///     status = call(token.authorization_header()); // once more, and no further
/// }
/// # let _ = status;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenSource {
    pub(crate) context: Arc<Context>,
    #[cfg(feature = "tokio")]
    pub(super) fetches: super::shared_fetch::SharedFetches,
    pub(crate) wish: TokenWish,
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource").field("wish", &self.wish).finish_non_exhaustive()
    }
}

impl TokenSource {
    /// A token that is valid now, as [`Hallpass::access_token_with`](crate::Hallpass::access_token_with) hands it
    /// out.
    ///
    /// # Errors
    /// As there.
    pub fn access_token(&self) -> Result<AccessToken> {
        self.fetch(None)
    }

    /// Another token than the one that a server just refused. If another thread or process renewed it meanwhile, its
    /// token is taken and nothing is sent.
    ///
    /// # Errors
    /// As [`access_token`](TokenSource::access_token); a token that merely still works is not enough.
    pub fn renew(&self, refused: &AccessToken) -> Result<AccessToken> {
        self.fetch(Some(refused.secret()))
    }

    pub(crate) fn fetch(&self, refused: Option<&Secret>) -> Result<AccessToken> {
        refresh::access_token(&self.context, &self.ask(refused))
    }

    pub(crate) fn ask<'a>(&'a self, refused: Option<&'a Secret>) -> Ask<'a> {
        Ask { rejected: refused, ..self.wish.ask() }
    }
}
