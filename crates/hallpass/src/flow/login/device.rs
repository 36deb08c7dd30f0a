//! The device authorization grant (RFC 8628): shows a code and polls the server until it was used.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::happening::Happening;
use crate::error::{Denied, Error, Result};
use crate::flow::endpoint::{pause_of, post, status_error};
use crate::protocol::device::{self, DeviceAuthorization, DeviceVerdict, Pace, PollVerdict};
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::Tokens;

/// A device grant in progress. Dropping it ends the polling.
pub(super) struct DeviceGrantThread {
    _until_dropped: Sender<()>,
}

/// Starts the grant on a thread of its own.
pub(super) fn start(attempt: &Arc<Attempt>, report: Sender<Happening>) -> DeviceGrantThread {
    let (until_dropped, stop) = mpsc::channel();
    let poller = Poller { attempt: attempt.clone(), report, stop };
    std::thread::spawn(move || poller.run());
    DeviceGrantThread { _until_dropped: until_dropped }
}

struct Poller {
    attempt: Arc<Attempt>,
    report: Sender<Happening>,
    stop: Receiver<()>,
}

/// The end of polling for one code.
enum End {
    Granted(Tokens),
    Expired,
    Stopped,
}

impl Poller {
    /// Gets codes, one after the other, until one is used.
    fn run(&self) {
        let outcome = loop {
            match self.one_code() {
                Ok(End::Expired) => log::debug!("the device code expired; requesting a new one"),
                Ok(End::Stopped) => return,
                Ok(End::Granted(tokens)) => break Ok(tokens),
                Err(error) => break Err(error),
            }
        };
        self.report(Happening::DeviceEnded(outcome));
    }

    /// Ignores a login that is over.
    fn report(&self, happening: Happening) {
        let _ = self.report.send(happening);
    }

    fn one_code(&self) -> Result<End> {
        let code = self.request_code()?;
        let end = Instant::now() + code.expires_in;
        self.report(Happening::DeviceCode(code.clone()));
        self.poll_until(&code, end)
    }

    fn request_code(&self) -> Result<DeviceAuthorization> {
        let Attempt { context, client, metadata, scopes } = &*self.attempt;
        let url = metadata.endpoints.need(Endpoint::DeviceAuthorization)?;
        let auth = self.attempt.client_auth();
        let request = post(url, device::authorization_request(&auth, scopes, &self.attempt.resources()));
        let response = context.send("device authorization endpoint", request)?;
        match device::judge(&client.issuer, response.status, &response.body) {
            DeviceVerdict::Started(code) => Ok(code),
            DeviceVerdict::Refused(error) if response.status < 500 => Err(Denied::ByServer(error).into()),
            DeviceVerdict::Refused(_) | DeviceVerdict::Status(_) => Err(status_error(url, &response)),
            DeviceVerdict::Broken(rule) => Err(rule.into()),
            DeviceVerdict::Unusable(lack) => Err(lack.into()),
        }
    }

    fn poll_until(&self, code: &DeviceAuthorization, end: Instant) -> Result<End> {
        let mut pace = Pace::new(code.interval);
        let mut pause = None;
        loop {
            let wait = pace.wait(pause.take());
            if self.is_stopped_within(wait.min(end.saturating_duration_since(Instant::now()))) {
                return Ok(End::Stopped);
            }
            if Instant::now() >= end {
                return Ok(End::Expired);
            }
            if let Some(end) = self.poll(code, &mut pace, &mut pause)? {
                return Ok(end);
            }
        }
    }

    /// Asks once. Returns `None` while the user is not done.
    fn poll(
        &self,
        code: &DeviceAuthorization,
        pace: &mut Pace,
        pause: &mut Option<Duration>,
    ) -> Result<Option<End>> {
        let url = self.attempt.metadata.endpoints.need(Endpoint::Token)?;
        let request = post(url, device::token_request(&self.attempt.client_auth(), &code.device_code));
        let response = match self.attempt.context.send("token endpoint", request) {
            Ok(response) => response,
            Err(Error::Network(_)) => {
                pace.back_off();
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        *pause = pause_of(&response);
        match device::judge_poll(response.status, &response.body) {
            PollVerdict::Granted(tokens) => return Ok(Some(End::Granted(tokens))),
            PollVerdict::Expired => return Ok(Some(End::Expired)),
            PollVerdict::Pending => pace.resume(),
            PollVerdict::SlowDown => pace.slow_down(),
            PollVerdict::Trouble => pace.back_off(),
            PollVerdict::Denied(error) => return Err(Denied::ByServer(error).into()),
            PollVerdict::Broken(rule) => return Err(rule.into()),
            PollVerdict::Unusable(lack) => return Err(lack.into()),
        }
        Ok(None)
    }

    fn is_stopped_within(&self, wait: Duration) -> bool {
        self.stop.recv_timeout(wait) != Err(RecvTimeoutError::Timeout)
    }
}
