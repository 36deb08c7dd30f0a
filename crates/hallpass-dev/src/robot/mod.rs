//! The robot user.

use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use url::{Position, Url};

mod form;
mod http_client;

use form::{Form, Input};
use http_client::{HttpClient, Request, Response};

use crate::oauth::user_code::UserCode;

/// The limit on the requests of a visit. A sign-in takes fewer than ten, so twenty mean a redirect loop.
const MAX_STEPS: usize = 20;

/// A robot that signs in as a user with a browser would.
///
/// It fills in and submits the forms of the server's pages, and follows redirects until one leads to another server:
/// to the client's redirect URI, which it opens as well. The sign-in of a device ends on a page of the server
/// instead.
///
/// By default it signs in with the first account, allows every request, and uses a new browser for each visit. It
/// never uses a proxy.
///
/// ```
/// use hallpass_dev::DevServer;
///
/// let server = DevServer::builder().user("ada@example.com", "engine").start()?;
/// # let url = format!(
/// #     "{}/authorize?response_type=code&client_id=demo&state=xyz\
/// #      &redirect_uri=http://127.0.0.1:50123/callback\
/// #      &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
/// #     server.issuer(),
/// # );
/// // `url` is an authorization URL of the client under test. No client is listening here, so the robot stops before it
/// // opens the redirect URI.
/// let visit = server.robot().as_user("ada@example.com", "engine").without_landing().visit(&url)?;
/// assert!(visit.param("code").is_some());
///
/// let visit = server.robot().deny().without_landing().visit(&url)?;
/// assert_eq!(visit.param("error").as_deref(), Some("access_denied"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Robot {
    issuer: String,
    email: String,
    password: String,
    decision: &'static str,
    opens_redirect_uri: bool,
    shared_browser: Option<Arc<Mutex<HttpClient>>>,
}

/// The result of a visit.
#[derive(Clone)]
#[non_exhaustive]
pub struct Visit {
    /// All requests in order, including the last one.
    pub steps: Vec<Step>,
    /// The URL at which the visit ended: the client's redirect URI with the authorization response, or the server's
    /// last page for a device.
    pub landed: Url,
    /// The status of the response there. If the redirect URI was not opened, the status of the redirect to it.
    pub status: u16,
    /// The body of the response there. Empty if the redirect URI was not opened.
    pub body: String,
}

impl Visit {
    /// Returns a parameter of the authorization response.
    pub fn param(&self, name: &str) -> Option<String> {
        self.landed.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

impl fmt::Debug for Visit {
    /// Prints the URL without its query, which contains the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("steps", &self.steps)
            .field("landed", &&self.landed[..Position::AfterPath])
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A request of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, without the query.
    pub path: String,
    /// The status of the response.
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
            shared_browser: None,
        }
    }

    /// Signs in with these credentials. Defaults to the first account of the server.
    pub fn as_user(mut self, email: &str, password: &str) -> Robot {
        email.clone_into(&mut self.email);
        password.clone_into(&mut self.password);
        self
    }

    /// Clicks Deny on the consent page. By default it clicks Allow.
    pub fn deny(mut self) -> Robot {
        self.decision = "deny";
        self
    }

    /// Uses the same browser for all visits of this robot and its clones, so that the user stays signed in. By
    /// default each visit has a browser of its own.
    pub fn same_browser(mut self) -> Robot {
        self.shared_browser = Some(Arc::default());
        self
    }

    /// Stops before opening the client's redirect URI, for tests without a client that listens. By default it is
    /// opened.
    pub fn without_landing(mut self) -> Robot {
        self.opens_redirect_uri = false;
        self
    }

    /// Opens an authorization URL and signs in.
    ///
    /// A `verification_uri_complete` works as well: the robot confirms the code on the page without comparing it,
    /// like a careless user. Use [`approve_device`](Robot::approve_device) to compare it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the URL is invalid, `PermissionDenied` if the server rejects the credentials, an I/O error
    /// such as `ConnectionRefused` if a server does not respond, and `Other` if the visit ends on an error page.
    pub fn visit(&self, url: &str) -> io::Result<Visit> {
        self.open(url, None)
    }

