//! Stands before a server, hands requests on, and does something else with them when told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;

use crate::bench::Bench;

/// Nothing here takes longer.
const LONGEST: Duration = Duration::from_secs(60);

/// What is done with a connection in place of handing it on. The connection is closed after it.
pub(crate) type Act = Arc<dyn Fn(&mut TcpStream) + Send + Sync>;

/// The front. Each request has a connection of its own. It listens for as long as the test runs.
pub(crate) struct Front {
    desk: Desk,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    act: Mutex<Option<Act>>,
    connections: AtomicUsize,
    held: Arc<AtomicUsize>,
}

/// Hands requests on.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    front: SocketAddr,
    server: u16,
}

impl Front {
    /// Before a server on this port.
    pub(crate) fn before(server: u16) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let desk = Desk { front: listener.local_addr().unwrap(), server };
        let front = Front { desk, shared: Arc::default() };
        let shared = front.shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.receive(desk, stream));
            }
        });
        front
    }

    pub(crate) fn desk(&self) -> Desk {
        self.desk
    }

    /// The server's path as it is seen from here.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.desk.front)
    }

    /// From now on.
    pub(crate) fn act(&self, act: impl Fn(&mut TcpStream) + Send + Sync + 'static) {
        *self.shared.act.lock().unwrap() = Some(Arc::new(act));
    }

    /// Requests are kept from now on until the returned value is dropped. Then they get this answer, or are handed on.
    pub(crate) fn hold(&self, answer: Option<Vec<u8>>) -> Sender<()> {
        let ((release, gate), desk) = (mpsc::channel(), self.desk);
        let (gate, held) = (Mutex::new(gate), self.shared.held.clone());
        self.act(move |client| {
            let request = request(client);
            held.fetch_add(1, Ordering::SeqCst);
            let _ = gate.lock().unwrap().recv_timeout(LONGEST);
            let answer = answer.clone().unwrap_or_else(|| desk.asked(&request));
            let _ = client.write_all(&answer); // the client may be gone
        });
        release
    }

    /// Hands on again.
    pub(crate) fn behave(&self) {
        *self.shared.act.lock().unwrap() = None;
    }

    /// How many came so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests are there, whole, and kept.
    pub(crate) fn await_held(&self, count: usize) {
        let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
        let is_held = |_| self.shared.held.load(Ordering::SeqCst) >= count;
        assert!((0..2000).inspect(pause).any(is_held), "nobody came");
    }
}

/// Somebody who signed in at a server whose token endpoint is reached through a front.
pub(crate) struct Fronted {
    pub(crate) bench: Bench,
    pub(crate) server: DevServer,
    pub(crate) front: Front,
}

impl Fronted {
    pub(crate) fn new() -> Fronted {
        Fronted::at(DevServer::start().unwrap())
    }

    pub(crate) fn at(server: DevServer) -> Fronted {
        let bench = Bench::new();
        bench.sign_in(&server, &[]);
        let front = Front::before(server.port());
        let fronted = Fronted { bench, server, front };
        fronted.use_endpoint(&fronted.front.url("/token"));
        fronted
    }

    pub(crate) fn use_endpoint(&self, url: &str) {
        self.bench.edit("default", |record| record["endpoints"]["token"] = url.into());
    }

    /// How many the server got.
    pub(crate) fn refreshes(&self) -> usize {
        let asked = self.server.journal().requests_to("/token");
        asked.iter().filter(|entry| entry.param("grant_type") == Some("refresh_token")).count()
    }
}

impl Shared {
    fn receive(&self, desk: Desk, mut stream: TcpStream) {
        let act = self.act.lock().unwrap().clone();
        self.connections.fetch_add(1, Ordering::SeqCst);
        match act {
            Some(act) => act(&mut stream),
            None => {
                let answer = desk.handed_on(&mut stream);
                let _ = stream.write_all(&answer); // the client may be gone
            }
        }
    }
}

impl Desk {
    /// The server's answer to the request on this connection.
    pub(crate) fn handed_on(&self, client: &mut TcpStream) -> Vec<u8> {
        self.asked(&request(client))
    }

    fn asked(&self, request: &str) -> Vec<u8> {
        let server = format!("127.0.0.1:{}", self.server);
        let request = request.replace(&self.front.to_string(), &server);
        let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}

/// Head and body, which may come in several pieces.
pub(crate) fn request(client: &mut TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    while !is_whole(&text) {
        match client.read(&mut piece) {
            Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&piece[..count])),
            _ => break,
        }
    }
    text
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().filter_map(|line| line.split_once(": "));
    let length = length.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    body.len() >= length.map_or(0, |(_, length)| length.parse().unwrap())
}
