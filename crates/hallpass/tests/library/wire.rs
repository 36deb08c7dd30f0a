//! The way to a server, on which requests and answers get lost as told.

use std::collections::VecDeque;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::world::clock::Clock;
use hallpass::world::http::{Client, ClientSettings, Http, HttpRequest, HttpResponse};
use zeroize::Zeroizing;

/// What happens to one refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It arrives and is answered.
    None,
    /// It does not arrive, and that is known or not.
    Unsent(NetworkErrorKind),
    /// It arrives; its answer does not.
    Lost(NetworkErrorKind),
    /// Somebody on the way answers, with this status, pause and body.
    Instead(u16, Option<u64>, &'static str),
    /// The process is killed before it is sent.
    KilledBefore,
    /// The process is killed when the server has answered.
    KilledAfter,
    /// The process is killed when it looks at its [clock](Wire::mortal) the next time: it has the answer, and has not
    /// saved it.
    KilledBeforeSaving,
}

/// Thrown where a process is killed; nothing is printed for it.
pub(crate) struct Killed;

/// Runs something in which the process may be killed: then there is no result.
pub(crate) fn until_killed<T>(work: impl FnOnce() -> T) -> Option<T> {
    match panic::catch_unwind(panic::AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(thrown) if thrown.is::<Killed>() => None,
        Err(thrown) => panic::resume_unwind(thrown),
    }
}

/// Mishaps for the next refreshes, in order; after them nothing happens.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Inside>);

#[derive(Default)]
struct Inside {
    mishaps: Mutex<VecDeque<Mishap>>,
    limits: Mutex<Vec<Duration>>,
    is_doomed: AtomicBool,
    watcher: Mutex<Option<Watcher>>,
}

type Watcher = Arc<dyn Fn() + Send + Sync>;

impl Wire {
    pub(crate) fn suffer(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        *self.0.mishaps.lock().unwrap() = mishaps.into_iter().collect();
    }

    /// Before each refresh is sent.
    pub(crate) fn before_each(&self, watcher: impl Fn() + Send + Sync + 'static) {
        *self.0.watcher.lock().unwrap() = Some(Arc::new(watcher));
    }

    /// The time limits of the refreshes that were tried.
    pub(crate) fn limits(&self) -> Vec<Duration> {
        self.0.limits.lock().unwrap().clone()
    }

    /// The refreshes that were tried.
    pub(crate) fn count(&self) -> usize {
        self.limits().len()
    }

    /// The real client at this end.
    pub(crate) fn plain(&self) -> impl Http {
        self.to(Client::new(ClientSettings::default()))
    }

    /// Anything at this end.
    pub(crate) fn to(&self, http: impl Http) -> impl Http {
        OverWire { wire: self.clone(), http }
    }

    /// A clock at which the process may die.
    pub(crate) fn mortal(&self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> impl Clock {
        let wire = self.clone();
        move || {
            if wire.0.is_doomed.swap(false, Ordering::SeqCst) {
                panic::resume_unwind(Box::new(Killed));
            }
            clock()
        }
    }

    fn next(&self) -> Mishap {
        self.0.mishaps.lock().unwrap().pop_front().unwrap_or(Mishap::None)
    }
}

struct OverWire<H> {
    wire: Wire,
    http: H,
}

impl<H: Http> Http for OverWire<H> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        if !request.form.as_ref().is_some_and(|form| form.contains("grant_type=refresh_token")) {
            return self.http.send(request);
        }
        self.wire.0.limits.lock().unwrap().push(request.timeout);
        let watcher = self.wire.0.watcher.lock().unwrap().clone();
        watcher.into_iter().for_each(|watch| watch());
        let failed = |kind| Err(NetworkError::new(kind, request.url.host_str().unwrap(), "as told"));
        match self.wire.next() {
            Mishap::None => self.http.send(request),
            Mishap::Unsent(kind) => failed(kind),
            Mishap::Lost(kind) => self.http.send(request).and_then(|_| failed(kind)),
            Mishap::Instead(status, pause, body) => Ok(answer(status, pause, body)),
            Mishap::KilledBefore => panic::resume_unwind(Box::new(Killed)),
            Mishap::KilledAfter => {
                let _ = self.http.send(request);
                panic::resume_unwind(Box::new(Killed))
            }
            Mishap::KilledBeforeSaving => {
                let answer = self.http.send(request);
                self.wire.0.is_doomed.store(answer.is_ok(), Ordering::SeqCst);
                answer
            }
        }
    }
}

fn answer(status: u16, pause: Option<u64>, body: &str) -> HttpResponse {
    let headers = pause.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
    HttpResponse {
        status,
        headers: headers.into_iter().collect(),
        body: Zeroizing::new(body.as_bytes().to_vec()),
        truncated: false,
    }
}
