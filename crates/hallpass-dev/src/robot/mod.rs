//! A user without hands: walks the pages of this server as a browser would.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

mod browser;
mod form;

use browser::{Answer, Browser};
use form::{Answers, Form};

use crate::oauth::user_code::UserCode;

/// A sign-in is over after five pages; more means that two of them point at each other.
const MAX_STEPS: usize = 20;

/// The robot user.
///
/// It reads the forms of the sign-in and consent pages, fills and sends them, and follows redirects
/// until it leaves the server: the first address elsewhere is the client's redirect URI, which it
/// opens as well. A device's sign-in ends on a page of the server instead. It never uses a proxy. Each visit is a browser of its own, unless
/// [`same_browser`](Robot::same_browser) says otherwise.
#[derive(Clone)]
pub struct Robot {
    issuer: String,
    email: String,
    password: String,
    decision: &'static str,
    opens_redirect_uri: bool,
    shared: Option<Arc<Mutex<Browser>>>,
}

/// Where a visit led.
#[derive(Clone)]
#[non_exhaustive]
pub struct Visit {
    /// Every request, in order, the last one included.
    pub steps: Vec<Step>,
    /// The client's redirect URI with the authorization response; for a device, the server's last page.
    pub landed: Url,
    /// The status that was answered there; of the redirect, if it was not opened.
    pub status: u16,
    /// The page that was answered there.
    pub body: String,
}

impl Visit {
    /// A parameter of the authorization response.
    pub fn param(&self, name: &str) -> Option<String> {
        self.landed.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

/// The landing URL holds the code, so only its path is printed.
impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit")
            .field("steps", &self.steps)
            .field("landed", &&self.landed[..url::Position::AfterPath])
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// One request of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

impl Robot {
    pub(crate) fn new(issuer: &str, email: &str, password: &str) -> Robot {
        Robot {
            issuer: issuer.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
            decision: "allow",
            opens_redirect_uri: true,
            shared: None,
        }
    }

    /// Signs in with these instead of the first account.
    pub fn as_user(mut self, email: &str, password: &str) -> Robot {
        email.clone_into(&mut self.email);
        password.clone_into(&mut self.password);
        self
    }

    /// Presses Deny on the consent page, also on that of a device.
    pub fn deny(mut self) -> Robot {
        self.decision = "deny";
        self
    }

    /// Keeps cookies from visit to visit, also between clones of the robot this returns.
    pub fn same_browser(mut self) -> Robot {
        self.shared = Some(Arc::default());
        self
    }

    /// Stops before the client's redirect URI is opened, for tests without a listener.
    pub fn without_landing(mut self) -> Robot {
        self.opens_redirect_uri = false;
        self
    }

    /// Opens a URL and walks on to the client's redirect URI. A `verification_uri_complete` is opened without any
    /// device at hand, as from a link: the code on the page is taken for right.
    ///
    /// # Errors
    ///
    /// Where nobody answers, a sign-in is refused, or a page of the server leads nowhere.
    pub fn visit(&self, url: &str) -> io::Result<Visit> {
        self.go(url, None)
    }

    /// Answers a device (RFC 8628 §3.3) as a user who has it at hand: opens the `verification_uri` and types the
    /// code, or opens the `verification_uri_complete` and compares the code there. It ends on the page that sends the
    /// user back to the device.
    ///
    /// ```no_run
    /// # let server = hallpass_dev::DevServer::start()?;
    /// # let (verification_uri, user_code) = ("http://127.0.0.1:4000/device", "WDJB-MJHT");
    /// server.robot().approve_device(verification_uri, user_code)?;
    /// server.robot().deny().approve_device(verification_uri, user_code)?; // reads it all, and presses Deny
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`visit`](Robot::visit), and `PermissionDenied` where the server does not know the code or the page shows
    /// another one.
    pub fn approve_device(&self, verification_uri: &str, user_code: &str) -> io::Result<Visit> {
        self.go(verification_uri, Some(user_code))
    }

    fn go(&self, url: &str, user_code: Option<&str>) -> io::Result<Visit> {
        match &self.shared {
            Some(shared) => {
                self.walk(&mut shared.lock().unwrap_or_else(PoisonError::into_inner), url, user_code)
            }
            None => self.walk(&mut Browser::default(), url, user_code),
        }
    }

    /// The robot as a function that "opens a browser". It returns when the visit is over.
    pub fn opener(&self) -> impl Fn(&str) -> io::Result<()> + Send + Sync + Clone + 'static + use<> {
        let robot = self.clone();
        move |url| robot.visit(url).map(drop)
    }

