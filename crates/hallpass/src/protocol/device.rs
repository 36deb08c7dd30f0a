//! The device authorization grant (RFC 8628): a code on this screen, the sign-in on another device.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::client::{ClientAuth, ClientRequest};
use super::issuer::{Issuer, is_loopback};
use super::token::{self, TokenVerdict, Tokens};
use super::{json, oauth_error};
use crate::error::{OAuthError, ServerIncompatible, ServerMisbehaved};
use crate::secret::Secret;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Where the answer names no interval, or none that makes sense (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// Nobody waits longer between two questions.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// What `slow_down` adds, for good (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The server's clock is not ours, and it counts from when it answered, not from when we heard it.
const SLACK: Duration = Duration::from_secs(1);
/// Where `expires_in` is missing although it is required (RFC 8628 §3.2).
const DEFAULT_LIFE: Duration = Duration::from_secs(10 * 60);
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);
/// A code that a person types is shorter.
const MAX_USER_CODE: usize = 64;

/// The first request (RFC 8628 §3.1).
pub fn authorization_request(
    client: &ClientAuth<'_>,
    scopes: &[String],
    resources: &[String],
) -> ClientRequest {
    let scope = scopes.join(" ");
    let mut fields = Vec::new();
    fields.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
    fields.extend(resources.iter().map(|resource| ("resource", resource.as_str())));
    client.request(&fields)
}

/// One question whether the person is done (RFC 8628 §3.4).
pub fn token_request(client: &ClientAuth<'_>, device_code: &Secret) -> ClientRequest {
    client.request(&[("grant_type", GRANT_TYPE), ("device_code", device_code.expose())])
}

/// What the person needs, and what this program asks with (RFC 8628 §3.2).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeviceAuthorization {
    /// Asked with; never shown.
    pub device_code: Secret,
    /// What the person types, cleaned.
    pub user_code: String,
    /// Where the person goes.
    pub verification_uri: Url,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: Option<Url>,
    /// How long both codes live.
    pub expires_in: Duration,
    /// How long to wait between two questions, at least.
    pub interval: Duration,
}

/// What the device authorization endpoint said.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceVerdict {
    /// A code.
    Started(DeviceAuthorization),
    /// An error answer with a code.
    Refused(OAuthError),
    /// A status that is no success, and no error code with it.
    Status(u16),
    /// A success that breaks a rule.
    Broken(ServerMisbehaved),
    /// A success that cannot be used.
    Unusable(ServerIncompatible),
}

/// Judges the answer to [`authorization_request`].
pub fn judge(issuer: &Issuer, status: u16, body: &[u8]) -> DeviceVerdict {
    if let Some(error) = oauth_error::from_body(body) {
        return DeviceVerdict::Refused(error);
    }
    if status != 200 {
        return DeviceVerdict::Status(status);
    }
    match json::secrets(body) {
        Ok(answer) => judge_members(issuer, &answer),
        Err(_) => broken("it is no JSON object of unique members"),
    }
}

fn judge_members(issuer: &Issuer, answer: &Map<String, Value>) -> DeviceVerdict {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(device_code) = text("device_code") else { return broken("it has no device_code") };
    let user_code = text("user_code").map(crate::sanitize::text).filter(|code| code.len() <= MAX_USER_CODE);
    let Some(user_code) = user_code.filter(|code| !code.is_empty()) else {
        return broken("it has no usable user_code");
    };
    // Google's name for it, from before the standard.
    let Some(uri) = text("verification_uri").or(text("verification_url")) else {
        return broken("it has no verification_uri");
    };
    let Some(verification_uri) = shown(issuer, uri) else {
        let (name, url) = ("verification_uri", crate::sanitize::text(uri));
        return DeviceVerdict::Unusable(ServerIncompatible::InsecureEndpoint { name, url });
    };
    DeviceVerdict::Started(DeviceAuthorization {
        device_code: Secret::new(device_code.to_owned()),
        user_code,
        verification_uri,
        verification_uri_complete: text("verification_uri_complete").and_then(|uri| shown(issuer, uri)),
        expires_in: seconds(answer.get("expires_in")).map_or(DEFAULT_LIFE, |life| life.min(LONGEST_LIFE)),
        interval: seconds(answer.get("interval"))
            .map_or(DEFAULT_INTERVAL, |interval| interval.min(LONGEST_INTERVAL)),
    })
}

fn broken(why: &str) -> DeviceVerdict {
    DeviceVerdict::Broken(ServerMisbehaved::DeviceResponse(why.to_owned()))
}

