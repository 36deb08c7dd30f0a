//! Looking at everything that a login needs, without signing anybody in.

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

/// Looks at one thing after the other. What fails is found and does not end it.
pub(crate) fn diagnose(context: &Context) -> Diagnosis {
    let mut findings = vec![store(context), keychain(context)];
    match &context.config.client {
        Some(client) => findings.extend(server(context, client)),
        None => findings.push(Finding::remark(Subject::Server, "none is named, so none was asked")),
    }
    Diagnosis { explanation: context.explain(), findings }
}

fn store(context: &Context) -> Finding {
    match (storage::probe(context), context.store.path()) {
        (Err(error), _) => Finding::trouble(Subject::Store, error),
        (Ok(_), None) => Finding::good(Subject::Store, "this program's memory; nothing is kept"),
        (Ok(previous), Some(path)) => {
            let held = if previous.is_some() { "has a sign-in" } else { "has no sign-in" };
            Finding::good(Subject::Store, format!("{} can be written and {held}", path.display()))
        }
    }
}

/// As a login does it: by keeping a key there and having it back.
fn keychain(context: &Context) -> Finding {
    if matches!(context.config.storage, Storage::File | Storage::Memory) {
        return Finding::good(Subject::Keychain, "not used, as was asked");
    }
    let seal = context.store.new_seal();
    seal.iter().for_each(|seal| context.store.break_seal(seal));
    match seal {
        Ok(_) => {
            Finding::good(Subject::Keychain, format!("can keep the key of a sign-in{}", strays(context)))
        }
        Err(why) if context.config.storage == Storage::Keychain => {
            Finding::trouble(Subject::Keychain, StoreError::NoKeychain(why))
        }
        Err(why @ KeychainError::Locked) => {
            Finding::remark(Subject::Keychain, format!("{why}; a login on a terminal asks to unlock it"))
        }
        Err(why) => Finding::remark(Subject::Keychain, format!("{why}; a sign-in will not be sealed")),
    }
}

/// Removing them might break the seal of a record that is kept elsewhere.
fn strays(context: &Context) -> String {
    match context.store.stray_keys() {
        Ok(0) => String::new(),
        Ok(count) => format!("; {count} of its keys seal nothing in this folder"),
        Err(why) => format!("; its keys cannot be listed: {why}"),
    }
}

/// A way that cannot be gone is the one finding: whatever is sent would fail with the same.
fn server(context: &Context, client: &Client) -> Vec<Finding> {
    match context.http.route(client.issuer.url()) {
        Ok(route) => [way(route, client.issuer.host()), answers(context, client)].concat(),
        Err(error) if error.kind == NetworkErrorKind::Proxy => {
            vec![Finding::trouble(Subject::Proxy, error)]
        }
        Err(error) => vec![Finding::trouble(Subject::Trust, error)],
    }
}

/// Returns the proxy and the trusted authorities, as far as the HTTP client tells them.
fn way(route: Route, host: &str) -> Vec<Finding> {
    let proxy = route.proxy.map(|proxy| match proxy {
        Some(proxy) => Finding::remark(Subject::Proxy, format!("{host} is reached through {proxy}")),
        None => Finding::good(Subject::Proxy, format!("none for {host}")),
    });
    let trust = route.trust.map(|trust| Finding::good(Subject::Trust, trust));
    proxy.into_iter().chain(trust).collect()
}

fn answers(context: &Context, client: &Client) -> Vec<Finding> {
    let watched = Arc::new(Watched::new(context));
    let context = Context { http: watched.clone(), ..context.clone() };
    let begun = Instant::now();
    let metadata = discover::discover(&context, client);
    let took = begun.elapsed().as_millis();
    let answered = watched.answered();
    let issuer = client.issuer.as_str();
    let server = match &metadata {
        Err(error) => Finding::trouble(Subject::Server, error.clone()),
        Ok(_) if answered.is_none() => {
            Finding::remark(Subject::Server, format!("{issuer} was not asked: its endpoints are given"))
        }
        Ok(_) => Finding::good(Subject::Server, format!("{issuer} answered in {took} ms")),
    };
    let clock = answered.and_then(|answered| clock(answered, client.issuer.host()));
    let features = metadata.iter().map(|metadata| features(context.config.scopes_are_ours, metadata));
    [server].into_iter().chain(clock).chain(features).collect()
}

/// By the `Date` of an answer (RFC 9110 §6.6.1), if it has one.
fn clock((now, date): (SystemTime, Option<SystemTime>), host: &str) -> Option<Finding> {
    Some(match ClockSkew::measure(now, date?, host) {
        None => Finding::good(Subject::Clock, format!("agrees with {host}'s")),
        Some(skew) => Finding::remark(
            Subject::Clock,
            format!(
                "{skew}: tokens will be taken for expired, or for not valid yet; set the one that is wrong"
            ),
        ),
    })
}

fn features(scopes_are_ours: bool, metadata: &ServerMetadata) -> Finding {
    let has = |endpoint| metadata.endpoints.get(endpoint).is_some();
    let lists_s256 = metadata.code_challenge_methods_supported.is_some();
    let rows = [
        (lists_s256, "PKCE"),
        (has(Endpoint::Userinfo), "userinfo"),
        (has(Endpoint::Revocation), "revocation"),
        (has(Endpoint::DeviceAuthorization), "device grant"),
        (metadata.authorization_response_iss_parameter_supported, "iss in its answers"),
        (metadata.scopes_supported.is_some() && metadata.supports_scope("offline_access"), "offline_access"),
    ];
    let named = |wanted: bool| {
        let names = rows.iter().filter(|(has, _)| *has == wanted).map(|(_, name)| *name);
        names.collect::<Vec<_>>().join(", ")
    };
    let silent = Some(named(false)).filter(|names| !names.is_empty());
    let silent = silent.map(|names| format!("; does not name {names}")).unwrap_or_default();
    let shortened = scopes_are_ours && !metadata.supports_scope("offline_access");
    let unasked = if shortened { ", so offline_access is not asked for" } else { "" };
    Finding::good(Subject::Features, format!("names {}{silent}{unasked}", named(true)))
}

/// When an answer came, and the date in it.
type Answered = (SystemTime, Option<SystemTime>);

/// Remembers the last answer that has a date, else the first.
struct Watched {
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    answered: Mutex<Option<Answered>>,
}

impl Watched {
    fn new(context: &Context) -> Watched {
        Watched { http: context.http.clone(), clock: context.clock.clone(), answered: Mutex::default() }
    }

    fn answered(&self) -> Option<Answered> {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Http for Watched {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        let answer = self.http.send(request)?;
        let (now, date) = (self.clock.now(), answer.date());
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if date.is_some() || answered.is_none() {
            *answered = Some((now, date));
        }
        Ok(answer)
    }

    fn route(&self, url: &Url) -> Result<Route, NetworkError> {
        self.http.route(url)
    }
}
