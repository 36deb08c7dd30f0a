//! Devices that ask for a sign-in and poll for its end (RFC 8628 §3.2, §3.4, §3.5).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Polling;
use crate::oauth::client::Client;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::random;
use crate::oauth::scope::Scope;
use crate::oauth::user_code::UserCode;
use crate::state::fingerprint::Fingerprint;
use crate::state::guesses::Guesses;
use crate::user::SignedIn;

/// A device code is remembered longer than it lives, so that its end can be told from a code nobody knows.
const MEMORY: Duration = Duration::from_secs(600);

/// What `slow_down` adds to the interval, for this and all later polls (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// Two polls that left a client an interval apart may arrive a little closer.
const LEEWAY: Duration = Duration::from_millis(250);

/// A device authorization request that may go on to the user (RFC 8628 §3.1).
#[derive(Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) scope: Scope,
    pub(crate) user_code: UserCode,
}

/// The two codes of one request (RFC 8628 §3.2).
pub(crate) struct CodePair {
    pub(crate) device_code: String,
    pub(crate) user_code: UserCode,
}

enum State {
    Waiting,
    Denied,
    Allowed(SignedIn),
    Used,
}

struct Device {
    request: DeviceRequest,
    since: Instant,
    lifetime: Duration,
    interval: Duration,
    polled: Option<Instant>,
    state: State,
}

/// Every method is told what time it is, so that tests need not wait.
#[derive(Default)]
pub(crate) struct Devices {
    by_device_code: HashMap<Fingerprint, Device>,
    /// Wrong user codes of all browsers.
    pub(crate) guesses: Guesses,
}

impl Devices {
    pub(crate) fn begin(
        &mut self,
        client: Arc<Client>,
        scope: Scope,
        polling: Polling,
        now: Instant,
    ) -> CodePair {
        self.by_device_code.retain(|_, device| device.age(now) < device.lifetime + MEMORY);
        let (device_code, user_code) = (random::token(), self.free_user_code());
        let request = DeviceRequest { client, scope, user_code: user_code.clone() };
        let Polling { lifetime, interval } = polling;
        let device = Device { request, since: now, lifetime, interval, polled: None, state: State::Waiting };
        self.by_device_code.insert(Fingerprint::of(&device_code), device);
        CodePair { device_code, user_code }
    }

    fn free_user_code(&self) -> UserCode {
        let is_free = |code: &UserCode| self.by_device_code.values().all(|d| d.request.user_code != *code);
        std::iter::repeat_with(UserCode::random).find(is_free).expect("there are more codes than memory")
    }

    /// The request that waits under a user code for its user's answer.
    pub(crate) fn waiting(&mut self, user_code: &UserCode, now: Instant) -> Option<&DeviceRequest> {
        self.find(user_code, now).map(|device| &device.request)
    }

    /// Keeps the user's answer; `None` where the code has expired or was answered before.
    pub(crate) fn allow(&mut self, user_code: &UserCode, session: SignedIn, now: Instant) -> Option<()> {
        self.find(user_code, now)?.state = State::Allowed(session);
        Some(())
    }

    /// As [`allow`](Devices::allow).
    pub(crate) fn deny(&mut self, user_code: &UserCode, now: Instant) -> Option<()> {
        self.find(user_code, now)?.state = State::Denied;
        Some(())
    }

    fn find(&mut self, user_code: &UserCode, now: Instant) -> Option<&mut Device> {
        let mut waiting = self.by_device_code.values_mut().filter(|device| device.is_waiting(now));
        waiting.find(|device| device.request.user_code == *user_code)
    }

    /// A token request by device code: who allowed what, once, or why there is no token (yet).
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now: Instant,
    ) -> Result<(SignedIn, Scope), OAuthError> {
        let device = self.by_device_code.get_mut(&Fingerprint::of(device_code));
        let device = device.ok_or_else(|| refused("The device code is unknown."))?;
        // Before anything is noted: a stranger must not slow the rightful client down.
        if device.request.client.id != client_id {
            return Err(refused("The device code was issued to another client."));
        }
        device.polled_at(now)
    }
}

impl Device {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    fn has_expired(&self, now: Instant) -> bool {
        self.age(now) >= self.lifetime
    }

    fn is_waiting(&self, now: Instant) -> bool {
        matches!(self.state, State::Waiting) && !self.has_expired(now)
    }

    fn polled_at(&mut self, now: Instant) -> Result<(SignedIn, Scope), OAuthError> {
        match &self.state {
            State::Used => Err(refused("The device code was used before.")),
            _ if self.has_expired(now) => {
                Err(OAuthError::new(ErrorCode::ExpiredToken, "The device code has expired."))
            }
            State::Waiting => Err(self.not_yet(now)),
            State::Denied => Err(OAuthError::new(ErrorCode::AccessDenied, "The user did not allow it.")),
            State::Allowed(session) => {
                let granted = (session.clone(), self.request.scope.clone());
                self.state = State::Used;
                Ok(granted)
            }
        }
    }

    /// An answer that exists is given however often it is asked for: `slow_down` is a kind of
    /// `authorization_pending` (RFC 8628 §3.5).
    fn not_yet(&mut self, now: Instant) -> OAuthError {
        let last = self.polled.replace(now);
        if last.is_none_or(|last| now.saturating_duration_since(last) + LEEWAY >= self.interval) {
            return OAuthError::new(ErrorCode::AuthorizationPending, "The user has not answered yet.");
        }
        self.interval += SLOW_DOWN;
        let why = format!("Polled too soon. From now on wait {} seconds.", self.interval.as_secs());
        OAuthError::new(ErrorCode::SlowDown, why)
    }
}

fn refused(why: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, why)
}

#[cfg(test)]
mod tests;