    /// Signs in a device (RFC 8628 §3.3), as a user who has it at hand.
    ///
    /// At the `verification_uri` the robot enters `user_code`. At the `verification_uri_complete` it compares the
    /// code on the page with `user_code`. The visit ends on the page that sends the user back to the device.
    ///
    /// ```no_run
    /// # let server = hallpass_dev::DevServer::start()?;
    /// # let (verification_uri, user_code) = ("http://127.0.0.1:4000/device", "WDJB-MJHT");
    /// server.robot().approve_device(verification_uri, user_code)?;
    /// server.robot().deny().approve_device(verification_uri, user_code)?; // clicks Deny instead
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The same as for [`visit`](Robot::visit), and `PermissionDenied` if the server doesn't know the code or the
    /// page shows another one.
    pub fn approve_device(&self, verification_uri: &str, user_code: &str) -> io::Result<Visit> {
        self.open(verification_uri, Some(user_code))
    }

    /// Returns a function that [visits](Robot::visit) a URL, for clients that take a function to open the browser
    /// with. It returns when the visit has ended.
    pub fn opener(&self) -> impl Fn(&str) -> io::Result<()> + Send + Sync + Clone + 'static + use<> {
        let robot = self.clone();
        move |url| robot.visit(url).map(drop)
    }

    fn open(&self, url: &str, user_code: Option<&str>) -> io::Result<Visit> {
        match &self.shared_browser {
            Some(browser) => {
                let mut browser = browser.lock().unwrap_or_else(PoisonError::into_inner);
                self.browse(&mut browser, url, user_code)
            }
            None => self.browse(&mut HttpClient::default(), url, user_code),
        }
    }

    fn browse(&self, browser: &mut HttpClient, url: &str, user_code: Option<&str>) -> io::Result<Visit> {
        let invalid =
            |error| io::Error::new(io::ErrorKind::InvalidInput, format!("invalid URL {url:?}: {error}"));
        let url = Url::parse(url).map_err(invalid)?;
        let mut next = Request { method: "GET", url, form: Vec::new() };
        let mut steps: Vec<Step> = Vec::new();
        while steps.len() < MAX_STEPS {
            let response = browser.send(&next)?;
            let status = response.status;
            steps.push(Step { method: next.method, path: next.url.path().to_owned(), status });
            if !self.is_ours(&next.url) || next.url.path().starts_with("/device/") {
                return Ok(Visit { steps, landed: next.url, status, body: response.body });
            }
            next = self.next_request(&next.url, &response, user_code)?;
            if !self.opens_redirect_uri && !self.is_ours(&next.url) {
                return Ok(Visit { steps, landed: next.url, status, body: String::new() });
            }
        }
        Err(io::Error::other(format!("the visit did not end after {MAX_STEPS} requests: {steps:?}")))
    }

    fn is_ours(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.issuer
    }

    /// Follows a redirect, or fills in and submits the form on the page.
    fn next_request(&self, at: &Url, response: &Response, user_code: Option<&str>) -> io::Result<Request> {
        if let Some(location) = &response.location {
            return Ok(Request { method: "GET", url: resolve(at, location)?, form: Vec::new() });
        }
        let Some(form) = Form::first_in(&response.body) else {
            let title = form::title(&response.body).unwrap_or("no page");
            let (path, status) = (at.path(), response.status);
            return Err(io::Error::other(format!("the visit ended at {path} with {status}: {title}")));
        };
        if let Some(alert) = form::alert(&response.body) {
            return Err(denied(format!("{} could not sign in at {}: {alert}", self.email, at.path())));
        }
        if let (Some(on_page), Some(on_device)) = (form.user_code(), user_code)
            && UserCode::parse(on_page) != UserCode::parse(on_device)
        {
            return Err(denied(format!(
                "the page shows the code {on_page}, but the device shows {on_device}"
            )));
        }
        let url = resolve(at, &form.action)?;
        let (email, password, decision) = (&self.email, &self.password, self.decision);
        let form = form.filled_in(&Input { email, password, user_code, decision });
        Ok(Request { method: "POST", url, form })
    }
}

fn resolve(base: &Url, target: &str) -> io::Result<Url> {
    base.join(target).map_err(io::Error::other)
}

fn denied(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}

impl fmt::Debug for Robot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Robot")
            .field("email", &self.email)
            .field("decision", &self.decision)
            .finish_non_exhaustive()
    }
}
