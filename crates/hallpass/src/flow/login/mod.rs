//! Signs in: settings → store → our turn → keychain or file → metadata → browser and device grant → the first response →
//! exchange → saved → page.

mod attempt;
mod browser;
mod deadline;
mod device;
mod exchange;
mod grant;
mod happening;
pub(super) mod storage;
mod superseded;
mod turn;
mod wait;

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use super::Context;
use super::discover::discover;
use super::jwks::Preparation;
use crate::browser::Explanation;
use crate::error::{Misuse, Result};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::session::Session;
use crate::settings::{Client, DeviceGrant};
use crate::ui::{LoginEvent, LoginUi};
use attempt::Attempt;
use browser::BrowserGrant;
use deadline::Deadline;
use device::DeviceGrantThread;
use exchange::{Exchange, Saved};
use happening::Happening;
use turn::Turn;
use wait::Wait;

/// Signs in and saves the session.
pub(crate) fn login(context: &Arc<Context>, ui: &mut dyn LoginUi) -> Result<Session> {
    let deadline = Deadline::start(context.config.login_timeout);
    let client = context.config.client.clone();
    let client =
        client.ok_or_else(|| Misuse::setting("issuer", "a login needs an issuer and a client_id"))?;
    let previous = storage::probe(context)?;
    let _turn = match turn::take(context, ui, &client, deadline, previous.as_ref())? {
        Turn::Ours(guard) => guard,
        Turn::Done(session) => return Ok(*session),
    };
    let seal = storage::choose(context, ui)?;
    let metadata = find_server(context, ui, &client, deadline)?;
    let attempt = Arc::new(Attempt::new(context, client, metadata)?);
    let (report, happenings) = mpsc::channel();
    let here = context.explain();
    let device = start_device_grant(&attempt, &here, report.clone())?;
    let browser = match context.config.device_grant {
        DeviceGrant::Only => None,
        DeviceGrant::Offered | DeviceGrant::Off => {
            Some(BrowserGrant::start(&attempt, ui, &here, previous.as_ref(), report)?)
        }
    };
    let preparation = Preparation::start(context, &attempt.metadata.endpoints);
    let mut wait = Wait::new(&attempt, ui, browser, device, happenings, deadline);
    let answer = wait.for_grant()?;
    wait.ui.event(LoginEvent::Exchanging);
    let exchange = Exchange { attempt: attempt.clone(), preparation, seal: seal.clone() };
    let outcome = context.cancel.interruptible(|| seal.withdraw(), move || exchange.finish(answer.grant));
    let outcome = outcome.and_then(|outcome| outcome);
    wait.respond_to_all(answer.arrival, outcome.as_ref().map(|saved| &saved.session));
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
    deadline: Deadline,
) -> Result<ServerMetadata> {
    ui.event(LoginEvent::Discovering { host: client.issuer.host().to_owned() });
    let (shared, client) = (context.clone(), client.clone());
    let found = context.cancel.interruptible_within(deadline.left(), move || discover(&shared, &client))?;
    found.ok_or_else(|| deadline.error())?
}

/// Starts the device grant if it was asked for, or if this machine looks remote and the server supports it.
fn start_device_grant(
    attempt: &Arc<Attempt>,
    here: &Explanation,
    report: Sender<Happening>,
) -> Result<Option<DeviceGrantThread>> {
    let endpoint = attempt.metadata.endpoints.need(Endpoint::DeviceAuthorization);
    let is_wanted = match attempt.context.config.device_grant {
        DeviceGrant::Off => false,
        DeviceGrant::Only => endpoint.map(|_| true)?,
        DeviceGrant::Offered => endpoint.is_ok() && here.offers_device_grant(),
    };
    if is_wanted { Ok(Some(device::start(attempt, report))) } else { Ok(None) }
}