/// An address that a person may be sent to: `https`, or `http` on loopback under such an issuer.
fn shown(issuer: &Issuer, uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let is_safe = url.scheme() == "https"
        || (url.scheme() == "http" && issuer.is_http_on_loopback() && is_loopback(&url));
    (is_safe && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// Whole or broken seconds, as number or text; nothing where it is junk, zero or negative.
fn seconds(value: Option<&Value>) -> Option<Duration> {
    let seconds = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds.min(1e9)).ok().filter(|duration| !duration.is_zero())
}

/// What the token endpoint said to a question.
#[derive(Debug)]
#[non_exhaustive]
pub enum PollVerdict {
    /// The person is done.
    Granted(Tokens),
    /// Not yet.
    Pending,
    /// Not yet, and ask less often.
    SlowDown,
    /// The server is in trouble: ask again.
    Trouble,
    /// The code is too old.
    Expired,
    /// The person or the server said no.
    Denied(OAuthError),
    /// A success that breaks a rule.
    Broken(ServerMisbehaved),
    /// A success with a token that cannot be used.
    Unusable(ServerIncompatible),
}

/// Judges the answer to [`token_request`]: only `authorization_pending`, `slow_down` and a server in trouble let
/// the questions go on (RFC 8628 §3.5).
pub fn judge_poll(status: u16, body: &[u8]) -> PollVerdict {
    match token::judge(status, body) {
        TokenVerdict::Granted(tokens) => PollVerdict::Granted(tokens),
        TokenVerdict::Refused(error) => match error.error.as_str() {
            "authorization_pending" => PollVerdict::Pending,
            "slow_down" => PollVerdict::SlowDown,
            "expired_token" => PollVerdict::Expired,
            "server_error" | "temporarily_unavailable" => PollVerdict::Trouble,
            _ if is_trouble(status) => PollVerdict::Trouble,
            _ => PollVerdict::Denied(error),
        },
        TokenVerdict::Status(status) if is_trouble(status) => PollVerdict::Trouble,
        TokenVerdict::Status(status) => PollVerdict::Denied(OAuthError::from_status(status)),
        TokenVerdict::Broken(rule) => PollVerdict::Broken(rule),
        TokenVerdict::Unusable(lack) => PollVerdict::Unusable(lack),
    }
}

fn is_trouble(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

/// How long to wait before the next question, counted from when the last answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
    doublings: u32,
}

impl Pace {
    /// The server's own pace.
    pub fn new(interval: Duration) -> Pace {
        Pace { interval, doublings: 0 }
    }

    /// The wait, with a second for what the two clocks do not agree on. A pause that the server asked for
    /// (`Retry-After`) rules if it is longer.
    pub fn wait(&self, retry_after: Option<Duration>) -> Duration {
        let interval = self.interval.saturating_mul(1 << self.doublings.min(6));
        let wait = interval.min(LONGEST_INTERVAL.max(self.interval)) + SLACK.max(self.interval / 20);
        wait.max(retry_after.unwrap_or_default())
    }

    /// The server asked for it: five seconds more, for good.
    pub fn slow_down(&mut self) {
        self.interval += SLOW_DOWN;
        self.doublings = 0;
    }

    /// No answer came, or a server in trouble gave one: twice the wait, until one comes again.
    pub fn back_off(&mut self) {
        self.doublings += 1;
    }

    /// An answer came.
    pub fn resume(&mut self) {
        self.doublings = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::AuthMethod;

    const CLIENT: ClientAuth<'static> =
        ClientAuth { client_id: "cli", secret: None, method: AuthMethod::None };

    fn issuer() -> Issuer {
        Issuer::parse("https://a.example").unwrap()
    }

    fn started(body: &str) -> DeviceAuthorization {
        match judge(&issuer(), 200, body.as_bytes()) {
            DeviceVerdict::Started(device) => device,
            other => panic!("{body}: {other:?}"),
        }
    }

    fn with(members: &str) -> String {
        format!(
            r#"{{"device_code":"CANARY","user_code":"WDJB-MJHT","verification_uri":"https://a.example/device"{members}}}"#
        )
    }

    #[test]
    fn the_requests_have_exactly_the_standards_fields() {
        let scopes = ["openid".to_owned(), "email".to_owned()];
        assert_eq!(*authorization_request(&CLIENT, &scopes, &[]).form, "scope=openid+email&client_id=cli");
        let form = token_request(&CLIENT, &Secret::new("d".to_owned())).form;
        assert_eq!(
            *form,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d&client_id=cli"
        );
    }

    #[test]
    fn n98_the_required_members_are_required() {
        for missing in ["device_code", "user_code", "verification_uri"] {
            let body = with("").replace(&format!("\"{missing}\""), "\"other\"");
            assert!(matches!(judge(&issuer(), 200, body.as_bytes()), DeviceVerdict::Broken(_)), "{missing}");
        }
        for body in ["", "[]", "null", "<html>"] {
            assert!(matches!(judge(&issuer(), 200, body.as_bytes()), DeviceVerdict::Broken(_)), "{body}");
        }
        assert!(matches!(judge(&issuer(), 404, b""), DeviceVerdict::Status(404)));
        let refused = judge(&issuer(), 400, br#"{"error":"unauthorized_client"}"#);
        assert!(matches!(refused, DeviceVerdict::Refused(error) if error.error == "unauthorized_client"));
    }

    #[test]
    fn n97_a_person_is_only_sent_to_https() {
        for uri in ["http://a.example/device", "javascript:alert(1)", "https://u:p@a.example/", "device"] {
            let body = with("").replace("https://a.example/device", uri);
            assert!(matches!(judge(&issuer(), 200, body.as_bytes()), DeviceVerdict::Unusable(_)), "{uri}");
            let complete = with(&format!(r#","verification_uri_complete":"{uri}""#));
            assert_eq!(started(&complete).verification_uri_complete, None, "{uri}");
        }
        let local = Issuer::parse("http://127.0.0.1:4000").unwrap();
        let body = with("").replace("https://a.example", "http://127.0.0.1:4000");
        assert!(matches!(judge(&local, 200, body.as_bytes()), DeviceVerdict::Started(_)));
    }

    #[test]
    fn n94_the_interval_in_every_shape() {
        for (member, interval) in [
            ("", 5),
            (r#","interval":7"#, 7),
            (r#","interval":"7""#, 7),
            (r#","interval":0"#, 5),
            (r#","interval":-3"#, 5),
            (r#","interval":"junk""#, 5),
            (r#","interval":null"#, 5),
            (r#","interval":1000000000"#, 60),
        ] {
            assert_eq!(started(&with(member)).interval.as_secs(), interval, "{member}");
        }
        assert_eq!(started(&with("")).expires_in.as_secs(), 600);
        assert_eq!(started(&with(r#","expires_in":1e300"#)).expires_in, LONGEST_LIFE);
    }

    #[test]
    fn control_characters_in_a_code_never_reach_the_terminal() {
        let body = with("").replace("WDJB-MJHT", "AB\\u001b[2J");
        assert!(!started(&body).user_code.contains('\u{1b}'));
        assert!(!format!("{:?}", started(&body)).contains("CANARY"));
    }

    #[test]
    fn n96_only_pending_slow_down_and_trouble_go_on() {
        let poll = |status: u16, body: &str| judge_poll(status, body.as_bytes());
        let error = |code: &str| format!(r#"{{"error":"{code}"}}"#);
        assert!(matches!(poll(400, &error("authorization_pending")), PollVerdict::Pending));
        assert!(matches!(poll(200, &error("authorization_pending")), PollVerdict::Pending));
        assert!(matches!(poll(400, &error("slow_down")), PollVerdict::SlowDown));
        assert!(matches!(poll(429, &error("slow_down")), PollVerdict::SlowDown));
        assert!(matches!(poll(400, &error("expired_token")), PollVerdict::Expired));
        for (status, body) in [(503, String::new()), (429, String::new()), (500, error("server_error"))] {
            assert!(matches!(poll(status, &body), PollVerdict::Trouble), "{status}");
        }
        for code in ["access_denied", "invalid_grant", "invalid_client", "unauthorized_client", "new_one"] {
            assert!(matches!(poll(400, &error(code)), PollVerdict::Denied(_)), "{code}");
        }
        assert!(matches!(poll(403, "<html>"), PollVerdict::Denied(_)));
        assert!(matches!(poll(200, r#"{"access_token":"a"}"#), PollVerdict::Granted(_)));
        assert!(matches!(poll(200, "{}"), PollVerdict::Broken(_)));
    }

    #[test]
    fn n94_slow_down_adds_five_seconds_to_this_and_all_later_waits() {
        let mut pace = Pace::new(Duration::from_secs(5));
        assert_eq!(pace.wait(None).as_secs(), 6);
        pace.slow_down();
        pace.resume();
        assert_eq!(pace.wait(None).as_secs(), 11);
        pace.slow_down();
        assert_eq!(pace.wait(None).as_secs(), 16);
        assert_eq!(pace.wait(Some(Duration::from_secs(90))).as_secs(), 90);
    }

    #[test]
    fn n95_each_time_out_doubles_the_wait_until_an_answer_comes() {
        let mut pace = Pace::new(Duration::from_secs(5));
        let mut waits = Vec::new();
        for _ in 0..6 {
            pace.back_off();
            waits.push(pace.wait(None).as_secs());
        }
        assert_eq!(waits, [11, 21, 41, 61, 61, 61]);
        pace.resume();
        assert_eq!(pace.wait(None).as_secs(), 6);
    }

    /// A server that counts five exact seconds from its own answer, and a clock here that runs five per cent fast.
    #[test]
    fn p25_a_clock_that_runs_fast_is_still_slow_enough() {
        for interval in [1, 5, 20, 60, 65] {
            let pace = Pace::new(Duration::from_secs(interval));
            assert!(pace.wait(None).as_secs_f64() / 1.05 >= interval as f64 - 0.01, "{interval}");
        }
    }
}
