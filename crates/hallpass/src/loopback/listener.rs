//! Accepts connections while a login waits.

use std::collections::VecDeque;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::bind::{self, Binding};
use super::connection;
use super::page::Page;
use super::request::{self, Incoming, Request};
use crate::error::Misuse;
use crate::protocol::redirect_uri::LoopbackHost;

/// How many connections may be silent at once; one more closes the one that was silent longest. A browser opens a
/// handful.
const MAX_SILENT: usize = 64;
/// How many requests may wait for the outcome at once; more get the neutral page.
const MAX_WAITING: usize = 64;
/// How long a browser waits for the outcome before it gets the neutral page.
const HOLD_LIMIT: Duration = Duration::from_secs(30);
/// How long a page may take to leave this process.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// Bound sockets that respond to everything but the callback by themselves. Dropping it closes the port.
#[derive(Debug)]
pub(crate) struct Listener {
    redirect_uri: String,
    closing: Arc<AtomicBool>,
    acceptors: Vec<(SocketAddr, JoinHandle<()>)>,
}

/// A report of the listener.
#[derive(Debug)]
pub(crate) enum Callback {
    /// A `GET` on the redirect URI's path.
    Arrival(Arrival),
    /// A browser spoke TLS to the port (HSTS for localhost, HTTPS-only mode).
    TlsHello,
}

/// A callback request whose browser waits for a [response](Arrival::respond).
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The query; empty if there is none.
    pub(crate) query: String,
    page: Sender<Page>,
    sent: Receiver<()>,
}

impl Arrival {
    /// Sends the page. Returns when it has left this process, or after a second.
    pub(crate) fn respond(self, page: Page) {
        if self.page.send(page).is_ok() {
            let _ = self.sent.recv_timeout(SEND_LIMIT);
        }
    }
}

impl Listener {
    /// Binds a redirect URI and starts to accept connections.
    ///
    /// `report` is called on the connections' threads. A browser that gets no response in time gets `finishing`.
    pub(crate) fn start(
        binding: &Binding,
        finishing: Page,
        report: impl Fn(Callback) + Send + Sync + 'static,
    ) -> Result<Listener, Misuse> {
        let bound = bind::bind(binding)?;
        let server = Arc::new(Server {
            path: bound.path,
            hosts: hosts(bound.port).into_iter().chain(bound.authority).collect(),
            finishing,
            report: Box::new(report),
            silent: Mutex::default(),
            waiting: AtomicUsize::new(0),
        });
        let closing = Arc::new(AtomicBool::new(false));
        let acceptors = bound.sockets.into_iter().map(|socket| acceptor(socket, &server, &closing)).collect();
        Ok(Listener { redirect_uri: bound.redirect_uri, closing, acceptors })
    }

    /// Returns the redirect URI with the bound port.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

impl Drop for Listener {
    /// The standard library can't interrupt `accept`, so each acceptor gets one last connection.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        for (address, acceptor) in self.acceptors.drain(..) {
            let connected = TcpStream::connect_timeout(&address, Duration::from_secs(1));
            if connected.is_ok() {
                let _ = acceptor.join();
            }
        }
    }
}

/// The `Host` values of our own address: without a port only on port 80.
fn hosts(port: u16) -> Vec<String> {
    let spelled = |host: LoopbackHost| [format!("{}:{port}", host.as_str()), host.as_str().to_owned()];
    let all = [LoopbackHost::V4, LoopbackHost::V6, LoopbackHost::Localhost].map(spelled).concat();
    all.into_iter().filter(|host| port == 80 || host.ends_with(&format!(":{port}"))).collect()
}

fn acceptor(
    socket: TcpListener,
    server: &Arc<Server>,
    closing: &Arc<AtomicBool>,
) -> (SocketAddr, JoinHandle<()>) {
    let address = socket.local_addr().expect("a bound socket has an address");
    let (server, closing) = (server.clone(), closing.clone());
    let thread = std::thread::spawn(move || {
        for stream in socket.incoming() {
            if closing.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(stream) = stream {
                server.clone().take(stream);
            }
        }
    });
    (address, thread)
}

