//! A place of its own for each test: state folder, clock, user, and looks at what is left behind. What a login tells, what
//! pages show, what is logged and what lies beside the record is searched for secrets.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hallpass::browser::Browser;
use hallpass::{Builder, Environment, Error, Hallpass, LoginEvent, LoginUi, Result, Session};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use crate::provider::{CLIENT, Provider};
use crate::{canary, diary};

pub(crate) const SERVICE: &str = "mytool";
/// What a cancelled or refused wait may take beyond a tenth of a second on a machine that is busy.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(150);

/// How long to wait for a server that is silent on purpose; one that is merely slow must not seem so.
pub(crate) const IMPATIENT: Duration = Duration::from_millis(400);

/// A test that waits for longer than this waits for something that does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// State folder and clock.
pub(crate) struct Bench {
    dir: TempDir,
    ahead: Arc<AtomicU64>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        diary::open();
        Bench { dir: tempfile::tempdir().unwrap(), ahead: Arc::default() }
    }

    /// An empty environment, the state in this bench's folder, this bench's clock.
    pub(crate) fn builder(&self, issuer: &str, client_id: &str) -> Builder {
        self.furnish(Hallpass::builder(SERVICE, issuer, client_id))
    }

    /// For the contract's client at a scripted provider.
    pub(crate) fn at(&self, provider: &Provider) -> Builder {
        self.builder(provider.issuer(), CLIENT).redirect_uris([provider.redirect_uri()])
    }

    /// What a new process would build.
    pub(crate) fn pass(&self, provider: &Provider) -> Hallpass {
        self.at(provider).build().unwrap()
    }

    /// A pass that works from the record alone.
    pub(crate) fn stored(&self) -> Builder {
        self.furnish(Hallpass::stored(SERVICE))
    }

    fn furnish(&self, builder: Builder) -> Builder {
        builder.state_dir(self.state_dir()).environment(Environment::from_variables([])).clock(self.clock())
    }

    /// What time it is here.
    pub(crate) fn clock(&self) -> impl Fn() -> SystemTime + Clone + Send + Sync + 'static {
        let ahead = self.ahead.clone();
        move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::SeqCst))
    }

    /// Signs in at a provider; the requests of the login are forgotten.
    pub(crate) fn signed_in(&self, provider: &Provider) -> Session {
        let session = login(self.at(provider), visitor().0).unwrap();
        provider.forget();
        session
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The folder of the program.
    pub(crate) fn folder(&self) -> PathBuf {
        self.state_dir().join(SERVICE)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join("default.json")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub(crate) fn record(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap()
    }

    /// Changes the record, as if it had been written so.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut record = self.record();
        change(&mut record);
        self.write(record.to_string().as_bytes());
        let journal = self.folder().join("default.refresh");
        let noted = fs::read(&journal).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let Some(mut noted) = noted.filter(Value::is_object) else { return };
        noted["written"] = Value::Array(Vec::new());
        fs::write(journal, noted.to_string()).unwrap();
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.path().exists()
    }

    /// Every file below the state folder.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.state_dir(), &mut files);
        files
    }
}

/// A test that failed has shown what matters.
impl Drop for Bench {
    fn drop(&mut self) {
        if !thread::panicking() {
            diary::open().assert_no_secret();
            self.assert_no_secret_lies_beside_the_record();
        }
    }
}

impl Bench {
    fn assert_no_secret_lies_beside_the_record(&self) {
        let files = self.files();
        let known: Vec<String> = files.values().flat_map(|bytes| canary::of_record(bytes)).collect();
        files.iter().for_each(|(path, bytes)| canary::assert_none_in_file(path, bytes, &known));
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => collect(&path, files),
            path => drop(files.insert(path.clone(), fs::read(path).unwrap())),
        }
    }
}

/// A [`LoginUi`] that remembers, and hands on what a user would paste.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) events: Vec<LoginEvent>,
    pub(crate) paste: Option<Receiver<String>>,
}

impl LoginUi for Recorder {
    fn event(&mut self, event: LoginEvent) {
        canary::assert_none_in("an event", &format!("{event:?}"), &[]);
        self.events.push(event);
    }

    fn pasted(&mut self) -> Option<Receiver<String>> {
        self.paste.take()
    }
}

