//! The device authorization grant (RFC 8628): the user enters a code on another device and signs in there.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::client::{ClientAuth, ClientRequest};
use super::issuer::{Issuer, is_loopback};
use super::token::{self, TokenVerdict, Tokens};
use super::{json, oauth_error, seconds};
use crate::error::{OAuthError, ServerIncompatible, ServerMisbehaved};
use crate::secret::Secret;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The polling interval if the response has no valid one (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// The longest polling interval, unless `slow_down` responses add to it.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// The time that each `slow_down` response adds to the polling interval (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The time that is added to each wait, because the server's clock may differ and the server measures the interval from
/// when it sent the response.
const SLACK: Duration = Duration::from_secs(1);
/// The lifetime of the codes if the response has no valid `expires_in`, although it is required (RFC 8628 §3.2).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(10 * 60);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The longest accepted user code, in bytes.
const MAX_USER_CODE: usize = 64;

/// Builds the device authorization request (RFC 8628 §3.1).
pub fn authorization_request(
    client: &ClientAuth<'_>,
    scopes: &[String],
    resources: &[String],
) -> ClientRequest {
    let scope = scopes.join(" ");
    let mut fields = Vec::new();
    if !scope.is_empty() {
        fields.push(("scope", scope.as_str()));
    }
    fields.extend(resources.iter().map(|resource| ("resource", resource.as_str())));
    client.request(&fields)
}

/// Builds a token request, which asks whether the user has signed in (RFC 8628 §3.4).
pub fn token_request(client: &ClientAuth<'_>, device_code: &Secret) -> ClientRequest {
    client.request(&[("grant_type", GRANT_TYPE), ("device_code", device_code.expose())])
}

/// The device authorization response: the codes, and where to enter the user code (RFC 8628 §3.2).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeviceAuthorization {
    /// The code for token requests. It is not shown to the user.
    pub device_code: Secret,
    /// The code that the user enters, cleaned for display.
    pub user_code: String,
    /// The URL where the user enters the code.
    pub verification_uri: Url,
    /// The URL that already contains the code, for a QR code.
    pub verification_uri_complete: Option<Url>,
    /// The lifetime of both codes.
    pub expires_in: Duration,
    /// The minimum time between two token requests.
    pub interval: Duration,
}

/// The verdict on a device authorization response.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceVerdict {
    /// The codes.
    Started(DeviceAuthorization),
    /// An error response with an error code.
    Refused(OAuthError),
    /// A status other than 200, without an error code.
    Status(u16),
    /// A success response that violates the standard.
    Broken(ServerMisbehaved),
    /// A success response that cannot be used safely.
    Unusable(ServerIncompatible),
}

/// Judges the response to [`authorization_request`].
pub fn judge(issuer: &Issuer, status: u16, body: &[u8]) -> DeviceVerdict {
    if let Some(error) = oauth_error::from_body(body) {
        return DeviceVerdict::Refused(error);
    }
    if status != 200 {
        return DeviceVerdict::Status(status);
    }
    match json::secrets(body) {
        Ok(response) => judge_members(issuer, &response),
        Err(_) => broken("not a JSON object with unique members"),
    }
}

fn judge_members(issuer: &Issuer, response: &Map<String, Value>) -> DeviceVerdict {
    let text = |name: &str| response.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let seconds = |name: &str| response.get(name).and_then(seconds::parse);
    let Some(device_code) = text("device_code") else { return broken("no device_code") };
    let user_code = text("user_code").map(crate::sanitize::text).unwrap_or_default();
    if user_code.is_empty() || user_code.len() > MAX_USER_CODE {
        return broken("no usable user_code");
    }
    // Google uses the name from before the standard, `verification_url`.
    let Some(uri) = text("verification_uri").or(text("verification_url")) else {
        return broken("no verification_uri");
    };
    let Some(verification_uri) = safe_url(issuer, uri) else {
        let (name, url) = ("verification_uri", crate::sanitize::text(uri));
        return DeviceVerdict::Unusable(ServerIncompatible::InsecureEndpoint { name, url });
    };
    DeviceVerdict::Started(DeviceAuthorization {
        device_code: Secret::new(device_code.to_owned()),
        user_code,
        verification_uri,
        verification_uri_complete: text("verification_uri_complete").and_then(|uri| safe_url(issuer, uri)),
        expires_in: seconds("expires_in").unwrap_or(DEFAULT_LIFETIME).min(MAX_LIFETIME),
        interval: seconds("interval").unwrap_or(DEFAULT_INTERVAL).min(MAX_INTERVAL),
    })
}

