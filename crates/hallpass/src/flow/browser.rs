//! Signing in through the browser and a loopback callback (RFC 8252), in the order of the design:
//! settings → store → metadata → listener → address → browser → answer → exchange → saved → page.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use url::Url;

use super::Context;
use super::discover::discover;
use super::exchange::{Exchange, Saved, is_passing, passing_error};
use super::keys::Preparation;
use super::turn::{self, Turn};
use super::{place, replaced};
use crate::cancel::TICK;
use crate::config::Client;
use crate::error::{Denied, Error, Misuse, Result};
use crate::loopback::{Arrival, Callback, Listener, Page};
use crate::protocol::authorization::{AuthorizationRequest, PendingAuthorization, Verdict, VerifiedCode};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::session::Session;
use crate::store::StoredRecord;
use crate::ui::{Ignored, LoginEvent, LoginUi};
use crate::world::entropy;

/// Signs in and saves the session.
pub(crate) fn login(context: &Arc<Context>, ui: &mut dyn LoginUi) -> Result<Session> {
    let begun = Instant::now();
    let client = context
        .config
        .client
        .clone()
        .ok_or_else(|| Misuse::setting("issuer", "a login needs an issuer and a client_id"))?;
    let previous = place::probe(context)?;
    let _turn = match turn::take(context, ui, &client, begun, previous.as_ref())? {
        Turn::Ours(guard) => guard,
        Turn::Done(session) => return Ok(*session),
    };
    let seal = place::choose(context, ui)?;
    let metadata = find_server(context, &client)?;
    metadata.endpoints.need(Endpoint::Token)?;
    let (happen, happenings) = mpsc::channel();
    let listener = listen(context, happen.clone())?;
    let scopes = scopes(context, &metadata);
    let prompt = prompt(context, &metadata, &scopes, previous.as_ref());
    let (url, pending) =
        request(context, &client, &metadata, listener.redirect_uri(), &scopes, prompt.as_deref())?;
    open(context, ui, url, happen);
    let preparation = Preparation::start(context, &metadata.endpoints);
    let mut wait = Wait {
        context,
        ui,
        listener,
        happenings,
        pending,
        begun,
        host: client.issuer.host().to_owned(),
        ignored: 0,
    };
    let (code, arrival) = wait.for_code()?;
    wait.ui.event(LoginEvent::Exchanging);
    let exchange = Exchange { context: context.clone(), client, metadata, scopes, preparation, seal };
    let outcome = context.cancel.interruptible(move || exchange.finish(code)).and_then(|result| result);
    wait.answer_all(arrival, outcome.as_ref().map(|saved| &saved.session));
    let Saved { session, replaced } = outcome?;
    let left_over = replaced.and_then(|old| replaced::clean_up(context, old));
    for note in session.notes().iter().chain(&left_over) {
        ui.event(LoginEvent::Note(note.clone()));
    }
    Ok(session)
}

fn find_server(context: &Arc<Context>, client: &Client) -> Result<ServerMetadata> {
    let (shared, client) = (context.clone(), client.clone());
    context.cancel.interruptible(move || discover(&shared, &client))?
}

fn listen(context: &Context, happen: Sender<Happening>) -> Result<Listener, Misuse> {
    let report = move |callback| drop(happen.send(Happening::Callback(callback)));
    Listener::start(&context.config.redirect_uris, context.pages.finishing(), report)
}

/// The caller's scopes as they are; our own less what the server says it lacks.
fn scopes(context: &Context, metadata: &ServerMetadata) -> Vec<String> {
    let asked = context.config.scopes.iter();
    asked.filter(|scope| !context.config.scopes_are_ours || metadata.supports_scope(scope)).cloned().collect()
}

/// `prompt=consent` where only that brings a refresh token (OpenID Connect Core §11): the metadata lists
/// it, or the last sign-in here asked for one and got none.
fn prompt(
    context: &Context,
    metadata: &ServerMetadata,
    scopes: &[String],
    previous: Option<&StoredRecord>,
) -> Option<String> {
    if context.config.prompt.is_some() {
        return context.config.prompt.clone();
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
    (wants_refresh(scopes) && (was_refused || is_listed)).then(|| "consent".to_owned())
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
        extra: &context.config.params,
    };
    Ok(request.begin(entropy::for_login()))
}

/// Shows the address, then starts the browser on a thread that nobody waits for.
fn open(context: &Context, ui: &mut dyn LoginUi, url: Url, happen: Sender<Happening>) {
    ui.event(LoginEvent::Url(url.clone()));
    let browser = context.browser.clone();
    std::thread::spawn(move || {
        if let Err(error) = browser.open(url.as_str()) {
            let _ = happen.send(Happening::BrowserFailed(crate::clean::text(&error.to_string())));
        }
    });
}

/// What can happen while a login waits.
enum Happening {
    Callback(Callback),
    BrowserFailed(String),
}

