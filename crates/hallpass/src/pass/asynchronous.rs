//! The async twins of the calls that take time, for programs on tokio.
//!
//! Their work runs on plain threads. A runtime waits for the threads of its own pool when it shuts down, so a program
//! could not exit while a server or a keychain does not respond.

use tokio::sync::oneshot;

use crate::error::Result;
use crate::flow::refresh::{self, TokenRequest};
use crate::interrupt::Canceller;
use crate::pass::Hallpass;
use crate::pass::TokenSource;
use crate::session::{AccessToken, LogoutReport, Session};
use crate::ui::LoginUi;
use crate::user::User;

impl TokenSource {
    /// Returns a valid access token, like [`access_token`](TokenSource::access_token), without blocking. If the stored
    /// token is fresh, it is returned at the first poll, for the price of reading a small file. All futures that wait
    /// for a refresh share one thread.
    ///
    /// Dropping the future never interrupts a refresh: its tokens are saved.
    ///
    /// # Errors
    /// As [`access_token`](TokenSource::access_token).
    pub async fn access_token_async(&self) -> Result<AccessToken> {
        self.access_token_for(&self.request).await
    }

    /// Returns another access token than a rejected one, like [`refresh`](TokenSource::refresh), without blocking.
    ///
    /// Dropping the future never interrupts a refresh: its tokens are saved.
    ///
    /// # Errors
    /// As [`refresh`](TokenSource::refresh).
    pub async fn refresh_async(&self, rejected: &AccessToken) -> Result<AccessToken> {
        self.access_token_for(&self.request.clone().instead_of(rejected.secret())).await
    }

    async fn access_token_for(&self, request: &TokenRequest) -> Result<AccessToken> {
        if let Some(token) = refresh::access_token_at_once(&self.context, request) {
            return Ok(token);
        }
        let context = self.context.clone();
        let work = move |request: &TokenRequest| refresh::access_token(&context, request);
        self.refreshes.join_or_start(request.clone(), work).await
    }
}

impl Hallpass {
    /// Signs the user in, like [`login`](Hallpass::login), without blocking. Dropping the future cancels this login and
    /// nothing else; nothing is stored then.
    ///
    /// # Errors
    /// As [`login`](Hallpass::login).
    pub async fn login_async(&self, mut ui: impl LoginUi + Send + 'static) -> Result<Session> {
        let pass = self.cancellable();
        let _cancels_when_dropped = CancelWhenDropped(pass.canceller());
        on_a_thread(move || pass.login(&mut ui)).await
    }

    /// Returns the signed-in user, like [`whoami`](Hallpass::whoami), without blocking.
    ///
    /// # Errors
    /// As [`whoami`](Hallpass::whoami).
    pub async fn whoami_async(&self) -> Result<User> {
        let pass = self.clone();
        on_a_thread(move || pass.whoami()).await
    }

    /// Signs the user out, like [`logout`](Hallpass::logout), without blocking. Dropping the future does not stop it.
    ///
    /// # Errors
    /// As [`logout`](Hallpass::logout).
    pub async fn logout_async(&self) -> Result<LogoutReport> {
        let pass = self.clone();
        on_a_thread(move || pass.logout()).await
    }
}

struct CancelWhenDropped(Canceller);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs work to its end, even if the future is dropped.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || drop(done.send(work())));
    result.await.expect("the work panicked on its thread")
}
