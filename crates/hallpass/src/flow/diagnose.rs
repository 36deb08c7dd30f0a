//! Checks everything that a login depends on, without signing in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use url::Url;

use super::login::storage;
use super::{Context, discover};
use crate::error::ClockSkew;
use crate::error::KeychainError;
use crate::error::{NetworkError, NetworkErrorKind, StoreError};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::session::{Diagnosis, Finding, Subject};
use crate::settings::{Client, Storage};
use crate::world::clock::Clock;
use crate::world::http::{Http, HttpRequest, HttpResponse, Route};

/// Runs all checks. A failed check becomes a finding and does not stop the others.
pub(crate) fn diagnose(context: &Context) -> Diagnosis {
    let mut findings = vec![store(context), keychain(context)];
    match &context.config.client {
        Some(client) => findings.extend(server(context, client)),
        None => findings.push(Finding::remark(Subject::Server, "no issuer is set, so no server was checked")),
    }
    Diagnosis { explanation: context.explain(), findings }
}

fn store(context: &Context) -> Finding {
    match (storage::probe(context), context.store.path()) {
        (Err(error), _) => Finding::trouble(Subject::Store, error),
        (Ok(_), None) => Finding::good(Subject::Store, "memory only; the session ends with this program"),
        (Ok(previous), Some(path)) => {
            let held = if previous.is_some() { "has a session" } else { "has no session yet" };
            Finding::good(Subject::Store, format!("{} is writable and {held}", path.display()))
        }
    }
}

/// Stores a key and reads it back, as a login does, then removes it.
fn keychain(context: &Context) -> Finding {
    if matches!(context.config.storage, Storage::File | Storage::Memory) {
        return Finding::good(Subject::Keychain, "not used (see the storage setting)");
    }
    let seal = context.store.new_seal();
    if let Ok(seal) = &seal {
        context.store.break_seal(seal);
    }
    match seal {
        Ok(_) => {
            Finding::good(Subject::Keychain, format!("available to encrypt credentials{}", strays(context)))
        }
        Err(why) if context.config.storage == Storage::Keychain => {
            Finding::trouble(Subject::Keychain, StoreError::NoKeychain(why))
        }
        Err(why @ KeychainError::Locked) => {
            Finding::remark(Subject::Keychain, format!("{why}; a login in a terminal asks to unlock it"))
        }
        Err(why) => Finding::remark(Subject::Keychain, format!("{why}; credentials will not be encrypted")),
    }
}

/// Counts keys that belong to no file in this directory. They may belong to files in another one, so they are not
/// removed.
fn strays(context: &Context) -> String {
    match context.store.stray_keys() {
        Ok(0) => String::new(),
        Ok(count) => format!("; keys without a file in this directory: {count}"),
        Err(why) => format!("; could not list its keys: {why}"),
    }
}

/// Checks the route, then the server. Without a route the server is not checked: its requests would fail the same way.
fn server(context: &Context, client: &Client) -> Vec<Finding> {
    match context.http.route(client.issuer.url()) {
        Ok(route) => [describe_route(route, client.issuer.host()), metadata(context, client)].concat(),
        Err(error) if error.kind == NetworkErrorKind::Proxy => {
            vec![Finding::trouble(Subject::Proxy, error)]
        }
        Err(error) => vec![Finding::trouble(Subject::Trust, error)],
    }
}

/// Describes the parts of the route that are known; a custom HTTP client may report none.
fn describe_route(route: Route, host: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match route.proxy {
        Some(Some(proxy)) => {
            findings.push(Finding::remark(Subject::Proxy, format!("requests to {host} go through {proxy}")));
        }
        Some(None) => findings.push(Finding::good(Subject::Proxy, format!("none for {host}"))),
        None => {}
    }
    if let Some(trust) = route.trust {
        findings.push(Finding::good(Subject::Trust, trust));
    }
    findings
}

/// Fetches the server's metadata and compares clocks by the response.
fn metadata(context: &Context, client: &Client) -> Vec<Finding> {
    let http = Arc::new(DateRecorder::new(context));
    let context = Context { http: http.clone(), ..context.clone() };
    let start = Instant::now();
    let metadata = discover::discover(&context, client);
    let took = start.elapsed().as_millis();
    let response = http.recorded();
    let issuer = client.issuer.as_str();
    let server = match &metadata {
        Err(error) => Finding::trouble(Subject::Server, error.clone()),
        Ok(_) if response.is_none() => Finding::remark(
            Subject::Server,
            format!("{issuer} was not contacted: its endpoints are set by hand"),
        ),
        Ok(_) => Finding::good(Subject::Server, format!("{issuer} responded in {took} ms")),
    };
    let mut findings = vec![server];
    findings.extend(response.and_then(|response| clock(response, client.issuer.host())));
    if let Ok(metadata) = &metadata {
        findings.push(features(&context, metadata));
    }
    findings
}

/// Compares this machine's clock with the response's `Date` (RFC 9110 §6.6.1), if there is one.
fn clock(ResponseTime { now, date }: ResponseTime, host: &str) -> Option<Finding> {
    Some(match ClockSkew::measure(now, date?, host) {
        None => Finding::good(Subject::Clock, format!("agrees with {host}'s")),
        Some(skew) => Finding::remark(
            Subject::Clock,
            format!("{skew}: tokens may be treated as expired or not yet valid; correct the wrong clock"),
        ),
    })
}

/// Lists the features that the server's metadata names, and those that it does not.
fn features(context: &Context, metadata: &ServerMetadata) -> Finding {
    let has = |endpoint| metadata.endpoints.get(endpoint).is_some();
    let lists_s256 = metadata.code_challenge_methods_supported.is_some();
    let rows = [
        (lists_s256, "PKCE"),
        (has(Endpoint::Userinfo), "userinfo"),
        (has(Endpoint::Revocation), "revocation"),
        (has(Endpoint::DeviceAuthorization), "device grant"),
        (metadata.authorization_response_iss_parameter_supported, "iss in responses"),
        (metadata.scopes_supported.is_some() && metadata.supports_scope("offline_access"), "offline_access"),
    ];
    let (listed, unlisted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(is_listed, _)| *is_listed);
    let join = |rows: Vec<(bool, &'static str)>| {
        rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("lists {}", join(listed));
    if !unlisted.is_empty() {
        text += &format!("; does not list {}", join(unlisted));
    }
    if context.config.scopes_are_ours && !metadata.supports_scope("offline_access") {
        text += ", so offline_access is not requested";
    }
    Finding::good(Subject::Features, text)
}

/// The local time of a response, and its `Date`.
#[derive(Clone, Copy)]
struct ResponseTime {
    now: SystemTime,
    date: Option<SystemTime>,
}

/// Forwards requests and records the time of the last response with a `Date`, or of the first response if none has one.
struct DateRecorder {
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    recorded: Mutex<Option<ResponseTime>>,
}

impl DateRecorder {
    fn new(context: &Context) -> DateRecorder {
        DateRecorder { http: context.http.clone(), clock: context.clock.clone(), recorded: Mutex::default() }
    }

    fn recorded(&self) -> Option<ResponseTime> {
        *self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Http for DateRecorder {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        let response = self.http.send(request)?;
        let time = ResponseTime { now: self.clock.now(), date: response.date() };
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if time.date.is_some() || recorded.is_none() {
            *recorded = Some(time);
        }
        Ok(response)
    }

    fn route(&self, url: &Url) -> Result<Route, NetworkError> {
        self.http.route(url)
    }
}
