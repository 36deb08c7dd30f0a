//! Signing in, in the order of the design: settings → store → our turn → keychain or file → metadata → the ways that
//! are open → the first answer → exchange → saved → page.

mod browser;
mod device;
mod exchange;
mod happening;
pub(super) mod storage;
mod superseded;
mod turn;
mod wait;

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Instant;

use super::Context;
use super::discover::discover;
use super::jwks::Preparation;
use crate::browser::Explanation;
use crate::error::{Misuse, Result};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::session::Session;
use crate::settings::{Client, DeviceGrant};
use crate::ui::{LoginEvent, LoginUi};
use device::DeviceWay;
use exchange::{Exchange, Saved};
use happening::Happening;
use turn::Turn;
use wait::Wait;

/// Signs in and saves the session.
pub(crate) fn login(context: &Arc<Context>, ui: &mut dyn LoginUi) -> Result<Session> {
    let begun = Instant::now();
    let client = context
        .config
        .client
        .clone()
        .ok_or_else(|| Misuse::setting("issuer", "a login needs an issuer and a client_id"))?;
    let previous = storage::probe(context)?;
    let _turn = match turn::take(context, ui, &client, begun, previous.as_ref())? {
        Turn::Ours(guard) => guard,
        Turn::Done(session) => return Ok(*session),
    };
    let seal = storage::choose(context, ui)?;
    let metadata = find_server(context, ui, &client, begun)?;
    metadata.endpoints.need(Endpoint::Token)?;
    let scopes = scopes(context, &metadata);
    let (happen, happenings) = mpsc::channel();
    let here = context.explain();
    let device = device_way(context, &here, &client, &metadata, &scopes, happen.clone())?;
    let browser = match context.config.device_grant {
        DeviceGrant::Only => None,
        _ => {
            let (way, url) =
                browser::start(context, ui, &client, &metadata, &scopes, previous.as_ref(), happen.clone())?;
            way.show(context, ui, &here, url, happen);
            Some(way)
        }
    };
    let preparation = Preparation::start(context, &metadata.endpoints);
    let mut wait = Wait::new(context, ui, browser, device, happenings, client.issuer.host(), begun);
    let (grant, arrival) = wait.for_grant()?;
    wait.ui.event(LoginEvent::Exchanging);
    let exchange =
        Exchange { context: context.clone(), client, metadata, scopes, preparation, seal: seal.clone() };
    let outcome = context
        .cancel
        .interruptible(|| seal.withdraw(), move || exchange.finish(grant))
        .and_then(|outcome| outcome);
    wait.answer_all(arrival, outcome.as_ref().map(|saved| &saved.session));
    let Saved { session, replaced } = outcome?;
    let left_over = replaced.and_then(|old| superseded::clean_up(context, old));
    for note in session.notes().iter().chain(&left_over) {
        ui.event(LoginEvent::Note(note.clone()));
    }
    Ok(session)
}

fn find_server(
    context: &Arc<Context>,
    ui: &mut dyn LoginUi,
    client: &Client,
    begun: Instant,
) -> Result<ServerMetadata> {
    ui.event(LoginEvent::Discovering { host: client.issuer.host().to_owned() });
    let (shared, client) = (context.clone(), client.clone());
    let left = turn::time_left(context, begun);
    let found = context.cancel.interruptible_within(left, move || discover(&shared, &client))?;
    found.ok_or_else(|| turn::out_of_time(context))?
}

/// The caller's scopes as they are; our own less what the server says it lacks.
fn scopes(context: &Context, metadata: &ServerMetadata) -> Vec<String> {
    let asked = context.config.scopes.iter();
    asked.filter(|scope| !context.config.scopes_are_ours || metadata.supports_scope(scope)).cloned().collect()
}

/// The device grant where it was asked for, or where this machine looks remote and the server has it.
fn device_way(
    context: &Arc<Context>,
    here: &Explanation,
    client: &Client,
    metadata: &ServerMetadata,
    scopes: &[String],
    happen: mpsc::Sender<Happening>,
) -> Result<Option<DeviceWay>> {
    let endpoint = metadata.endpoints.need(Endpoint::DeviceAuthorization);
    let is_wanted = match context.config.device_grant {
        DeviceGrant::Off => false,
        DeviceGrant::Only => endpoint.map(|_| true)?,
        DeviceGrant::Offered => endpoint.is_ok() && here.offers_device_grant(),
    };
    Ok(is_wanted.then(|| device::start(context, client, metadata, scopes, happen)))
}
