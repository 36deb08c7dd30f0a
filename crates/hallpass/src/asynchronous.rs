//! The verbs that take time, for programs that run on tokio.
//!
//! What takes time runs on a plain thread that nobody waits for: a runtime waits for the threads of its own pool when
//! it ends, and a program could not exit while a server or a keychain keeps silent.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::cancel::Canceller;
use crate::error::Result;
use crate::flow;
use crate::flow::refresh::{self, Ask};
use crate::pass::Hallpass;
use crate::session::{AccessToken, LogoutReport, Session};
use crate::token_source::TokenSource;
use crate::ui::LoginUi;

impl TokenSource {
    /// [`access_token`](TokenSource::access_token) without blocking: a token that is fresh is answered at once, on the
    /// spot.
    ///
    /// Dropping the future never ends a refresh: what it brings is saved.
    ///
    /// # Errors
    /// As there.
    pub async fn token(&self) -> Result<AccessToken> {
        if let Some(token) = refresh::at_hand(&self.context, &self.ask()) {
            return Ok(token);
        }
        let source = self.clone();
        detached(move || source.access_token()).await
    }

    /// [`renew`](TokenSource::renew) without blocking.
    ///
    /// # Errors
    /// As there.
    pub async fn renewed(&self, refused: &AccessToken) -> Result<AccessToken> {
        let ask = Ask { rejected: Some(refused.secret()), ..self.ask() };
        if let Some(token) = refresh::at_hand(&self.context, &ask) {
            return Ok(token);
        }
        let (source, refused) = (self.clone(), refused.clone());
        detached(move || source.renew(&refused)).await
    }
}

impl Hallpass {
    /// [`login`](Hallpass::login) without blocking. Dropping the future cancels the login; nothing is stored then.
    ///
    /// # Errors
    /// As there.
    pub async fn login_async(&self, mut ui: impl LoginUi + Send + 'static) -> Result<Session> {
        let context = Arc::new(self.context.with_canceller(self.context.cancel.child()));
        let _cancel_when_dropped = CancelWhenDropped(context.cancel.clone());
        detached(move || flow::login::login(&context, &mut ui)).await
    }

    /// [`logout`](Hallpass::logout) without blocking. Dropping the future does not stop it.
    ///
    /// # Errors
    /// As there.
    pub async fn logout_async(&self) -> Result<LogoutReport> {
        let pass = self.clone();
        detached(move || pass.logout()).await
    }
}

struct CancelWhenDropped(Canceller);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs work to its end, whether or not anybody still waits for it.
async fn detached<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || drop(done.send(work())));
    result.await.expect("the work panicked on its thread")
}
