//! Finding out what the server has, before anything else is done.

use super::Context;
use super::endpoint::status_error;
use crate::error::{Error, Result, ServerIncompatible};
use crate::protocol::metadata::{Endpoint, ServerMetadata, well_known};
use crate::settings::{Client, DeviceGrant};
use crate::world::http::HttpRequest;

/// The server's metadata: the OpenID document, with the gaps filled from RFC 8414's where it names no
/// revocation endpoint, or no device authorization endpoint although that is the only way. Endpoints that were given
/// by hand rule; with both that a login needs, no document is asked for.
pub(super) fn discover(context: &Context, client: &Client) -> Result<ServerMetadata> {
    let by_hand = &client.endpoints;
    let entrance = entrance(context);
    if [entrance, Endpoint::Token].iter().all(|endpoint| by_hand.get(*endpoint).is_some()) {
        return Ok(ServerMetadata::from_endpoints(&client.issuer, by_hand.clone()));
    }
    let mut metadata = documents(context, client)?;
    metadata.endpoints = by_hand.clone().or(&metadata.endpoints);
    if entrance == Endpoint::Authorization {
        metadata.check_pkce()?;
    }
    Ok(metadata)
}

/// The endpoint at which a login begins.
fn entrance(context: &Context) -> Endpoint {
    match context.config.device_grant {
        DeviceGrant::Only => Endpoint::DeviceAuthorization,
        DeviceGrant::Offered | DeviceGrant::Off => Endpoint::Authorization,
    }
}

fn documents(context: &Context, client: &Client) -> Result<ServerMetadata> {
    let mut attempts = Attempts { context, client, tried: Vec::new(), last_failure: None };
    let [openid, inserted, appended] = well_known(&client.issuer);
    match attempts.ask(&openid)? {
        Some(metadata) if has(&metadata, Endpoint::Revocation) && has(&metadata, entrance(context)) => {
            Ok(metadata)
        }
        Some(metadata) => Ok(match attempts.supplement(&[inserted, appended]) {
            Some(other) => metadata.or(other),
            None => metadata,
        }),
        None => match attempts.ask(&inserted)? {
            Some(metadata) => Ok(metadata),
            None if appended == inserted => Err(attempts.failure()),
            None => attempts.ask(&appended)?.ok_or_else(|| attempts.failure()),
        },
    }
}

fn has(metadata: &ServerMetadata, endpoint: Endpoint) -> bool {
    metadata.endpoints.get(endpoint).is_some()
}

/// Requests and their responses.
struct Attempts<'a> {
    context: &'a Context,
    client: &'a Client,
    tried: Vec<String>,
    last_failure: Option<Error>,
}

impl Attempts<'_> {
    /// `None` where there is no metadata at this address; an error where the server cannot be reached at
    /// all, or where there is metadata that must not be used. A redirect (to a page where people sign in) and a body
    /// without end are no metadata either.
    fn ask(&mut self, url: &url::Url) -> Result<Option<ServerMetadata>> {
        let answer = match self.context.send("metadata", HttpRequest::get(url.clone())) {
            Err(Error::ServerMisbehaved(rule)) => {
                self.note(url, rule.to_string(), Some(rule.into()));
                return Ok(None);
            }
            answer => answer?,
        };
        if answer.status != 200 {
            let is_in_trouble = answer.status >= 500 || answer.status == 429;
            let trouble = is_in_trouble.then(|| status_error(url, &answer));
            self.note(url, answer.status.to_string(), trouble);
            return Ok(None);
        }
        let shared_issuer = self.client.metadata_issuer.as_deref();
        let found = ServerMetadata::judge(&self.client.issuer, shared_issuer, &answer.body)?;
        if found.is_none() {
            self.note(url, "no metadata".to_owned(), None);
        }
        Ok(found)
    }

    fn note(&mut self, url: &url::Url, what: String, failure: Option<Error>) {
        self.tried.push(format!("{}: {what}", url.path()));
        self.last_failure = failure;
    }

    /// The second document only adds; whatever is wrong with it is no reason to fail.
    fn supplement(&mut self, urls: &[url::Url; 2]) -> Option<ServerMetadata> {
        let [inserted, appended] = urls;
        let first = self.ask(inserted).ok().flatten();
        if first.is_some() || inserted == appended { first } else { self.ask(appended).ok().flatten() }
    }

    /// A server in trouble is one to ask again; one without metadata is not.
    fn failure(&mut self) -> Error {
        self.last_failure.take().unwrap_or_else(|| {
            let issuer = self.client.issuer.as_str().to_owned();
            ServerIncompatible::NoMetadata { issuer, tried: std::mem::take(&mut self.tried) }.into()
        })
    }
}
