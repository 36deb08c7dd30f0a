//! A network that loses requests and responses on demand, and kills the process that sends them.

use std::collections::VecDeque;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::world::clock::Clock;
use hallpass::world::http::{Client, ClientSettings, Http, HttpRequest, HttpResponse};
use zeroize::Zeroizing;

/// The fault of one refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Request and response arrive.
    None,
    /// The request does not arrive.
    Unsent(NetworkErrorKind),
    /// The request arrives; the response does not.
    Lost(NetworkErrorKind),
    /// A proxy responds instead, with this status, `Retry-After` and body.
    Instead(u16, Option<u64>, &'static str),
    /// The process is killed before it sends the request.
    KilledBefore,
    /// The process is killed after the server responded.
    KilledAfter,
    /// The process is killed when it reads its [clock](UnreliableNetwork::deadly_clock) next: it has the response, and has
    /// not saved it.
    KilledBeforeSaving,
}

/// The panic payload of a killed process; nothing is printed for it.
pub(crate) struct Killed;

/// Runs something in which the process may be killed; then returns `None`.
pub(crate) fn until_killed<T>(work: impl FnOnce() -> T) -> Option<T> {
    match panic::catch_unwind(panic::AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(thrown) if thrown.is::<Killed>() => None,
        Err(thrown) => panic::resume_unwind(thrown),
    }
}

/// Faults for the next refreshes, in order.
#[derive(Clone, Default)]
pub(crate) struct UnreliableNetwork(Arc<Shared>);

#[derive(Default)]
struct Shared {
    faults: Mutex<VecDeque<Fault>>,
    limits: Mutex<Vec<Duration>>,
    is_doomed: AtomicBool,
    hook: Mutex<Option<Hook>>,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

impl UnreliableNetwork {
    pub(crate) fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.0.faults.lock().unwrap() = faults.into_iter().collect();
    }

    /// Runs a hook before each refresh is sent.
    pub(crate) fn before_each(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.0.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    /// Returns the time limits of the refreshes that were tried.
    pub(crate) fn limits(&self) -> Vec<Duration> {
        self.0.limits.lock().unwrap().clone()
    }

    /// Counts the refreshes that were tried.
    pub(crate) fn count(&self) -> usize {
        self.limits().len()
    }

    /// Sends through the real client.
    pub(crate) fn plain(&self) -> impl Http {
        self.to(Client::new(ClientSettings::default()))
    }

    /// Sends through any client.
    pub(crate) fn to(&self, http: impl Http) -> impl Http {
        UnreliableHttp { network: self.clone(), http }
    }

    /// Returns a clock that kills the process at [`Fault::KilledBeforeSaving`].
    pub(crate) fn deadly_clock(&self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> impl Clock {
        let network = self.clone();
        move || {
            if network.0.is_doomed.swap(false, Ordering::SeqCst) {
                panic::resume_unwind(Box::new(Killed));
            }
            clock()
        }
    }

    fn next(&self) -> Fault {
        self.0.faults.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }
}

struct UnreliableHttp<H> {
    network: UnreliableNetwork,
    http: H,
}

impl<H: Http> Http for UnreliableHttp<H> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        if !request.form.as_ref().is_some_and(|form| form.contains("grant_type=refresh_token")) {
            return self.http.send(request);
        }
        self.network.0.limits.lock().unwrap().push(request.timeout);
        let hook = self.network.0.hook.lock().unwrap().clone();
        hook.into_iter().for_each(|hook| hook());
        let failed = |kind| Err(NetworkError::new(kind, request.url.host_str().unwrap(), "as told"));
        match self.network.next() {
            Fault::None => self.http.send(request),
            Fault::Unsent(kind) => failed(kind),
            Fault::Lost(kind) => self.http.send(request).and_then(|_| failed(kind)),
            Fault::Instead(status, pause, body) => Ok(response(status, pause, body)),
            Fault::KilledBefore => panic::resume_unwind(Box::new(Killed)),
            Fault::KilledAfter => {
                let _ = self.http.send(request);
                panic::resume_unwind(Box::new(Killed))
            }
            Fault::KilledBeforeSaving => {
                let response = self.http.send(request);
                self.network.0.is_doomed.store(response.is_ok(), Ordering::SeqCst);
                response
            }
        }
    }
}

fn response(status: u16, pause: Option<u64>, body: &str) -> HttpResponse {
    let headers = pause.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
    HttpResponse {
        status,
        headers: headers.into_iter().collect(),
        body: Zeroizing::new(body.as_bytes().to_vec()),
        truncated: false,
    }
}