/// The wait for the answer.
struct Wait<'a> {
    context: &'a Context,
    ui: &'a mut dyn LoginUi,
    listener: Listener,
    happenings: Receiver<Happening>,
    pending: PendingAuthorization,
    begun: Instant,
    host: String,
    ignored: u32,
}

impl Wait<'_> {
    /// Takes what comes until one of it is the answer, the time is up, or somebody cancels.
    fn for_code(&mut self) -> Result<(VerifiedCode, Option<Arrival>)> {
        let pasted = self.ui.pasted();
        let mut shown = None;
        loop {
            self.context.cancel.check()?;
            shown = Some(self.show_time_left(shown)?);
            if let Some(text) = pasted.as_ref().and_then(|pasted| pasted.try_recv().ok())
                && let Some(code) = self.judge_pasted(&text)?
            {
                return Ok((code, None));
            }
            match self.happenings.recv_timeout(TICK) {
                Ok(happening) => {
                    if let Some((code, arrival)) = self.take(happening)? {
                        return Ok((code, Some(arrival)));
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    /// One event a second; the seconds that were shown last.
    fn show_time_left(&mut self, shown: Option<u64>) -> Result<u64> {
        let limit = self.context.config.login_timeout;
        let left = limit.saturating_sub(self.begun.elapsed());
        let redirect_uri = self.listener.redirect_uri().to_owned();
        if left.is_zero() {
            return Err(Error::TimedOut { waited: limit, redirect_uri, ignored: self.ignored });
        }
        if shown != Some(left.as_secs()) {
            self.ui.event(LoginEvent::Waiting { redirect_uri, left: left + Duration::from_millis(500) });
        }
        Ok(left.as_secs())
    }

    fn take(&mut self, happening: Happening) -> Result<Option<(VerifiedCode, Arrival)>> {
        match happening {
            Happening::BrowserFailed(why) => self.ui.event(LoginEvent::BrowserFailed(why)),
            Happening::Callback(Callback::TlsHello) => self.ui.event(LoginEvent::Ignored(Ignored::TlsHello)),
            Happening::Callback(Callback::Arrival(arrival)) => return self.judge(arrival),
        }
        Ok(None)
    }

    fn judge(&mut self, arrival: Arrival) -> Result<Option<(VerifiedCode, Arrival)>> {
        match self.verdict(&arrival.query) {
            Ok(Some(code)) => Ok(Some((code, arrival))),
            Ok(None) => {
                self.ignore(arrival);
                Ok(None)
            }
            Err(error) => {
                arrival.answer(self.context.pages.failed(&error.to_string()));
                Err(error)
            }
        }
    }

    /// `None` is an answer of another sign-in; an error ends this one.
    fn verdict(&self, query: &str) -> Result<Option<VerifiedCode>> {
        match self.pending.judge(query) {
            Verdict::NotOurs => Ok(None),
            Verdict::Code(code) => Ok(Some(code)),
            Verdict::Broken(rule) => Err(rule.into()),
            Verdict::Denied(error) if is_passing(&error.error) => Err(passing_error(&self.host, &error)),
            Verdict::Denied(error) => Err(Denied::ByServer(error).into()),
        }
    }

    fn ignore(&mut self, arrival: Arrival) {
        let (what, page) = match arrival.query.as_str() {
            "" => (Ignored::NoParameters, self.context.pages.empty()),
            _ => (Ignored::OtherSignIn, self.context.pages.not_ours()),
        };
        self.ignored += 1;
        self.ui.event(LoginEvent::Ignored(what));
        arrival.answer(page);
    }

    /// A pasted address, or its query.
    fn judge_pasted(&mut self, text: &str) -> Result<Option<VerifiedCode>> {
        let text = text.trim();
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let code = self.verdict(query.split('#').next().unwrap_or_default())?;
        if code.is_none() {
            self.ui.event(LoginEvent::Ignored(Ignored::Pasted));
        }
        Ok(code)
    }

    /// Closes the port, then gives the browser, and every repeat of its request, the one outcome.
    fn answer_all(self, arrival: Option<Arrival>, outcome: Result<&Session, &Error>) {
        let page = match outcome {
            Ok(session) => {
                self.context.pages.signed_in(session.user().map(crate::user::User::label).as_deref())
            }
            Err(error) => self.context.pages.failed(&error.to_string()),
        };
        drop(self.listener);
        if let Some(arrival) = arrival {
            arrival.answer(page.clone());
        }
        for happening in self.happenings.try_iter() {
            if let Happening::Callback(Callback::Arrival(repeat)) = happening {
                let page = repeat_page(&self.pending, &repeat, &page, self.context);
                repeat.answer(page);
            }
        }
    }
}

/// A repeat of our callback gets the first one's result; anything else is still a stranger.
fn repeat_page(pending: &PendingAuthorization, repeat: &Arrival, outcome: &Page, context: &Context) -> Page {
    match pending.judge(&repeat.query) {
        Verdict::NotOurs => context.pages.not_ours(),
        _ => outcome.clone(),
    }
}
