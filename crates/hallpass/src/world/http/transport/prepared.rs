//! Connections opened before they are needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use ureq::unversioned::transport::Transport;

use super::Socket;
use crate::world::http::limits;

/// One prepared connection, and sight of all sockets that live in ureq's pool or are in use.
///
/// A login prepares for one origin, the token endpoint's, so one place is enough: what is put there
/// replaces what was.
#[derive(Default)]
pub(super) struct Ready {
    shelf: Mutex<Option<Prepared>>,
    sockets: Mutex<Vec<Weak<Socket>>>,
}

struct Prepared {
    origin: String,
    link: Box<dyn Transport>,
    since: Instant,
}

impl Ready {
    /// Remembers a socket for as long as somebody holds it.
    pub(super) fn register(&self, socket: &Arc<Socket>) {
        let mut sockets = lock(&self.sockets);
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.push(Arc::downgrade(socket));
    }

    /// The prepared connection to this origin, if it is still open now.
    pub(super) fn take(&self, origin: &str) -> Option<Box<dyn Transport>> {
        let prepared = lock(&self.shelf).take_if(|prepared| prepared.origin == origin)?;
        let mut link = prepared.link;
        (prepared.since.elapsed() < limits::IDLE && link.is_open()).then_some(link)
    }

    /// Puts a connection on the shelf. The older ones to its origin are used no more, so that the next
    /// request takes this one: it is the least likely to be closed while the request is on its way.
    pub(super) fn put(&self, origin: &str, link: Box<dyn Transport>, older: &[Arc<Socket>]) {
        older.iter().for_each(|socket| socket.supersede());
        let prepared = Prepared { origin: origin.to_owned(), link, since: Instant::now() };
        *lock(&self.shelf) = Some(prepared);
    }

    /// Whether a connection to this origin was opened or used a moment ago and is still open.
    pub(super) fn is_fresh(&self, origin: &str) -> bool {
        self.is_prepared(origin)
            || self.sockets_to(origin).iter().any(|socket| socket.is_fresher_than(limits::FRESH))
    }

    /// Asked of the connection itself: on its bare socket, session tickets look like an unasked answer.
    fn is_prepared(&self, origin: &str) -> bool {
        let mut shelf = lock(&self.shelf);
        shelf.as_mut().is_some_and(|prepared| {
            prepared.origin == origin && prepared.since.elapsed() < limits::FRESH && prepared.link.is_open()
        })
    }

    pub(super) fn sockets_to(&self, origin: &str) -> Vec<Arc<Socket>> {
        let sockets = lock(&self.sockets);
        sockets.iter().filter_map(Weak::upgrade).filter(|socket| socket.origin == origin).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
