//! A browser that the test plays: it opens the authorization URL and requests the callback itself.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use hallpass::browser::Browser;
use url::Url;

use crate::canary;

/// Returns a browser that calls `play` with the URL, and a receiver of its results.
pub fn playing<T: Send + 'static>(
    play: impl Fn(&Url) -> T + Send + Sync + 'static,
) -> (impl Browser, Receiver<T>) {
    let (done, results) = mpsc::channel();
    let browser = move |url: &str| {
        let _ = done.send(play(&Url::parse(url).unwrap()));
        Ok(())
    };
    (browser, results)
}

/// Returns a browser whose user signs in at a scripted provider, and a receiver of the callback's page.
pub fn visitor() -> (impl Browser, Receiver<Page>) {
    playing(|url| get(&sign_in(url)))
}

/// A browser that must not be opened.
pub fn unopened(url: &str) -> io::Result<()> {
    panic!("the browser was opened: {url}")
}

/// Signs in at a scripted provider, and returns the URL it redirects to.
pub fn sign_in(url: &Url) -> Url {
    let response = get(url);
    let location = response.header("location").unwrap_or_else(|| panic!("no redirect: {response:?}"));
    Url::parse(&location).unwrap()
}

/// A page as the browser receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Page {
    pub fn parse(text: &str) -> Page {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    /// Returns whether the body is as long as announced.
    pub fn is_complete(&self) -> bool {
        self.header("content-length").is_some_and(|length| length == self.body.len().to_string())
    }

    /// Returns whether its status or its text says that the user is signed in.
    pub fn claims_success(&self) -> bool {
        let body = self.body.to_lowercase();
        self.status != 400 || body.contains("signed in") || body.contains("success")
    }
}

/// Gets a page; `localhost` is reached over IPv4.
pub fn get(url: &Url) -> Page {
    get_at(Ipv4Addr::LOCALHOST.into(), url)
}

/// Posts a form, as another client of a server does.
pub fn post(url: &Url, form: &str) -> Page {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\nContent-Type: \
         application/x-www-form-urlencoded\r\n\r\n{form}",
        target(url),
        authority(url),
        form.len(),
    );
    exchange(Ipv4Addr::LOCALHOST.into(), url, head.as_bytes())
}

/// Gets a page from this IP address, whichever host the URL names.
pub fn get_at(address: IpAddr, url: &Url) -> Page {
    let head =
        format!("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target(url), authority(url));
    let page = exchange(address, url, head.as_bytes());
    canary::assert_none_in("a page", &page.body, &[]);
    page
}

pub fn target(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

pub fn authority(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// Sends raw bytes, and reads to the end.
pub fn exchange(address: IpAddr, url: &Url, bytes: &[u8]) -> Page {
    let Ok(mut stream) = connect(address, url) else { return Page::parse("") };
    let _ = stream.write_all(bytes);
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    Page::parse(&String::from_utf8_lossy(&response))
}

pub fn connect(address: IpAddr, url: &Url) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::new(address, url.port_or_known_default().unwrap()))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Returns whether a server listens there.
pub fn is_open(url: &Url) -> bool {
    connect(Ipv4Addr::LOCALHOST.into(), url).is_ok()
}

pub fn param(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Returns the redirect URI of an authorization URL.
pub fn redirect_uri(url: &Url) -> Url {
    Url::parse(&param(url, "redirect_uri")).unwrap()
}

/// Returns the callback URL with these parameters; `{state}` stands for the right state.
pub fn callback(url: &Url, query: &str) -> Url {
    let mut callback = redirect_uri(url);
    callback.set_query(Some(&query.replace("{state}", &param(url, "state"))));
    callback
}
