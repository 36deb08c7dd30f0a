//! Waiting for the person: whichever way brings an answer first ends it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::browser::BrowserWay;
use super::device::DeviceWay;
use super::exchange::{Grant, is_passing, passing_error};
use super::happening::{DeviceNews, Happening};
use crate::error::{Denied, Error, Result};
use crate::flow::Context;
use crate::interrupt::TICK;
use crate::loopback::{Arrival, Callback, Page};
use crate::protocol::authorization::{CallbackVerdict, PendingAuthorization, VerifiedCode};
use crate::protocol::device::DeviceAuthorization;
use crate::protocol::token::Tokens;
use crate::session::Session;
use crate::ui::{Ignored, LoginEvent, LoginUi};

/// The wait for an answer.
pub(super) struct Wait<'a> {
    context: &'a Context,
    pub(super) ui: &'a mut dyn LoginUi,
    browser: Option<BrowserWay>,
    device: Option<DeviceWay>,
    happenings: Receiver<Happening>,
    host: String,
    begun: Instant,
    ignored: u32,
    is_tls_told: bool,
}

impl<'a> Wait<'a> {
    pub(super) fn new(
        context: &'a Context,
        ui: &'a mut dyn LoginUi,
        browser: Option<BrowserWay>,
        device: Option<DeviceWay>,
        happenings: Receiver<Happening>,
        host: &str,
        begun: Instant,
    ) -> Wait<'a> {
        let host = host.to_owned();
        Wait { context, ui, browser, device, happenings, host, begun, ignored: 0, is_tls_told: false }
    }

    /// Takes what comes until one of it is the answer, the time is up, or somebody cancels.
    pub(super) fn for_grant(&mut self) -> Result<(Grant, Option<Arrival>)> {
        let pasted = self.browser.as_ref().and_then(|_| self.ui.pasted());
        let answer = self.first_answer(pasted.as_ref());
        self.ui.pasting_is_over();
        answer
    }

    fn first_answer(&mut self, pasted: Option<&Receiver<String>>) -> Result<(Grant, Option<Arrival>)> {
        let mut shown = None;
        loop {
            self.context.cancel.check()?;
            shown = Some(self.show_time_left(shown)?);
            if let Some(text) = pasted.and_then(|pasted| pasted.try_recv().ok())
                && let Some(code) = self.judge_pasted(&Zeroizing::new(text))?
            {
                return Ok((Grant::Code(code), None));
            }
            match self.happenings.recv_timeout(TICK) {
                Ok(happening) => {
                    if let Some(answer) = self.take(happening)? {
                        return Ok(answer);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    fn redirect_uri(&self) -> Option<String> {
        self.browser.as_ref().map(|browser| browser.listener.redirect_uri().to_owned())
    }

    /// One event a second; the seconds that were shown last.
    fn show_time_left(&mut self, shown: Option<u64>) -> Result<u64> {
        let limit = self.context.config.login_timeout;
        let left = limit.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            let redirect_uri = self.redirect_uri();
            return Err(Error::TimedOut { waited: limit, redirect_uri, ignored: self.ignored });
        }
        if shown != Some(left.as_secs()) {
            let redirect_uri = self.redirect_uri();
            self.ui.event(LoginEvent::Waiting { redirect_uri, left: left + Duration::from_millis(500) });
        }
        Ok(left.as_secs())
    }

    fn take(&mut self, happening: Happening) -> Result<Option<(Grant, Option<Arrival>)>> {
        match happening {
            Happening::BrowserFailed(why) => self.ui.event(LoginEvent::BrowserFailed(why)),
            Happening::Callback(Callback::TlsHello) => self.tell_of_tls(),
            Happening::Callback(Callback::Arrival(arrival)) => return self.judge(arrival),
            Happening::Device(DeviceNews::Code(code)) => self.show(code),
            Happening::Device(DeviceNews::Over(over)) => return self.device_is_over(over),
        }
        Ok(None)
    }

    /// A browser that speaks TLS tries more than once; one word is enough.
    fn tell_of_tls(&mut self) {
        if !std::mem::replace(&mut self.is_tls_told, true) {
            self.ui.event(LoginEvent::Ignored(Ignored::TlsHello));
        }
    }

    fn show(&mut self, code: DeviceAuthorization) {
        self.ui.event(LoginEvent::UserCode {
            user_code: code.user_code,
            verification_uri: code.verification_uri,
            verification_uri_complete: code.verification_uri_complete,
            expires_in: code.expires_in,
            host: self.host.clone(),
        });
    }

    /// Beside the browser, a device grant that cannot go on is nobody's loss; that the person said no counts.
    fn device_is_over(&mut self, over: Result<Tokens>) -> Result<Option<(Grant, Option<Arrival>)>> {
        self.device = None;
        match over {
            Ok(tokens) => Ok(Some((Grant::Device(tokens), None))),
            Err(error) if self.browser.is_some() && !is_the_persons_no(&error) => {
                log::debug!("no device grant: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn judge(&mut self, arrival: Arrival) -> Result<Option<(Grant, Option<Arrival>)>> {
        match self.verdict(&arrival.query) {
            Ok(Some(code)) => Ok(Some((Grant::Code(code), Some(arrival)))),
            Ok(None) => {
                self.ignore(arrival);
                Ok(None)
            }
            Err(error) => {
                arrival.respond(self.context.pages.failed(&error));
                Err(error)
            }
        }
    }

    /// `None` is an answer of another sign-in; an error ends this one.
    fn verdict(&self, query: &str) -> Result<Option<VerifiedCode>> {
        let Some(browser) = &self.browser else { return Ok(None) };
        self.outcome(browser.pending.judge(query))
    }

    fn outcome(&self, verdict: CallbackVerdict) -> Result<Option<VerifiedCode>> {
        match verdict {
            CallbackVerdict::NotOurs => Ok(None),
            CallbackVerdict::Code(code) => Ok(Some(code)),
            CallbackVerdict::Broken(rule) => Err(rule.into()),
            CallbackVerdict::Denied(error) if is_passing(&error.error) => {
                Err(passing_error(&self.host, &error))
            }
            CallbackVerdict::Denied(error) => Err(Denied::ByServer(error).into()),
        }
    }

    fn ignore(&mut self, arrival: Arrival) {
        let (what, page) = match arrival.query.as_str() {
            "" => (Ignored::NoParameters, self.context.pages.empty()),
            _ => (Ignored::OtherSignIn, self.context.pages.not_ours()),
        };
        self.ignored += 1;
        self.ui.event(LoginEvent::Ignored(what));
        arrival.respond(page);
    }

    /// What cannot be the answer is told why, and the person may paste again.
    fn judge_pasted(&mut self, text: &str) -> Result<Option<VerifiedCode>> {
        let Some(browser) = &self.browser else { return Ok(None) };
        let judged = browser.pending.judge_pasted(text);
        self.ui.event(LoginEvent::Pasted { characters: text.chars().count() });
        match judged {
            Ok(verdict) => self.outcome(verdict),
            Err(why) => {
                self.ui.event(LoginEvent::Ignored(Ignored::Pasted(why)));
                Ok(None)
            }
        }
    }

    /// Closes the port, then gives the browser, and every repeat of its request, the one outcome.
    pub(super) fn answer_all(self, arrival: Option<Arrival>, outcome: Result<&Session, &Error>) {
        let Some(BrowserWay { listener, pending }) = self.browser else { return };
        let page = match outcome {
            Ok(session) => {
                self.context.pages.signed_in(session.user().map(crate::user::User::label).as_deref())
            }
            Err(error) => self.context.pages.failed(error),
        };
        drop(listener);
        if let Some(arrival) = arrival {
            arrival.respond(page.clone());
        }
        for happening in self.happenings.try_iter() {
            if let Happening::Callback(Callback::Arrival(repeat)) = happening {
                let page = repeat_page(&pending, &repeat, &page, self.context);
                repeat.respond(page);
            }
        }
    }
}

fn is_the_persons_no(error: &Error) -> bool {
    matches!(error, Error::Denied(Denied::ByServer(error)) if error.error == "access_denied")
}

/// A repeat of our callback gets the first one's result; anything else is still a stranger.
fn repeat_page(pending: &PendingAuthorization, repeat: &Arrival, outcome: &Page, context: &Context) -> Page {
    match pending.judge(&repeat.query) {
        CallbackVerdict::NotOurs => context.pages.not_ours(),
        _ => outcome.clone(),
    }
}
