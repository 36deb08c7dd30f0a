//! The way over another device (RFC 8628): a code is shown, and the server is asked whether it was used.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::happening::{DeviceNews, Happening};
use crate::error::{Denied, Error, Result};
use crate::flow::Context;
use crate::flow::endpoint::{client_auth_for, pause_of, post, status_error};
use crate::protocol::device::{self, DeviceAuthorization, DeviceVerdict, Pace, PollVerdict};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::protocol::token::Tokens;
use crate::settings::Client;

/// A device grant under way; dropping it ends the questions.
pub(super) struct DeviceWay {
    _until_dropped: Sender<()>,
}

/// Asks on a thread of its own.
pub(super) fn start(
    context: &Arc<Context>,
    client: &Client,
    metadata: &ServerMetadata,
    scopes: &[String],
    happen: Sender<Happening>,
) -> DeviceWay {
    let (until_dropped, stop) = mpsc::channel();
    let asking = Asking {
        context: context.clone(),
        client: client.clone(),
        metadata: metadata.clone(),
        scopes: scopes.to_owned(),
        happen,
        stop,
    };
    std::thread::spawn(move || asking.run());
    DeviceWay { _until_dropped: until_dropped }
}

struct Asking {
    context: Arc<Context>,
    client: Client,
    metadata: ServerMetadata,
    scopes: Vec<String>,
    happen: Sender<Happening>,
    stop: Receiver<()>,
}

/// How the questions about one code end.
enum End {
    Granted(Tokens),
    Expired,
    /// Nobody waits for it any more.
    Stopped,
}

impl Asking {
    fn run(&self) {
        let over = loop {
            match self.one_code() {
                Ok(End::Expired) => log::debug!("the device code expired; asking for another one"),
                Ok(End::Stopped) => return,
                Ok(End::Granted(tokens)) => break Ok(tokens),
                Err(error) => break Err(error),
            }
        };
        self.tell(DeviceNews::Over(over));
    }

    /// A login that is over does not listen any more.
    fn tell(&self, news: DeviceNews) {
        let _ = self.happen.send(Happening::Device(news));
    }

    fn one_code(&self) -> Result<End> {
        let code = self.code()?;
        let end = Instant::now() + code.expires_in;
        self.tell(DeviceNews::Code(code.clone()));
        self.ask_until(&code, end)
    }

    fn code(&self) -> Result<DeviceAuthorization> {
        let url = self.metadata.endpoints.need(Endpoint::DeviceAuthorization)?;
        let resources: Vec<String> = self.context.config.resource.iter().cloned().collect();
        let auth = client_auth_for(&self.client, &self.metadata);
        let request = post(url, device::authorization_request(&auth, &self.scopes, &resources));
        let answer = self.context.send("device authorization endpoint", request)?;
        match device::judge(&self.client.issuer, answer.status, &answer.body) {
            DeviceVerdict::Started(code) => Ok(code),
            DeviceVerdict::Refused(error) if answer.status < 500 => Err(Denied::ByServer(error).into()),
            DeviceVerdict::Refused(_) | DeviceVerdict::Status(_) => Err(status_error(url, &answer)),
            DeviceVerdict::Broken(rule) => Err(rule.into()),
            DeviceVerdict::Unusable(lack) => Err(lack.into()),
        }
    }

    fn ask_until(&self, code: &DeviceAuthorization, end: Instant) -> Result<End> {
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
            if let Some(end) = self.ask(code, &mut pace, &mut pause)? {
                return Ok(end);
            }
        }
    }

    /// One question; nothing where the person is not done.
    fn ask(
        &self,
        code: &DeviceAuthorization,
        pace: &mut Pace,
        pause: &mut Option<Duration>,
    ) -> Result<Option<End>> {
        let url = self.metadata.endpoints.need(Endpoint::Token)?;
        let auth = client_auth_for(&self.client, &self.metadata);
        let request = post(url, device::token_request(&auth, &code.device_code));
        let answer = match self.context.send("token endpoint", request) {
            Ok(answer) => answer,
            Err(Error::Network(_)) => {
                pace.back_off();
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        *pause = pause_of(&answer);
        match device::judge_poll(answer.status, &answer.body) {
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
