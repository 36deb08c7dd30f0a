//! Waits for the user: the first grant ends the wait.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::attempt::Attempt;
use super::browser::BrowserGrant;
use super::deadline::Deadline;
use super::device::DeviceGrantThread;
use super::grant::{Answer, Grant, callback_error};
use super::happening::Happening;
use crate::error::{Denied, Error, Result};
use crate::interrupt::TICK;
use crate::loopback::{Arrival, Callback};
use crate::protocol::authorization::{CallbackVerdict, PendingAuthorization, VerifiedCode};
use crate::protocol::device::DeviceAuthorization;
use crate::protocol::token::Tokens;
use crate::session::Session;
use crate::ui::{Ignored, LoginEvent, LoginUi};

/// The wait for a grant.
pub(super) struct Wait<'a> {
    attempt: &'a Attempt,
    pub(super) ui: &'a mut dyn LoginUi,
    browser: Option<BrowserGrant>,
    device: Option<DeviceGrantThread>,
    happenings: Receiver<Happening>,
    deadline: Deadline,
    ignored: u32,
    has_reported_tls: bool,
}

impl<'a> Wait<'a> {
    pub(super) fn new(
        attempt: &'a Attempt,
        ui: &'a mut dyn LoginUi,
        browser: Option<BrowserGrant>,
        device: Option<DeviceGrantThread>,
        happenings: Receiver<Happening>,
        deadline: Deadline,
    ) -> Wait<'a> {
        Wait { attempt, ui, browser, device, happenings, deadline, ignored: 0, has_reported_tls: false }
    }

    /// Waits for a grant, until the time is up or the login is cancelled.
    pub(super) fn for_grant(&mut self) -> Result<Answer> {
        let pasted = if self.browser.is_some() { self.ui.pasted() } else { None };
        let answer = self.first_grant(pasted.as_ref());
        self.ui.pasting_is_over();
        answer
    }

    fn first_grant(&mut self, pasted: Option<&Receiver<String>>) -> Result<Answer> {
        let mut shown = None;
        loop {
            self.attempt.context.cancel.check()?;
            shown = Some(self.show_time_left(shown)?);
            if let Some(text) = pasted.and_then(|pasted| pasted.try_recv().ok())
                && let Some(code) = self.judge_pasted(&Zeroizing::new(text))?
            {
                return Ok(Answer { grant: Grant::Code(code), arrival: None });
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

    /// Sends one event a second. Returns the seconds that are shown.
    fn show_time_left(&mut self, shown: Option<u64>) -> Result<u64> {
        let left = self.deadline.left();
        if left.is_zero() {
            let (waited, redirect_uri) = (self.deadline.limit, self.redirect_uri());
            return Err(Error::TimedOut { waited, redirect_uri, ignored: self.ignored });
        }
        if shown != Some(left.as_secs()) {
            let redirect_uri = self.redirect_uri();
            self.ui.event(LoginEvent::Waiting { redirect_uri, left: left + Duration::from_millis(500) });
        }
        Ok(left.as_secs())
    }

    fn take(&mut self, happening: Happening) -> Result<Option<Answer>> {
        match happening {
            Happening::BrowserFailed(why) => self.ui.event(LoginEvent::BrowserFailed(why)),
            Happening::Callback(Callback::TlsHello) => self.report_tls(),
            Happening::Callback(Callback::Arrival(arrival)) => return self.judge(arrival),
            Happening::DeviceCode(code) => self.show_code(code),
            Happening::DeviceEnded(outcome) => return self.device_ended(outcome),
        }
        Ok(None)
    }

    /// A browser that speaks TLS tries more than once; one event is enough.
    fn report_tls(&mut self) {
        if !std::mem::replace(&mut self.has_reported_tls, true) {
            self.ui.event(LoginEvent::Ignored(Ignored::TlsHello));
        }
    }

    fn show_code(&mut self, code: DeviceAuthorization) {
        self.ui.event(LoginEvent::UserCode {
            user_code: code.user_code,
            verification_uri: code.verification_uri,
            verification_uri_complete: code.verification_uri_complete,
            expires_in: code.expires_in,
            host: self.host().to_owned(),
        });
    }

    fn host(&self) -> &str {
        self.attempt.client.issuer.host()
    }

    /// Beside the browser, a device grant that fails is ignored, unless the user denied access.
    fn device_ended(&mut self, outcome: Result<Tokens>) -> Result<Option<Answer>> {
        self.device = None;
        match outcome {
            Ok(tokens) => Ok(Some(Answer { grant: Grant::Device(tokens), arrival: None })),
            Err(error) if self.browser.is_some() && !is_access_denied(&error) => {
                log::debug!("no device grant: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn judge(&mut self, arrival: Arrival) -> Result<Option<Answer>> {
        match self.verdict(&arrival.query) {
            Ok(Some(code)) => Ok(Some(Answer { grant: Grant::Code(code), arrival: Some(arrival) })),
            Ok(None) => {
                self.ignore(arrival);
                Ok(None)
            }
            Err(error) => {
                arrival.respond(self.attempt.context.pages.failed(&error));
                Err(error)
            }
        }
    }

    /// Returns `None` for a callback of another login; an error ends this one.
    fn verdict(&self, query: &str) -> Result<Option<VerifiedCode>> {
        let Some(browser) = &self.browser else { return Ok(None) };
        self.outcome(browser.pending.judge(query))
    }

    fn outcome(&self, verdict: CallbackVerdict) -> Result<Option<VerifiedCode>> {
        match verdict {
            CallbackVerdict::NotOurs => Ok(None),
            CallbackVerdict::Code(code) => Ok(Some(code)),
            CallbackVerdict::Broken(rule) => Err(rule.into()),
            CallbackVerdict::Denied(error) => Err(callback_error(self.host(), error)),
        }
    }

    fn ignore(&mut self, arrival: Arrival) {
        let pages = &self.attempt.context.pages;
        let (what, page) = match arrival.query.as_str() {
            "" => (Ignored::NoParameters, pages.empty()),
            _ => (Ignored::OtherSignIn, pages.not_ours()),
        };
        self.ignored += 1;
        self.ui.event(LoginEvent::Ignored(what));
        arrival.respond(page);
    }

    /// Says what is wrong with text that can't be the redirect URL, and lets the user paste again.
    fn judge_pasted(&mut self, text: &str) -> Result<Option<VerifiedCode>> {
        let Some(browser) = &self.browser else { return Ok(None) };
        let judged = browser.pending.judge_pasted(text);
        self.ui.event(LoginEvent::Pasted { characters: text.chars().count() });
        match judged {
            Ok(verdict) => self.outcome(verdict),
            Err(error) => {
                self.ui.event(LoginEvent::Ignored(Ignored::Pasted(error)));
                Ok(None)
            }
        }
    }

    /// Closes the port, then sends the outcome to the browser and to every repeat of its request.
    pub(super) fn respond_to_all(self, arrival: Option<Arrival>, outcome: Result<&Session, &Error>) {
        let Some(BrowserGrant { listener, pending }) = self.browser else { return };
        let pages = &self.attempt.context.pages;
        let page = match outcome {
            Ok(session) => {
                let user = session.user().map(|user| user.label());
                pages.signed_in(user.as_deref())
            }
            Err(error) => pages.failed(error),
        };
        drop(listener);
        if let Some(arrival) = arrival {
            arrival.respond(page.clone());
        }
        for happening in self.happenings.try_iter() {
            if let Happening::Callback(Callback::Arrival(repeat)) = happening {
                let page = if is_repeat(&pending, &repeat) { page.clone() } else { pages.not_ours() };
                repeat.respond(page);
            }
        }
    }
}

fn is_access_denied(error: &Error) -> bool {
    matches!(error, Error::Denied(Denied::ByServer(error)) if error.error == "access_denied")
}

fn is_repeat(pending: &PendingAuthorization, arrival: &Arrival) -> bool {
    !matches!(pending.judge(&arrival.query), CallbackVerdict::NotOurs)
}
