//! A reverse proxy that forwards requests to a server, or handles them as a test says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::CommandSandbox;

use crate::new_sandbox;

/// Longer than any test holds a request.
const LONGEST: Duration = Duration::from_secs(60);

/// Handles a connection instead of forwarding it. The connection is closed after that.
pub(crate) type Handler = Arc<dyn Fn(&mut TcpStream) + Send + Sync>;

/// The proxy. Each request has its own connection. It listens until the test ends.
pub(crate) struct ReverseProxy {
    forwarder: Forwarder,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    handler: Mutex<Option<Handler>>,
    connections: AtomicUsize,
    held: Arc<AtomicUsize>,
}

/// Forwards requests to the server.
#[derive(Clone, Copy)]
pub(crate) struct Forwarder {
    proxy: SocketAddr,
    server: u16,
}

impl ReverseProxy {
    /// Starts a proxy for the server on this port.
    pub(crate) fn in_front_of(server: u16) -> ReverseProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let forwarder = Forwarder { proxy: listener.local_addr().unwrap(), server };
        let proxy = ReverseProxy { forwarder, shared: Arc::default() };
        let shared = proxy.shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.serve(forwarder, stream));
            }
        });
        proxy
    }

    pub(crate) fn forwarder(&self) -> Forwarder {
        self.forwarder
    }

    /// The URL of a path of the server, through the proxy.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.forwarder.proxy)
    }

    /// Handles connections with this function from now on.
    pub(crate) fn handle_with(&self, handler: impl Fn(&mut TcpStream) + Send + Sync + 'static) {
        *self.shared.handler.lock().unwrap() = Some(Arc::new(handler));
    }

    /// Holds requests until the returned value is dropped. Then it sends them this response, or forwards them.
    pub(crate) fn hold(&self, response: Option<Vec<u8>>) -> Sender<()> {
        let ((release, gate), forwarder) = (mpsc::channel(), self.forwarder);
        let (gate, held) = (Mutex::new(gate), self.shared.held.clone());
        self.handle_with(move |client| {
            let request = request(client);
            held.fetch_add(1, Ordering::SeqCst);
            let _ = gate.lock().unwrap().recv_timeout(LONGEST);
            let response = response.clone().unwrap_or_else(|| forwarder.send(&request));
            let _ = client.write_all(&response); // the client may be gone
        });
        release
    }

    /// Forwards requests again.
    pub(crate) fn forward_again(&self) {
        *self.shared.handler.lock().unwrap() = None;
    }

    /// Counts the connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until it holds this many complete requests.
    pub(crate) fn await_held(&self, count: usize) {
        let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
        let is_held = |_| self.shared.held.load(Ordering::SeqCst) >= count;
        assert!((0..2000).inspect(pause).any(is_held), "the requests did not arrive");
    }
}

/// A user who is signed in at a server, and a proxy in front of its token endpoint.
pub(crate) struct ProxiedSetup {
    pub(crate) sandbox: CommandSandbox,
    pub(crate) server: DevServer,
    pub(crate) proxy: ReverseProxy,
}

impl ProxiedSetup {
    pub(crate) fn new() -> ProxiedSetup {
        ProxiedSetup::at(DevServer::start().unwrap())
    }

    pub(crate) fn at(server: DevServer) -> ProxiedSetup {
        let sandbox = new_sandbox();
        sandbox.sign_in(&server, &[]);
        let proxy = ReverseProxy::in_front_of(server.port());
        let setup = ProxiedSetup { sandbox, server, proxy };
        setup.use_endpoint(&setup.proxy.url("/token"));
        setup
    }

    pub(crate) fn use_endpoint(&self, url: &str) {
        self.sandbox.edit("default", |record| record["endpoints"]["token"] = url.into());
    }

    /// Counts the refreshes that arrived at the server.
    pub(crate) fn refreshes(&self) -> usize {
        let asked = self.server.journal().requests_to("/token");
        asked.iter().filter(|entry| entry.param("grant_type") == Some("refresh_token")).count()
    }
}

impl Shared {
    fn serve(&self, forwarder: Forwarder, mut stream: TcpStream) {
        let handler = self.handler.lock().unwrap().clone();
        self.connections.fetch_add(1, Ordering::SeqCst);
        match handler {
            Some(handler) => handler(&mut stream),
            None => {
                let response = forwarder.forward(&mut stream);
                let _ = stream.write_all(&response); // the client may be gone
            }
        }
    }
}

impl Forwarder {
    /// Forwards the request on this connection, and returns the server's response.
    pub(crate) fn forward(&self, client: &mut TcpStream) -> Vec<u8> {
        self.send(&request(client))
    }

    fn send(&self, request: &str) -> Vec<u8> {
        let server = format!("127.0.0.1:{}", self.server);
        let request = request.replace(&self.proxy.to_string(), &server);
        let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        response
    }
}

/// Reads head and body, which can arrive in several pieces.
pub(crate) fn request(client: &mut TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    while !is_complete(&text) {
        match client.read(&mut piece) {
            Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&piece[..count])),
            _ => break,
        }
    }
    text
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().filter_map(|line| line.split_once(": "));
    let length = length.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    body.len() >= length.map_or(0, |(_, length)| length.parse().unwrap())
}
