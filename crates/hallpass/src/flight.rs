//! One thread for all futures that wait for the same token: a program with a thousand requests under way would
//! otherwise have a thousand threads when the token ends.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::error::Result;
use crate::pass::TokenWish;
use crate::secret::Secret;
use crate::session::AccessToken;

/// What a flight is to bring.
#[derive(Clone, PartialEq)]
pub(crate) struct Goal {
    pub(crate) wish: TokenWish,
    /// What a server refused: any other token will do.
    pub(crate) refused: Option<Secret>,
}

/// What is being fetched now, and for whom.
#[derive(Clone, Default)]
pub(crate) struct Flights(Arc<Mutex<Vec<Flight>>>);

struct Flight {
    goal: Goal,
    waiting: Vec<oneshot::Sender<Result<AccessToken>>>,
}

impl Flights {
    /// What the flight that has this goal already brings, else what `work` does.
    pub(crate) async fn board(
        &self,
        goal: Goal,
        work: impl FnOnce() -> Result<AccessToken> + Send + 'static,
    ) -> Result<AccessToken> {
        let (landed, outcome) = oneshot::channel();
        self.enter(goal, landed, work);
        outcome.await.expect("the work panicked on its thread")
    }

    fn enter(
        &self,
        goal: Goal,
        landed: oneshot::Sender<Result<AccessToken>>,
        work: impl FnOnce() -> Result<AccessToken> + Send + 'static,
    ) {
        let mut flights = self.lock();
        if let Some(flight) = flights.iter_mut().find(|flight| flight.goal == goal) {
            flight.waiting.push(landed);
            return;
        }
        let (all, destination) = (self.clone(), goal.clone());
        thread::spawn(move || all.fly(&destination, work));
        flights.push(Flight { goal, waiting: vec![landed] });
    }

    /// After a panic nobody is left waiting.
    fn fly(&self, goal: &Goal, work: impl FnOnce() -> Result<AccessToken>) {
        let outcome = panic::catch_unwind(AssertUnwindSafe(work));
        let landed: Vec<Flight> = self.lock().extract_if(.., |flight| flight.goal == *goal).collect();
        let Ok(outcome) = outcome else { return };
        for waiting in landed.into_iter().flat_map(|flight| flight.waiting) {
            let _ = waiting.send(outcome.clone()); // one that was dropped meanwhile wants it no more
        }
    }

    /// Nothing here is ever half changed.
    fn lock(&self) -> MutexGuard<'_, Vec<Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
