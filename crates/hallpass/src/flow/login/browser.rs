//! The authorization code grant through the browser and a loopback callback (RFC 8252).

use std::sync::mpsc::Sender;

use url::Url;

use super::attempt::Attempt;
use super::happening::Happening;
use crate::browser::Explanation;
use crate::error::{Misuse, Result};
use crate::flow::Context;
use crate::loopback::{Binding, Listener};
use crate::protocol::authorization::{AuthorizationRequest, PendingAuthorization};
use crate::protocol::metadata::Endpoint;
use crate::store::StoredRecord;
use crate::ui::{LoginEvent, LoginUi};
use crate::world::entropy;

/// Selecting an account leaves open whether to ask for consent (OpenID Connect Core §3.1.2.1).
const SELECT_ACCOUNT: &str = "select_account";

/// An authorization request that was shown, and the listener for its callback.
pub(super) struct BrowserGrant {
    pub(super) listener: Listener,
    pub(super) pending: PendingAuthorization,
}

impl BrowserGrant {
    /// Binds the listener, then makes the authorization URL, shows it, and opens the browser if it is to be opened here.
    pub(super) fn start(
        attempt: &Attempt,
        ui: &mut dyn LoginUi,
        here: &Explanation,
        previous: Option<&StoredRecord>,
        report: Sender<Happening>,
    ) -> Result<BrowserGrant> {
        let context = &attempt.context;
        let listener = listen(context, report.clone())?;
        if let Binding::Forwarded { listen, .. } = &context.config.binding
            && !listen.ip().is_loopback()
        {
            ui.event(LoginEvent::Note(format!("while you sign in, other computers can connect to {listen}")));
        }
        let prompt = prompt(attempt, previous);
        let (url, pending) = request(attempt, listener.redirect_uri(), prompt.as_deref())?;
        show(ui, here, &url, listener.redirect_uri());
        if here.opens_browser() {
            open(context, url, report);
        }
        Ok(BrowserGrant { listener, pending })
    }
}

fn listen(context: &Context, report: Sender<Happening>) -> Result<Listener, Misuse> {
    let report = move |callback| drop(report.send(Happening::Callback(callback)));
    Listener::start(&context.config.binding, context.pages.finishing(), report)
}

/// Adds `consent` to the prompt if only that brings a refresh token (OpenID Connect Core §11): the metadata lists it, or
/// the last login here asked for a refresh token and got none.
fn prompt(attempt: &Attempt, previous: Option<&StoredRecord>) -> Option<String> {
    let chosen = attempt.context.config.prompt.clone();
    let leaves_consent_open = matches!(chosen.as_deref(), None | Some(SELECT_ACCOUNT));
    let is_listed = attempt.metadata.prompt_values_supported.iter().any(|value| value == "consent");
    let is_needed = is_listed || previous.is_some_and(|record| got_no_refresh_token(attempt, record));
    if !leaves_consent_open || !attempt.requests_scope("offline_access") || !is_needed {
        return chosen;
    }
    match chosen {
        Some(chosen) => Some(format!("{chosen} consent")),
        None => Some("consent".to_owned()),
    }
}

/// Whether the last login asked this server for a refresh token and got none.
fn got_no_refresh_token(attempt: &Attempt, record: &StoredRecord) -> bool {
    record.issuer == attempt.metadata.issuer
        && record.client_id == attempt.client.client_id
        && !record.renewable
        && record.scopes_requested.iter().any(|scope| scope == "offline_access")
}

fn request(
    attempt: &Attempt,
    redirect_uri: &str,
    prompt: Option<&str>,
) -> Result<(Url, PendingAuthorization)> {
    let Attempt { context, client, metadata, scopes } = attempt;
    let request = AuthorizationRequest {
        authorization_endpoint: metadata.endpoints.need(Endpoint::Authorization)?,
        issuer: &metadata.issuer,
        iss_promised: metadata.authorization_response_iss_parameter_supported,
        client_id: &client.client_id,
        redirect_uri,
        scopes,
        resources: &attempt.resources(),
        prompt,
        login_hint: context.config.account.as_deref(),
        extra: &context.config.params,
    };
    Ok(request.begin(entropy::for_login()))
}

/// Shows the URL before the browser opens, with what the user has to do if the browser is elsewhere.
fn show(ui: &mut dyn LoginUi, here: &Explanation, url: &Url, redirect_uri: &str) {
    if !here.opens_browser() {
        ui.event(LoginEvent::NoBrowser { reason: here.browser_reason().clone() });
    }
    ui.event(LoginEvent::Url(url.clone()));
    let Some(port) = Url::parse(redirect_uri).ok().and_then(|uri| uri.port()) else { return };
    if let Some(command) = here.ssh_tunnel_line(port) {
        ui.event(LoginEvent::Tunnel(command));
    }
    if let Some(note) = here.forwarding_note(port) {
        ui.event(LoginEvent::Note(note));
    }
}

/// Opens the browser on a thread that nothing waits for.
fn open(context: &Context, url: Url, report: Sender<Happening>) {
    let browser = context.browser.clone();
    std::thread::spawn(move || {
        if let Err(error) = browser.open(url.as_str()) {
            let _ = report.send(Happening::BrowserFailed(crate::sanitize::text(&error.to_string())));
        }
    });
}