fn broken(why: &str) -> DeviceVerdict {
    DeviceVerdict::Broken(ServerMisbehaved::DeviceResponse(why.to_owned()))
}

/// Parses a URL that may be shown to the user: `https`, or `http` on loopback if the issuer is, too.
fn safe_url(issuer: &Issuer, uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let is_safe = url.scheme() == "https"
        || (url.scheme() == "http" && issuer.is_http_on_loopback() && is_loopback(&url));
    if is_safe && url.username().is_empty() && url.password().is_none() { Some(url) } else { None }
}

/// The verdict on the response to a token request of the device flow.
#[derive(Debug)]
#[non_exhaustive]
pub enum PollVerdict {
    /// The user has signed in.
    Granted(Tokens),
    /// The user has not signed in yet.
    Pending,
    /// The user has not signed in yet, and the requests come too often.
    SlowDown,
    /// The server has a temporary problem. Try again.
    Trouble,
    /// The codes have expired.
    Expired,
    /// The user or the server refused the sign-in.
    Denied(OAuthError),
    /// A success response that violates the standard.
    Broken(ServerMisbehaved),
    /// A success response with a token that cannot be used.
    Unusable(ServerIncompatible),
}

/// Judges the response to [`token_request`]. Polling continues only after `authorization_pending`, `slow_down` and
/// temporary problems (RFC 8628 §3.5).
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

/// The time to wait before the next token request, measured from the last response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
    doublings: u32,
}

impl Pace {
    /// Starts with the interval of the device authorization response.
    pub fn new(interval: Duration) -> Pace {
        Pace { interval, doublings: 0 }
    }

    /// The time to wait: a little longer than the interval, since clocks differ, or until `retry_after` if that is
    /// longer.
    pub fn wait(&self, retry_after: Option<Duration>) -> Duration {
        let interval = self.interval.saturating_mul(1 << self.doublings.min(6));
        let wait = interval.min(MAX_INTERVAL.max(self.interval)) + SLACK.max(self.interval / 20);
        wait.max(retry_after.unwrap_or_default())
    }

    /// Adds five seconds to this and all later waits (RFC 8628 §3.5).
    pub fn slow_down(&mut self) {
        self.interval += SLOW_DOWN;
        self.doublings = 0;
    }

    /// Doubles the wait after a request without a usable response (RFC 8628 §3.5).
    pub fn back_off(&mut self) {
        self.doublings += 1;
    }

    /// Ends the back-off after a usable response.
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
    fn the_requests_have_exactly_the_fields_of_the_standard() {
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
    fn n97_the_user_is_only_sent_to_https() {
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
    fn n94_the_interval_in_every_form() {
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
        assert_eq!(started(&with(r#","expires_in":1e300"#)).expires_in, MAX_LIFETIME);
    }

    #[test]
    fn control_characters_in_a_code_never_reach_the_terminal() {
        let body = with("").replace("WDJB-MJHT", "AB\\u001b[2J");
        assert!(!started(&body).user_code.contains('\u{1b}'));
        assert!(!format!("{:?}", started(&body)).contains("CANARY"));
    }

    #[test]
    fn n96_polling_continues_only_after_pending_slow_down_and_temporary_problems() {
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
    fn n95_each_timeout_doubles_the_wait_until_a_response_arrives() {
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

    /// The server measures the exact interval, and the clock here runs five percent fast.
    #[test]
    fn p25_a_clock_that_runs_fast_still_waits_long_enough() {
        for interval in [1, 5, 20, 60, 65] {
            let pace = Pace::new(Duration::from_secs(interval));
            assert!(pace.wait(None).as_secs_f64() / 1.05 >= interval as f64 - 0.01, "{interval}");
        }
    }
}
