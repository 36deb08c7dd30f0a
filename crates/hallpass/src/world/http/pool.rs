//! Connections that are kept for the next request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Destination, Stream};
use super::limits;

/// More idle connections than this are not kept; a login needs two at most.
const CAPACITY: usize = 4;

/// Idle connections, the last used one last, and the destinations of those in use.
#[derive(Default)]
pub(super) struct Pool(Mutex<Connections>);

#[derive(Default)]
struct Connections {
    idle: Vec<Idle>,
    in_use: Vec<Destination>,
}

struct Idle {
    to: Destination,
    stream: Box<dyn Stream>,
    since: Instant,
}

impl Idle {
    fn is_usable(&mut self, age: Duration) -> bool {
        self.since.elapsed() < age && self.stream.is_quiet()
    }
}

impl Pool {
    /// Takes the last used connection to a destination that is still open.
    pub(super) fn take(&self, to: &Destination) -> Option<Box<dyn Stream>> {
        let mut connections = self.lock();
        while let Some(at) = connections.idle.iter().rposition(|idle| idle.to == *to) {
            let mut idle = connections.idle.remove(at);
            if idle.is_usable(limits::IDLE) {
                return Some(idle.stream);
            }
        }
        None
    }

    pub(super) fn put(&self, to: &Destination, stream: Box<dyn Stream>) {
        let mut connections = self.lock();
        if connections.idle.len() == CAPACITY {
            connections.idle.remove(0);
        }
        connections.idle.push(Idle { to: to.clone(), stream, since: Instant::now() });
    }

    /// Whether a connection to a destination is in use, or was used a moment ago and is still open.
    pub(super) fn has_fresh(&self, to: &Destination) -> bool {
        let mut connections = self.lock();
        connections.in_use.contains(to)
            || connections.idle.iter_mut().any(|idle| idle.to == *to && idle.is_usable(limits::FRESH))
    }

    /// Marks a connection to a destination as in use, until the mark is dropped.
    pub(super) fn mark_in_use<'a>(&'a self, to: &'a Destination) -> InUse<'a> {
        self.lock().in_use.push(to.clone());
        InUse { pool: self, to }
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct InUse<'a> {
    pool: &'a Pool,
    to: &'a Destination,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut connections = self.pool.lock();
        if let Some(at) = connections.in_use.iter().position(|to| to == self.to) {
            connections.in_use.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use url::Url;

    use super::*;
    use crate::world::http::trust::Trust;

    fn connect(to: &Destination) -> Box<dyn Stream> {
        to.connect(&Trust::new(None), Instant::now() + limits::CONNECT).unwrap()
    }

    /// Asks the server for the number of the connection.
    fn ask(stream: &mut dyn Stream) -> u8 {
        stream.write_all(b"?").unwrap();
        let mut number = [0];
        stream.read_exact(&mut number).unwrap();
        number[0]
    }

    /// Answers every byte on its n-th connection with n.
    fn server() -> Destination {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    while stream.read(&mut [0]).is_ok_and(|amount| amount > 0) {
                        stream.write_all(&[u8::try_from(number).unwrap() + 1]).unwrap();
                    }
                });
            }
        });
        Destination::new(&url, None)
    }

    #[test]
    fn a_newer_connection_is_used_before_older_ones() {
        let (to, pool) = (server(), Pool::default());
        for _ in 0..3 {
            let mut stream = connect(&to);
            ask(&mut *stream);
            pool.put(&to, stream);
        }
        for _ in 0..2 {
            let mut stream = pool.take(&to).unwrap();
            assert_eq!(ask(&mut *stream), 3);
            pool.put(&to, stream);
        }
    }

    #[test]
    fn only_a_few_connections_are_kept_and_the_oldest_goes_first() {
        let (to, pool) = (server(), Pool::default());
        for _ in 0..=CAPACITY {
            let mut stream = connect(&to);
            ask(&mut *stream);
            pool.put(&to, stream);
        }
        let numbers: Vec<u8> =
            std::iter::from_fn(|| pool.take(&to).map(|mut stream| ask(&mut *stream))).collect();
        assert_eq!(numbers, [5, 4, 3, 2]);
    }

    #[test]
    fn a_connection_in_use_counts_as_fresh() {
        let (to, pool) = (server(), Pool::default());
        assert!(!pool.has_fresh(&to));
        let in_use = pool.mark_in_use(&to);
        assert!(pool.has_fresh(&to));
        drop(in_use);
        assert!(!pool.has_fresh(&to));
    }
}