impl Recorder {
    pub(crate) fn count(&self, wanted: impl Fn(&LoginEvent) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
}

/// Signs in with this browser.
pub(crate) fn login(builder: Builder, browser: impl Browser) -> Result<Session> {
    let result = builder.browser(browser).build()?.login(&mut Recorder::default());
    canary::assert_none_in("what a login gives", &format!("{result:?}"), &[]);
    result
}

/// A browser whose user does this, and what it returns.
pub(crate) fn playing<T: Send + 'static>(
    play: impl Fn(&Url) -> T + Send + Sync + 'static,
) -> (impl Browser, Receiver<T>) {
    let (done, results) = mpsc::channel();
    let browser = move |url: &str| {
        let _ = done.send(play(&Url::parse(url).unwrap()));
        Ok(())
    };
    (browser, results)
}

/// A user who signs in at a scripted provider, and the page that this ends on.
pub(crate) fn visitor() -> (impl Browser, Receiver<Page>) {
    playing(|url| get(&sign_in(url)))
}

/// A browser that nobody may open.
pub(crate) fn unopened(url: &str) -> io::Result<()> {
    panic!("the browser was opened: {url}")
}

/// Where a scripted provider sends the browser after a sign-in.
pub(crate) fn sign_in(url: &Url) -> Url {
    let answer = get(url);
    let location = answer.header("location").unwrap_or_else(|| panic!("no redirect: {answer:?}"));
    Url::parse(&location).unwrap()
}

/// One answer, as a browser would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Page {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    /// Whether everything that was announced came.
    pub(crate) fn is_complete(&self) -> bool {
        self.header("content-length").is_some_and(|length| length == self.body.len().to_string())
    }

    /// Whether it says by its status or by a word that somebody is signed in.
    pub(crate) fn claims_success(&self) -> bool {
        let body = self.body.to_lowercase();
        self.status != 400 || body.contains("signed in") || body.contains("success")
    }
}

/// Gets a page; of `localhost` by IPv4.
pub(crate) fn get(url: &Url) -> Page {
    get_at(Ipv4Addr::LOCALHOST.into(), url)
}

/// Posts a form, as another client of a server would.
pub(crate) fn post(url: &Url, form: &str) -> Page {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\nContent-Type: \
         application/x-www-form-urlencoded\r\n\r\n{form}",
        target(url),
        authority(url),
        form.len(),
    );
    exchange(Ipv4Addr::LOCALHOST.into(), url, head.as_bytes())
}

/// Gets a page from this address, whatever the URL's host is.
pub(crate) fn get_at(address: IpAddr, url: &Url) -> Page {
    let head =
        format!("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target(url), authority(url));
    let page = exchange(address, url, head.as_bytes());
    canary::assert_none_in("a page", &page.body, &[]);
    page
}

pub(crate) fn target(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

pub(crate) fn authority(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// Sends these bytes, whatever they are, and reads to the end.
pub(crate) fn exchange(address: IpAddr, url: &Url, bytes: &[u8]) -> Page {
    let Ok(mut stream) = connect(address, url) else { return Page::parse("") };
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Page::parse(&String::from_utf8_lossy(&answer))
}

pub(crate) fn connect(address: IpAddr, url: &Url) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::new(address, url.port_or_known_default().unwrap()))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Whether anybody listens there.
pub(crate) fn is_open(url: &Url) -> bool {
    connect(Ipv4Addr::LOCALHOST.into(), url).is_ok()
}

pub(crate) fn param(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The redirect URI that an authorization URL names.
pub(crate) fn redirect_uri(url: &Url) -> Url {
    Url::parse(&param(url, "redirect_uri")).unwrap()
}

/// The callback that a user makes with these parameters; `{state}` is the right state.
pub(crate) fn callback(url: &Url, query: &str) -> Url {
    let mut callback = redirect_uri(url);
    callback.set_query(Some(&query.replace("{state}", &param(url, "state"))));
    callback
}

/// A port of both loopback addresses that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    for _ in 0..100 {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = v4.local_addr().unwrap().port();
        if TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free on both families")
}

/// A Paylent that has one `localhost` redirect URI registered.
pub(crate) fn paylent() -> Provider {
    Provider::paylent(&format!("http://localhost:{}/callback", free_port()))
}

/// Both contracts.
pub(crate) fn providers() -> [Provider; 2] {
    [Provider::clerk(), paylent()]
}

/// Runs something and tells how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    (work(), begun.elapsed())
}

/// The same, `name`d, for tables.
pub(crate) fn failure(name: &str, result: Result<Session>) -> Error {
    result.err().unwrap_or_else(|| panic!("{name}: signed in"))
}
