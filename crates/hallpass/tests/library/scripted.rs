//! A server on loopback whose answers are data, and which remembers what it was sent.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded;

/// What is sent for one request.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
}

/// How an answer ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Whole; the connection stays open.
    Whole,
    /// In the middle of the body.
    Cut,
    /// Not at all: the connection stays open and nothing comes.
    Never,
    /// Not before long: the body comes in single bytes.
    Dripping,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Answer { status, headers, body: body.into(), ending: Ending::Whole }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json", body.to_string())
    }

    pub(crate) fn html(status: u16, body: &str) -> Answer {
        Answer::new(status, "text/html", body)
    }

    pub(crate) fn empty(status: u16) -> Answer {
        Answer { headers: Vec::new(), ..Answer::html(status, "") }
    }

    pub(crate) fn oauth_error(status: u16, error: &str) -> Answer {
        let description = format!("{error} it is");
        Answer::json(status, &serde_json::json!({ "error": error, "error_description": description }))
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Answer {
        Answer::empty(status).header("Location", to)
    }

    pub(crate) fn never() -> Answer {
        Answer { ending: Ending::Never, ..Answer::empty(200) }
    }

    pub(crate) fn cut(self) -> Answer {
        Answer { ending: Ending::Cut, ..self }
    }

    pub(crate) fn dripping(self) -> Answer {
        Answer { ending: Ending::Dripping, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// One request, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
}

impl Received {
    /// A parameter of the form, or else of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut all = self.form.iter().chain(&self.query);
        all.find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The names of the form's fields, in order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.form.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

/// Answers a request, or leaves it to whoever was there before.
pub(crate) type Handler = Arc<dyn Fn(&Received) -> Option<Answer> + Send + Sync>;

/// The server. It ends when this is dropped.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    closing: AtomicBool,
    connections: AtomicUsize,
    requests: Mutex<Vec<Received>>,
    /// By path; the last one that has an answer gives it.
    handlers: Mutex<HashMap<String, Vec<Handler>>>,
}

impl Scripted {
    pub(crate) fn start() -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let desk = shared.clone();
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if desk.closing.load(Ordering::SeqCst) {
                    return;
                }
                desk.connections.fetch_add(1, Ordering::SeqCst);
                let desk = desk.clone();
                thread::spawn(move || stream.and_then(|stream| desk.converse(stream)));
            }
        });
        Scripted { address, shared, acceptor: Some(acceptor) }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers a path from now on, ahead of what answered it before.
    pub(crate) fn on(
        &self,
        path: &str,
        handler: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
    ) {
        let mut handlers = self.shared.handlers.lock().unwrap();
        handlers.entry(path.to_owned()).or_default().push(Arc::new(handler));
    }

    /// The same answer for every request to a path.
    pub(crate) fn always(&self, path: &str, answer: Answer) {
        self.on(path, move |_| Some(answer.clone()));
    }

    /// This answer for the next `times` requests to a path.
    pub(crate) fn next(&self, times: usize, path: &str, answer: Answer) {
        let left = AtomicUsize::new(times);
        self.on(path, move |_| {
            let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            taken.is_ok().then(|| answer.clone())
        });
    }

    /// Lets every request to a path wait before it is answered as before.
    pub(crate) fn slow(&self, path: &str, delay: Duration) {
        self.on(path, move |_| {
            thread::sleep(delay);
            None
        });
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub(crate) fn requests_to(&self, path: &str) -> Vec<Received> {
        self.requests().into_iter().filter(|request| request.path == path).collect()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.requests_to(path).len()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.shared.requests.lock().unwrap().clear();
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    /// The port is closed when this returns.
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.acceptor.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        while let Some(request) = read_request(&mut stream)? {
            self.requests.lock().unwrap().push(request.clone());
            let answer = self.answer(&request);
            match answer.ending {
                Ending::Whole => stream.write_all(&to_http(&answer, answer.body.len()))?,
                Ending::Cut => return stream.write_all(&to_http(&answer, answer.body.len() + 100)),
                Ending::Never => return self.keep_silent(),
                Ending::Dripping => return self.drip(&mut stream, &answer),
            }
            if request.header("connection") == Some("close") {
                return Ok(());
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Received) -> Answer {
        let handlers = self.handlers.lock().unwrap().get(&request.path).cloned().unwrap_or_default();
        handlers.iter().rev().find_map(|handler| handler(request)).unwrap_or_else(|| Answer::empty(404))
    }

    /// Each byte comes well within any limit for one read.
    fn drip(&self, stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
        stream.write_all(&to_http(&Answer { body: Vec::new(), ..answer.clone() }, answer.body.len()))?;
        for byte in &answer.body {
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

fn to_http(answer: &Answer, length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\nContent-Length: {length}\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", &answer.body].concat()
}

/// `None` where the client hung up.
fn read_request(stream: &mut TcpStream) -> io::Result<Option<Received>> {
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
    Ok(Some(Received {
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
