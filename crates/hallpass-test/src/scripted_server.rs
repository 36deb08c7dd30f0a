//! An HTTP server on loopback whose responses are data. It records the requests.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded;

/// The response to one request.
#[derive(Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub ending: Ending,
}

/// How a response ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Completely; the connection stays open.
    Whole,
    /// In the middle of the body.
    Cut,
    /// The connection stays open and nothing is sent.
    Never,
    /// Slowly: the body is sent in single bytes.
    Dripping,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Response { status, headers, body: body.into(), ending: Ending::Whole }
    }

    pub fn json(status: u16, body: &Value) -> Response {
        Response::new(status, "application/json", body.to_string())
    }

    pub fn html(status: u16, body: &str) -> Response {
        Response::new(status, "text/html", body)
    }

    pub fn empty(status: u16) -> Response {
        Response { headers: Vec::new(), ..Response::html(status, "") }
    }

    pub fn oauth_error(status: u16, error: &str) -> Response {
        let description = format!("{error} it is");
        Response::json(status, &serde_json::json!({ "error": error, "error_description": description }))
    }

    pub fn redirect(status: u16, to: &str) -> Response {
        Response::empty(status).header("Location", to)
    }

    pub fn never() -> Response {
        Response { ending: Ending::Never, ..Response::empty(200) }
    }

    pub fn cut(self) -> Response {
        Response { ending: Ending::Cut, ..self }
    }

    pub fn dripping(self) -> Response {
        Response { ending: Ending::Dripping, ..self }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Response {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A parsed request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub form: Vec<(String, String)>,
}

impl Request {
    /// A parameter of the form, or else of the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut all = self.form.iter().chain(&self.query);
        all.find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The names of the form's fields, in order.
    pub fn fields(&self) -> Vec<&str> {
        self.form.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

/// Responds to a request; `None` leaves it to the handler before.
pub type Handler = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

/// The server. It stops when this is dropped.
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    closing: AtomicBool,
    connections: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    /// By path; the last one that returns a response wins.
    handlers: Mutex<HashMap<String, Vec<Handler>>>,
}

impl ScriptedServer {
    pub fn start() -> ScriptedServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let server = shared.clone();
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if server.closing.load(Ordering::SeqCst) {
                    return;
                }
                server.connections.fetch_add(1, Ordering::SeqCst);
                let server = server.clone();
                thread::spawn(move || stream.and_then(|stream| server.serve(stream)));
            }
        });
        ScriptedServer { address, shared, acceptor: Some(acceptor) }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Handles a path from now on, ahead of earlier handlers.
    pub fn on(&self, path: &str, handler: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) {
        let mut handlers = self.shared.handlers.lock().unwrap();
        handlers.entry(path.to_owned()).or_default().push(Arc::new(handler));
    }

    /// Sends this response to every request for a path.
    pub fn always(&self, path: &str, response: Response) {
        self.on(path, move |_| Some(response.clone()));
    }

    /// Sends this response to the next `times` requests for a path.
    pub fn next(&self, times: usize, path: &str, response: Response) {
        let left = AtomicUsize::new(times);
        self.on(path, move |_| {
            let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            taken.is_ok().then(|| response.clone())
        });
    }

    /// Delays every request for a path.
    pub fn slow(&self, path: &str, delay: Duration) {
        self.on(path, move |_| {
            thread::sleep(delay);
            None
        });
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub fn requests_to(&self, path: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.path == path).collect()
    }

    pub fn count(&self, path: &str) -> usize {
        self.requests_to(path).len()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.requests.lock().unwrap().clear();
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedServer {
    /// The port is closed when this returns.
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.acceptor.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        while let Some(request) = read_request(&mut stream)? {
            self.requests.lock().unwrap().push(request.clone());
            let response = self.respond(&request);
            match response.ending {
                Ending::Whole => stream.write_all(&to_http(&response, response.body.len()))?,
                Ending::Cut => return stream.write_all(&to_http(&response, response.body.len() + 100)),
                Ending::Never => return self.keep_silent(),
                Ending::Dripping => return self.drip(&mut stream, &response),
            }
            if request.header("connection") == Some("close") {
                return Ok(());
            }
        }
        Ok(())
    }

    fn respond(&self, request: &Request) -> Response {
        let handlers = self.handlers.lock().unwrap().get(&request.path).cloned().unwrap_or_default();
        handlers.iter().rev().find_map(|handler| handler(request)).unwrap_or_else(|| Response::empty(404))
    }

    /// Each byte arrives well within any time limit for one read.
    fn drip(&self, stream: &mut TcpStream, response: &Response) -> io::Result<()> {
        stream
            .write_all(&to_http(&Response { body: Vec::new(), ..response.clone() }, response.body.len()))?;
        for byte in &response.body {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&[*byte])?;
        }
        Ok(())
    }

    fn keep_silent(&self) -> io::Result<()> {
        while !self.closing.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

fn to_http(response: &Response, length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\nContent-Length: {length}\r\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", &response.body].concat()
}

/// Returns `None` if the client closed the connection.
fn read_request(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let Some(head) = read_head(stream)? else { return Ok(None) };
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok(Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs(query.as_bytes()),
        form: pairs(&body),
        headers,
    }))
}

fn read_head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8(head).unwrap()))
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}
