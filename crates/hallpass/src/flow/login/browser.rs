//! The way through the browser and a loopback callback (RFC 8252).

use std::sync::mpsc::Sender;

use url::Url;

use super::happening::Happening;
use crate::browser::Explanation;
use crate::error::{Misuse, Result};
use crate::flow::Context;
use crate::loopback::{Binding, Listener};
use crate::protocol::authorization::{AuthorizationRequest, PendingAuthorization};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::settings::Client;
use crate::store::StoredRecord;
use crate::ui::{LoginEvent, LoginUi};
use crate::world::entropy;

/// Asking which account says nothing about whether to ask for consent (OpenID Connect Core §3.1.2.1).
const SELECT_ACCOUNT: &str = "select_account";

/// An address that was shown, and where its answer comes back.
pub(super) struct BrowserWay {
    pub(super) listener: Listener,
    pub(super) pending: PendingAuthorization,
}

/// Binds the listener, and only then makes the address.
pub(super) fn start(
    context: &Context,
    ui: &mut dyn LoginUi,
    client: &Client,
    metadata: &ServerMetadata,
    scopes: &[String],
    previous: Option<&StoredRecord>,
    happen: Sender<Happening>,
) -> Result<(BrowserWay, Url)> {
    let listener = listen(context, happen.clone())?;
    if let Binding::Forwarded { listen, .. } = &context.config.binding
        && !listen.ip().is_loopback()
    {
        let note = format!("while you sign in, other computers can reach {listen}");
        ui.event(LoginEvent::Note(note));
    }
    let prompt = prompt(context, metadata, scopes, previous);
    let (url, pending) =
        request(context, client, metadata, listener.redirect_uri(), scopes, prompt.as_deref())?;
    Ok((BrowserWay { listener, pending }, url))
}

fn listen(context: &Context, happen: Sender<Happening>) -> Result<Listener, Misuse> {
    let report = move |callback| drop(happen.send(Happening::Callback(callback)));
    Listener::start(&context.config.binding, context.pages.finishing(), report)
}

/// `prompt=consent` where only that brings a refresh token (OpenID Connect Core §11): the metadata lists
/// it, or the last sign-in here asked for one and got none.
fn prompt(
    context: &Context,
    metadata: &ServerMetadata,
    scopes: &[String],
    previous: Option<&StoredRecord>,
) -> Option<String> {
    let asked = context.config.prompt.clone();
    if asked.as_deref().is_some_and(|prompt| prompt != SELECT_ACCOUNT) {
        return asked;
    }
    let wants_refresh = |scopes: &[String]| scopes.iter().any(|scope| scope == "offline_access");
    let is_ours = |record: &StoredRecord| {
        let client_id = context.config.client.as_ref().map(|client| client.client_id.as_str());
        record.issuer == metadata.issuer && Some(record.client_id.as_str()) == client_id
    };
    let was_refused = previous.is_some_and(|record| {
        is_ours(record) && !record.renewable && wants_refresh(&record.scopes_requested)
    });
    let is_listed = metadata.prompt_values_supported.iter().any(|value| value == "consent");
    let consent = (wants_refresh(scopes) && (was_refused || is_listed)).then(|| "consent".to_owned());
    match (asked, consent) {
        (Some(asked), Some(consent)) => Some(format!("{asked} {consent}")),
        (asked, consent) => asked.or(consent),
    }
}

fn request(
    context: &Context,
    client: &Client,
    metadata: &ServerMetadata,
    redirect_uri: &str,
    scopes: &[String],
    prompt: Option<&str>,
) -> Result<(Url, PendingAuthorization)> {
    let resources: Vec<String> = context.config.resource.iter().cloned().collect();
    let request = AuthorizationRequest {
        authorization_endpoint: metadata.endpoints.need(Endpoint::Authorization)?,
        issuer: &metadata.issuer,
        iss_promised: metadata.authorization_response_iss_parameter_supported,
        client_id: &client.client_id,
        redirect_uri,
        scopes,
        resources: &resources,
        prompt,
        login_hint: context.config.account.as_deref(),
        extra: &context.config.params,
    };
    Ok(request.begin(entropy::for_login()))
}

impl BrowserWay {
    /// Shows the address, then starts the browser, if one is to be started here, on a thread that nobody waits for.
    pub(super) fn show(
        &self,
        context: &Context,
        ui: &mut dyn LoginUi,
        here: &Explanation,
        url: Url,
        happen: Sender<Happening>,
    ) {
        if !here.opens_browser() {
            ui.event(LoginEvent::NoBrowser { reason: here.browser_reason().clone() });
        }
        ui.event(LoginEvent::Url(url.clone()));
        if let Some(port) = self.port() {
            here.ssh_tunnel_line(port).map(LoginEvent::Tunnel).into_iter().for_each(|line| ui.event(line));
            here.forwarding_note(port).map(LoginEvent::Note).into_iter().for_each(|note| ui.event(note));
        }
        if here.opens_browser() {
            open(context, url, happen);
        }
    }

    fn port(&self) -> Option<u16> {
        Url::parse(self.listener.redirect_uri()).ok()?.port()
    }
}

fn open(context: &Context, url: Url, happen: Sender<Happening>) {
    let browser = context.browser.clone();
    std::thread::spawn(move || {
        if let Err(error) = browser.open(url.as_str()) {
            let _ = happen.send(Happening::BrowserFailed(crate::sanitize::text(&error.to_string())));
        }
    });
}