    fn walk(&self, browser: &mut Browser, url: &str, user_code: Option<&str>) -> io::Result<Visit> {
        let mut next = Request { method: "GET", url: parse(url)?, form: Vec::new() };
        let mut steps: Vec<Step> = Vec::new();
        while steps.len() < MAX_STEPS {
            let answer = browser.send(&next)?;
            steps.push(Step { method: next.method, path: next.url.path().to_owned(), status: answer.status });
            if !self.is_ours(&next.url) || is_back_to_the_device(&next.url) {
                return Ok(Visit { steps, landed: next.url, status: answer.status, body: answer.body });
            }
            next = self.react(&next.url, &answer, user_code)?;
            if !self.opens_redirect_uri && !self.is_ours(&next.url) {
                return Ok(Visit { steps, landed: next.url, status: answer.status, body: String::new() });
            }
        }
        Err(io::Error::other(format!("the robot is going round in circles: {steps:?}")))
    }

    fn is_ours(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.issuer
    }

    /// What a user does with an answer: nothing about a redirect, else fill the form and send it.
    fn react(&self, at: &Url, answer: &Answer, user_code: Option<&str>) -> io::Result<Request> {
        let resolve = |target: &str| at.join(target).map_err(io::Error::other);
        if let Some(location) = &answer.location {
            return Ok(Request { method: "GET", url: resolve(location)?, form: Vec::new() });
        }
        let form = Form::first_of(&answer.body).ok_or_else(|| dead_end(at, answer))?;
        if let Some(alert) = form::alert(&answer.body) {
            return Err(refused(format!("{} was told at {}: {alert}", self.email, at.path())));
        }
        compare(form.user_code(), user_code)?;
        let url = resolve(&form.action)?;
        Ok(Request { method: "POST", url, form: form.filled(&self.answers(user_code)) })
    }

    fn answers<'a>(&'a self, user_code: Option<&'a str>) -> Answers<'a> {
        Answers { email: &self.email, password: &self.password, user_code, decision: self.decision }
    }
}

/// One request of the robot's browser.
struct Request {
    method: &'static str,
    url: Url,
    form: Vec<(String, String)>,
}

fn parse(url: &str) -> io::Result<Url> {
    Url::parse(url).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{url:?}: {error}")))
}

/// What a user does with a code that is on the page and on the device (RFC 8628 §3.3.1).
fn compare(on_page: Option<&str>, on_device: Option<&str>) -> io::Result<()> {
    match (on_page, on_device) {
        (Some(on_page), Some(on_device)) if UserCode::parse(on_page) != UserCode::parse(on_device) => {
            Err(refused(format!("the page shows the code {on_page}, the device {on_device}")))
        }
        _ => Ok(()),
    }
}

fn is_back_to_the_device(url: &Url) -> bool {
    url.path().starts_with("/device/")
}

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

fn dead_end(at: &Url, answer: &Answer) -> io::Error {
    let title = form::title(&answer.body).unwrap_or("no page");
    io::Error::other(format!("the visit ended at {} with {}: {title}", at.path(), answer.status))
}

impl std::fmt::Debug for Robot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Robot")
            .field("email", &self.email)
            .field("decision", &self.decision)
            .finish_non_exhaustive()
    }
}
