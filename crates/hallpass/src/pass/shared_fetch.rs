//! One thread for all futures that wait for the same token: a program with a thousand requests under way would
//! otherwise have a thousand threads when the token ends.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::error::Result;
use crate::flow::refresh::TokenWish;
use crate::secret::Secret;
use crate::session::AccessToken;

/// What a fetch is to bring.
#[derive(Clone, PartialEq)]
pub(crate) struct Goal {
    pub(crate) wish: TokenWish,
    /// What a server refused: any other token will do.
    pub(crate) refused: Option<Secret>,
}

/// What is being fetched now, and for whom.
#[derive(Clone, Default)]
pub(crate) struct SharedFetches(Arc<Mutex<Vec<Fetch>>>);

struct Fetch {
    goal: Goal,
    waiting: Vec<oneshot::Sender<Result<AccessToken>>>,
}

impl SharedFetches {
    /// What the fetch that has this goal already brings, else what `work` does.
    pub(crate) async fn join(
        &self,
        goal: Goal,
        work: impl FnOnce() -> Result<AccessToken> + Send + 'static,
    ) -> Result<AccessToken> {
        let (done, outcome) = oneshot::channel();
        self.start_or_join(goal, done, work);
        outcome.await.expect("the work panicked on its thread")
    }

    fn start_or_join(
        &self,
        goal: Goal,
        done: oneshot::Sender<Result<AccessToken>>,
        work: impl FnOnce() -> Result<AccessToken> + Send + 'static,
    ) {
        let mut fetches = self.lock();
        if let Some(fetch) = fetches.iter_mut().find(|fetch| fetch.goal == goal) {
            fetch.waiting.push(done);
            return;
        }
        let (all, of) = (self.clone(), goal.clone());
        thread::spawn(move || all.run(&of, work));
        fetches.push(Fetch { goal, waiting: vec![done] });
    }

    /// After a panic nobody is left waiting.
    fn run(&self, goal: &Goal, work: impl FnOnce() -> Result<AccessToken>) {
        let outcome = panic::catch_unwind(AssertUnwindSafe(work));
        let done: Vec<Fetch> = self.lock().extract_if(.., |fetch| fetch.goal == *goal).collect();
        let Ok(outcome) = outcome else { return };
        for waiting in done.into_iter().flat_map(|fetch| fetch.waiting) {
            let _ = waiting.send(outcome.clone()); // one that was dropped meanwhile wants it no more
        }
    }

    /// Nothing here is ever half changed.
    fn lock(&self) -> MutexGuard<'_, Vec<Fetch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