/// The state shared by the threads of all connections.
struct Server {
    path: String,
    hosts: Vec<String>,
    finishing: Page,
    report: Box<dyn Fn(Callback) + Send + Sync>,
    /// Connections that have not sent a request yet, the oldest first.
    silent: Mutex<VecDeque<Arc<TcpStream>>>,
    waiting: AtomicUsize,
}

impl Server {
    /// Serves a connection on a thread of its own. Silent connections must not keep the callback out.
    fn take(self: Arc<Self>, stream: TcpStream) {
        let stream = Arc::new(stream);
        let mut silent = self.silent();
        silent.push_back(stream.clone());
        let oldest = if silent.len() > MAX_SILENT { silent.pop_front() } else { None };
        drop(silent);
        if let Some(oldest) = oldest {
            let _ = oldest.shutdown(Shutdown::Both);
        }
        std::thread::spawn(move || self.serve(&stream));
    }

    fn silent(&self) -> MutexGuard<'_, VecDeque<Arc<TcpStream>>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &Arc<TcpStream>) {
        let incoming = request::read(stream);
        self.silent().retain(|silent| !Arc::ptr_eq(silent, stream));
        match incoming {
            Incoming::Noise => {}
            Incoming::TlsHello => (self.report)(Callback::TlsHello),
            Incoming::Request(request) => match self.refusal(&request) {
                Some(page) => finish(stream, &page),
                None => self.pass_on(stream, request.query.unwrap_or_default()),
            },
        }
    }

    /// Returns the response to everything but a `GET` of the redirect URI.
    fn refusal(&self, request: &Request) -> Option<Page> {
        if !request.host.as_ref().is_some_and(|host| self.hosts.contains(host)) {
            return Some(Page::bare(403));
        }
        if request.path != self.path {
            return Some(Page::bare(404));
        }
        match request.method.as_str() {
            "GET" if request.is_prefetch => Some(Page::bare(204)),
            "GET" => None,
            "OPTIONS" => Some(Page::bare(204)),
            _ => Some(Page::bare(405)),
        }
    }

    fn pass_on(&self, stream: &TcpStream, query: String) {
        let (page, decided) = mpsc::channel();
        let (done, sent) = mpsc::channel();
        (self.report)(Callback::Arrival(Arrival { query, page, sent }));
        let is_one_too_many = self.waiting.fetch_add(1, Ordering::SeqCst) >= MAX_WAITING;
        let limit = if is_one_too_many { Duration::ZERO } else { HOLD_LIMIT };
        let page = decided.recv_timeout(limit).unwrap_or_else(|_| self.finishing.clone());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let _ = connection::send(stream, &page);
        let _ = done.send(());
        connection::drain(stream);
    }
}

