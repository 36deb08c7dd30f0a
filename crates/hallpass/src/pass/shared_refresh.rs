//! One thread for all futures that wait for the same token. Without it, a program with a thousand requests in progress
//! would start a thousand threads when its token expires.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::error::Result;
use crate::flow::refresh::TokenRequest;
use crate::session::AccessToken;

/// The refreshes in progress.
#[derive(Clone, Default)]
pub(super) struct SharedRefreshes(Arc<Mutex<Vec<Refresh>>>);

struct Refresh {
    request: TokenRequest,
    waiters: Vec<oneshot::Sender<Result<AccessToken>>>,
}

impl SharedRefreshes {
    /// Waits for the refresh with the same request, or else starts one with `work` on a thread.
    pub(super) async fn join_or_start(
        &self,
        request: TokenRequest,
        work: impl FnOnce(&TokenRequest) -> Result<AccessToken> + Send + 'static,
    ) -> Result<AccessToken> {
        let (waiter, token) = oneshot::channel();
        self.add(request, waiter, work);
        token.await.expect("the thread of the refresh panicked")
    }

    fn add(
        &self,
        request: TokenRequest,
        waiter: oneshot::Sender<Result<AccessToken>>,
        work: impl FnOnce(&TokenRequest) -> Result<AccessToken> + Send + 'static,
    ) {
        let mut refreshes = self.lock();
        if let Some(refresh) = refreshes.iter_mut().find(|refresh| refresh.request == request) {
            refresh.waiters.push(waiter);
            return;
        }
        let (shared, started) = (self.clone(), request.clone());
        thread::spawn(move || shared.run(&started, work));
        refreshes.push(Refresh { request, waiters: vec![waiter] });
    }

    fn run(&self, request: &TokenRequest, work: impl FnOnce(&TokenRequest) -> Result<AccessToken>) {
        // If the work panics, dropping the waiters makes each of them panic too, instead of waiting forever.
        let result = panic::catch_unwind(AssertUnwindSafe(|| work(request)));
        let done: Vec<Refresh> = self.lock().extract_if(.., |refresh| refresh.request == *request).collect();
        let Ok(result) = result else { return };
        for waiter in done.into_iter().flat_map(|refresh| refresh.waiters) {
            let _ = waiter.send(result.clone()); // fails if the future was dropped
        }
    }

    // A panic cannot leave the list half-changed, so a poisoned lock is still usable.
    fn lock(&self) -> MutexGuard<'_, Vec<Refresh>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
