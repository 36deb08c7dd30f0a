//! The robot's HTTP client: cookies, and every redirect in the robot's own hands.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};

use super::Request;

/// A listener may hold the page back until its token exchange is done; half a minute is more than that.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Browser {
    agent: Agent,
    /// By origin. Real cookies are shared by all ports of a host; ours are named after the port.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

impl Default for Browser {
    fn default() -> Browser {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent("hallpass-dev robot");
        Browser { agent: config.build().new_agent(), cookies: BTreeMap::new() }
    }
}

impl Browser {
    pub(super) fn send(&mut self, request: &Request) -> io::Result<Answer> {
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
        let headers = response.headers();
        let text = |value: &ureq::http::HeaderValue| value.to_str().ok().map(str::to_owned);
        let set: Vec<String> = headers.get_all(SET_COOKIE).iter().filter_map(text).collect();
        let location = headers.get(LOCATION).and_then(text);
        self.keep(&origin, &set);
        let body = response.body_mut().read_to_string().map_err(into_io)?;
        Ok(Answer { status: response.status().as_u16(), location, body })
    }

    fn cookie_header(&self, origin: &str) -> String {
        let cookies = self.cookies.get(origin).into_iter().flatten();
        cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, origin: &str, set: &[String]) {
        let jar = self.cookies.entry(origin.to_owned()).or_default();
        for cookie in set {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            jar.extend(pair.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
        }
    }
}

/// A refused connection stays recognisable as one.
fn into_io(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
