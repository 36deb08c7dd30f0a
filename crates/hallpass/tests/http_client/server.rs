//! Servers that count, record, and misbehave on demand.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hallpass_test::connect_proxy::read_head;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The connection's state after a response.
pub(crate) enum Then {
    KeepOpen,
    Close,
}

/// Writes the response to one request.
pub(crate) type Behave = fn(request: &str, answer: &mut dyn Write) -> Then;

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

/// Deviations from a patient server that responds with `{}`.
#[derive(Clone)]
pub(crate) struct Habits {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) idle: Duration,
    pub(crate) behave: Behave,
}

impl Default for Habits {
    fn default() -> Habits {
        Habits { tls: None, idle: Duration::from_secs(30), behave: answer_json }
    }
}

pub(crate) fn answer_json(_request: &str, answer: &mut dyn Write) -> Then {
    let _ =
        answer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    Then::KeepOpen
}

impl Server {
    pub(crate) fn start(habits: Habits) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let recorder = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (habits, seen) = (habits.clone(), Arc::clone(&recorder));
                seen.lock().unwrap().connections += 1;
                thread::spawn(move || converse(stream.unwrap(), &habits, &seen));
            }
        });
        Server { addr, seen }
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }
}

fn converse(stream: TcpStream, habits: &Habits, seen: &Mutex<Seen>) {
    stream.set_read_timeout(Some(habits.idle)).unwrap();
    stream.set_nodelay(true).unwrap();
    match &habits.tls {
        None => serve(&mut { stream }, habits, seen),
        Some(config) => {
            let tls = ServerConnection::new(Arc::clone(config)).unwrap();
            let mut stream = StreamOwned::new(tls, stream);
            serve(&mut stream, habits, seen);
            stream.conn.send_close_notify();
            let _ = stream.conn.complete_io(&mut stream.sock);
        }
    }
}

fn serve<S: Read + Write>(stream: &mut S, habits: &Habits, seen: &Mutex<Seen>) {
    while let Ok(request) = read_request(stream) {
        seen.lock().unwrap().requests.push(request.clone());
        if let Then::Close = (habits.behave)(&request, stream) {
            return;
        }
        let _ = stream.flush();
    }
}

fn read_request(stream: &mut impl Read) -> io::Result<String> {
    let mut request = read_head(stream)?;
    let length = header(&request, "content-length").map_or(0, |value| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    request.push_str(std::str::from_utf8(&body).unwrap());
    Ok(request)
}

pub(crate) fn header(request: &str, name: &str) -> Option<String> {
    let lines = request.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}
