//! The server's public keys: fetched while the user signs in, and once more if they changed meanwhile.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use url::Url;

use super::Context;
use super::endpoint::{host_of, status_error};
use crate::error::ClockSkew;
use crate::error::{Result, ServerIncompatible};
use crate::protocol::id_token::{Expectations, IdTokenClaims, UnverifiedIdToken};
use crate::protocol::jwk::JwkSet;
use crate::protocol::metadata::{Endpoint, Endpoints};
use crate::world::http::HttpRequest;

/// Servers close idle connections after 5 s and more; ours is renewed before.
const RENEW: Duration = Duration::from_secs(4);
/// A user who takes longer than this to sign in will not notice one more round trip.
const KEEP_READY: Duration = Duration::from_secs(60);

/// The server's keys, and how our clock stood to the server's when they came.
pub(super) struct Keys {
    set: JwkSet,
    skew: Option<ClockSkew>,
}

impl Keys {
    /// Judges an ID token. Where its times refuse it, the error says whose clock may be wrong.
    pub(super) fn verify(
        &self,
        token: UnverifiedIdToken,
        expected: &Expectations<'_>,
    ) -> Result<IdTokenClaims> {
        Ok(token.verify(&self.set, expected).map_err(|rule| rule.with_skew(self.skew.clone()))?)
    }
}

/// Fetches keys now.
pub(super) fn fetch(context: &Context, url: &Url) -> Result<Keys> {
    let answer = context.send("JWKS", HttpRequest::get(url.clone()))?;
    if answer.status != 200 {
        return Err(status_error(url, &answer));
    }
    let skew = answer.date().and_then(|date| ClockSkew::measure(context.now(), date, &host_of(url)));
    Ok(Keys { set: JwkSet::parse(&answer.body)?, skew })
}

/// Verifies an ID token with these keys, or with fresh ones if none of these fits (OpenID Connect Core
/// §10.1.1).
pub(super) fn verify(
    context: &Context,
    url: &Url,
    keys: Keys,
    token: UnverifiedIdToken,
    expected: &Expectations<'_>,
) -> Result<IdTokenClaims> {
    let keys = if token.has_key_in(&keys.set) { keys } else { fetch(context, url)? };
    keys.verify(token, expected)
}

/// Work done while the user signs in: the keys, and a connection to the token endpoint. Dropping
/// it ends the work.
pub(super) struct Preparation {
    keys: Receiver<Result<Keys>>,
    url: Option<Url>,
    _until_dropped: Sender<()>,
}

impl Preparation {
    /// Starts on a thread of its own; a failure is reported when the result is needed.
    pub(super) fn start(context: &Arc<Context>, endpoints: &Endpoints) -> Preparation {
        let (done, keys) = mpsc::channel();
        let (until_dropped, stop) = mpsc::channel();
        let url = endpoints.get(Endpoint::Jwks).cloned();
        let token_endpoint = endpoints.get(Endpoint::Token).cloned();
        let (context, jwks) = (context.clone(), url.clone());
        std::thread::spawn(move || {
            if let Some(url) = jwks {
                let _ = done.send(fetch(&context, &url));
            }
            if let Some(url) = token_endpoint {
                keep_ready(&context, &url, &stop);
            }
        });
        Preparation { keys, url, _until_dropped: until_dropped }
    }

    /// The keys and where they come from; fetched again if the first try failed.
    pub(super) fn keys(&self, context: &Context) -> Result<(Keys, Url)> {
        let url = self.url.clone().ok_or(ServerIncompatible::NoEndpoint(Endpoint::Jwks.member()))?;
        match self.keys.recv_timeout(context.config.request_timeout) {
            Ok(Ok(keys)) => Ok((keys, url)),
            _ => Ok((fetch(context, &url)?, url)),
        }
    }
}

fn keep_ready(context: &Context, url: &Url, stop: &Receiver<()>) {
    let end = Instant::now() + KEEP_READY;
    while Instant::now() < end {
        context.http.connect_ahead(url);
        if stop.recv_timeout(RENEW) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
