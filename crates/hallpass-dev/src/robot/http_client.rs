//! The robot's HTTP client, which keeps cookies and leaves redirects to the robot.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::http::HeaderValue;
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

/// The time limit for a request. The client under test may hold its response back until it has its tokens.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct HttpClient {
    agent: Agent,
    /// The cookies of each origin. Browsers share cookies between the ports of a host, but this makes no difference,
    /// as the names of ours contain the port.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) url: Url,
    pub(super) form: Vec<(String, String)>,
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

impl Default for HttpClient {
    fn default() -> HttpClient {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent("hallpass-dev robot");
        HttpClient { agent: config.build().new_agent(), cookies: BTreeMap::new() }
    }
}

impl HttpClient {
    pub(super) fn send(&mut self, request: &Request) -> io::Result<Response> {
        let origin = request.url.origin().ascii_serialization();
        let cookie = self.cookie_header(&origin);
        let url = request.url.as_str();
        let sent = match request.method {
            "POST" => {
                let post = self.agent.post(url).header(COOKIE, cookie).header("Origin", &origin);
                post.send_form(request.form.iter().map(|(n, v)| (n, v)))
            }
            _ => self.agent.get(url).header(COOKIE, cookie).call(),
        };
        let mut response = sent.map_err(into_io)?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.store_cookie(&origin, cookie);
        }
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        Ok(Response {
            status: response.status().as_u16(),
            location: location.map(str::to_owned),
            body: response.body_mut().read_to_string().map_err(into_io)?,
        })
    }

    fn cookie_header(&self, origin: &str) -> String {
        let cookies = self.cookies.get(origin).into_iter().flatten();
        cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn store_cookie(&mut self, origin: &str, cookie: &HeaderValue) {
        let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            let stored = self.cookies.entry(origin.to_owned()).or_default();
            stored.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}

/// Keeps I/O errors as they are, so that a refused connection can be recognized.
fn into_io(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
