//! The verbs that take time, for programs that run on tokio.
//!
//! What takes time runs on a plain thread that nobody waits for: a runtime waits for the threads of its own pool when
//! it ends, and a program could not exit while a server or a keychain keeps silent.

use tokio::sync::oneshot;

use crate::error::Result;
use crate::flow::refresh;
use crate::interrupt::Canceller;
use crate::pass::Hallpass;
use crate::pass::TokenSource;
use crate::pass::shared_fetch::Goal;
use crate::secret::Secret;
use crate::session::{AccessToken, LogoutReport, Session};
use crate::ui::LoginUi;
use crate::user::User;

impl TokenSource {
    /// [`access_token`](TokenSource::access_token) without blocking. A token that is fresh is answered on the spot,
    /// for one read of a small file; all who wait for another one share a thread.
    ///
    /// Dropping the future never ends a refresh: what it brings is saved.
    ///
    /// # Errors
    /// As there.
    pub async fn token(&self) -> Result<AccessToken> {
        self.fetched(None).await
    }

    /// [`renew`](TokenSource::renew) without blocking.
    ///
    /// # Errors
    /// As there.
    pub async fn renewed(&self, refused: &AccessToken) -> Result<AccessToken> {
        self.fetched(Some(refused.secret().clone())).await
    }

    async fn fetched(&self, refused: Option<Secret>) -> Result<AccessToken> {
        if let Some(token) = refresh::at_hand(&self.context, &self.ask(refused.as_ref())) {
            return Ok(token);
        }
        let goal = Goal { wish: self.wish.clone(), refused: refused.clone() };
        let source = self.clone();
        self.fetches.join(goal, move || source.fetch(refused.as_ref())).await
    }
}

impl Hallpass {
    /// [`login`](Hallpass::login) without blocking. Dropping the future cancels this login and nothing else; nothing
    /// is stored then.
    ///
    /// # Errors
    /// As there.
    pub async fn login_async(&self, mut ui: impl LoginUi + Send + 'static) -> Result<Session> {
        let pass = self.cancellable();
        let _cancels_when_dropped = CancelWhenDropped(pass.canceller());
        detached(move || pass.login(&mut ui)).await
    }

    /// [`whoami`](Hallpass::whoami) without blocking.
    ///
    /// # Errors
    /// As there.
    pub async fn whoami_async(&self) -> Result<User> {
        let pass = self.clone();
        detached(move || pass.whoami()).await
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