fn finish(stream: &TcpStream, page: &Page) {
    if connection::send(stream, page).is_ok() {
        connection::drain(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::redirect_uri::RedirectUri;
    use std::io::{Read, Write};
    use std::time::Instant;

    struct Running {
        listener: Listener,
        callbacks: Receiver<Callback>,
        port: u16,
    }

    fn start() -> Running {
        let (sender, callbacks) = mpsc::channel();
        let report = move |callback| drop(sender.send(callback));
        let listener =
            Listener::start(&Binding::FirstFree(vec![RedirectUri::default()]), Page::bare(200), report)
                .unwrap();
        let port =
            listener.redirect_uri()["http://127.0.0.1:".len()..].split('/').next().unwrap().parse().unwrap();
        Running { listener, callbacks, port }
    }

    fn connect(running: &Running) -> TcpStream {
        TcpStream::connect(("127.0.0.1", running.port)).unwrap()
    }

    fn ask(running: &Running, head: &str) -> String {
        let mut stream = connect(running);
        stream.write_all(head.replace("{port}", &running.port.to_string()).as_bytes()).unwrap();
        let mut response = String::new();
        let _ = stream.read_to_string(&mut response);
        response
    }

    fn status(response: &str) -> &str {
        response.get(9..12).unwrap_or("")
    }

    #[test]
    fn p05_stray_requests_get_a_response_and_are_ignored() {
        let running = start();
        let host = "Host: 127.0.0.1:{port}\r\n\r\n";
        for (line, expected) in [
            ("GET /favicon.ico HTTP/1.1", "404"),
            ("GET / HTTP/1.1", "404"),
            ("GET /callback/ HTTP/1.1", "404"),
            ("GET /callback2 HTTP/1.1", "404"),
            ("POST /callback HTTP/1.1", "405"),
            ("PUT /callback HTTP/1.1", "405"),
            ("HEAD /callback HTTP/1.1", "405"),
            ("OPTIONS /callback HTTP/1.1", "204"),
        ] {
            assert_eq!(status(&ask(&running, &format!("{line}\r\n{host}"))), expected, "{line}");
        }
        assert!(
            !ask(&running, &format!("OPTIONS /callback HTTP/1.1\r\nOrigin: https://a\r\n{host}"))
                .to_lowercase()
                .contains("access-control")
        );
        assert!(running.callbacks.try_recv().is_err());
    }

    #[test]
    fn n11_p15_another_host_is_refused() {
        let running = start();
        for host in
            ["Host: evil.example\r\n", "Host: 127.0.0.1\r\n", "Host: 127.0.0.1.evil.test:{port}\r\n", ""]
        {
            assert_eq!(
                status(&ask(&running, &format!("GET /callback?code=1 HTTP/1.1\r\n{host}\r\n"))),
                "403",
                "{host}"
            );
        }
        assert!(running.callbacks.try_recv().is_err());
    }

    #[test]
    fn p10_the_page_arrives_whole_and_before_respond_returns() {
        let running = start();
        let mut stream = connect(&running);
        write!(stream, "GET /callback?a=b HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", running.port).unwrap();
        let Callback::Arrival(arrival) = running.callbacks.recv().unwrap() else { panic!() };
        assert_eq!(arrival.query, "a=b");
        let page = Page::new(200, format!("{}</html>\n", "<p>".repeat(4000)), "p{}");
        arrival.respond(page);
        drop(running.listener);
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(response.ends_with("</html>\n") && response.len() > 12_000);
    }

    #[test]
    fn p04_silent_and_slow_connections_do_not_delay_others() {
        let running = start();
        let silent: Vec<_> = (0..3 * MAX_SILENT).map(|_| connect(&running)).collect();
        let mut slow = connect(&running);
        slow.write_all(b"G").unwrap();
        let begin = Instant::now();
        assert_eq!(status(&ask(&running, "GET /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")), "404");
        assert!(begin.elapsed() < Duration::from_secs(1));
        drop(silent);
    }

    #[test]
    fn p05_an_endless_head_and_binary_noise_are_cut_off() {
        let running = start();
        assert_eq!(ask(&running, &"A".repeat(70_000)), "");
        assert_eq!(ask(&running, "\u{1}\u{2}\u{3}\r\n\r\n"), "");
        assert_eq!(status(&ask(&running, "GET /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")), "404");
    }

    #[test]
    fn p08_a_tls_hello_is_reported_and_closed_at_once() {
        let running = start();
        let mut stream = connect(&running);
        stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
        assert!(matches!(running.callbacks.recv_timeout(Duration::from_millis(500)), Ok(Callback::TlsHello)));
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }

    #[test]
    fn p03_a_prefetch_changes_nothing() {
        let running = start();
        let response = ask(
            &running,
            "GET /callback?code=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Purpose: prefetch\r\n\r\n",
        );
        assert_eq!(status(&response), "204");
        assert!(running.callbacks.try_recv().is_err());
    }

    #[test]
    fn n15_the_port_is_closed_when_the_listener_is_gone() {
        let running = start();
        drop(running.listener);
        assert!(TcpStream::connect(("127.0.0.1", running.port)).is_err());
    }
}
