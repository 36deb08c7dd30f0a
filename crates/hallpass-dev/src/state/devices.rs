//! Device codes and user codes (RFC 8628 §3.2, §3.4, §3.5).

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

/// How long a device code is remembered after it expired, so that polls get `expired_token`.
const RETENTION: Duration = Duration::from_secs(600);

/// The time that `slow_down` adds to the interval of this and all later polls (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The time that a poll may be early, because requests sent one interval apart can arrive a little closer together.
const LEEWAY: Duration = Duration::from_millis(250);

/// A device authorization request (RFC 8628 §3.1).
#[derive(Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) scope: Scope,
    pub(crate) user_code: UserCode,
}

/// The codes of a device authorization response (RFC 8628 §3.2).
pub(crate) struct CodePair {
    pub(crate) device_code: String,
    pub(crate) user_code: UserCode,
}

/// The devices that are waiting or have been recently. Methods take the time as an argument, so that tests don't have
/// to wait.
#[derive(Default)]
pub(crate) struct Devices {
    by_device_code: HashMap<Fingerprint, Device>,
    /// The wrong user codes of all browsers.
    pub(crate) guesses: Guesses,
}

struct Device {
    request: DeviceRequest,
    since: Instant,
    lifetime: Duration,
    interval: Duration,
    last_poll: Option<Instant>,
    decision: Decision,
}

enum Decision {
    Pending,
    Denied,
    Allowed(SignedIn),
    /// The user has allowed the request, and the device has its tokens.
    Redeemed,
}

impl Devices {
    pub(crate) fn begin(
        &mut self,
        client: Arc<Client>,
        scope: Scope,
        polling: Polling,
        now: Instant,
    ) -> CodePair {
        self.by_device_code.retain(|_, device| device.age(now) < device.lifetime + RETENTION);
        let is_taken = |code: &UserCode| self.by_device_code.values().any(|d| d.request.user_code == *code);
        let mut user_code = UserCode::random();
        while is_taken(&user_code) {
            user_code = UserCode::random();
        }
        let device_code = random::token();
        let device = Device {
            request: DeviceRequest { client, scope, user_code: user_code.clone() },
            since: now,
            lifetime: polling.lifetime,
            interval: polling.interval,
            last_poll: None,
            decision: Decision::Pending,
        };
        self.by_device_code.insert(Fingerprint::of(&device_code), device);
        CodePair { device_code, user_code }
    }

    /// Returns the request that waits for the user's decision under this code.
    pub(crate) fn pending(&mut self, user_code: &UserCode, now: Instant) -> Option<&DeviceRequest> {
        self.find_pending(user_code, now).map(|device| &device.request)
    }

    /// Allows a pending request. Returns `None` if there is none, because the code has expired or was used.
    pub(crate) fn allow(&mut self, user_code: &UserCode, session: SignedIn, now: Instant) -> Option<()> {
        self.find_pending(user_code, now)?.decision = Decision::Allowed(session);
        Some(())
    }

    /// Denies a pending request. Returns `None` if there is none, because the code has expired or was used.
    pub(crate) fn deny(&mut self, user_code: &UserCode, now: Instant) -> Option<()> {
        self.find_pending(user_code, now)?.decision = Decision::Denied;
        Some(())
    }

    fn find_pending(&mut self, user_code: &UserCode, now: Instant) -> Option<&mut Device> {
        let device =
            self.by_device_code.values_mut().find(|device| device.request.user_code == *user_code)?;
        let is_pending = matches!(device.decision, Decision::Pending) && !device.has_expired(now);
        if is_pending { Some(device) } else { None }
    }

    /// Returns the user and scope if the user has allowed the request. This works once; all other polls get an error.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now: Instant,
    ) -> Result<(SignedIn, Scope), OAuthError> {
        let device = self.by_device_code.get_mut(&Fingerprint::of(device_code));
        let device = device.ok_or_else(|| invalid("The device code is unknown."))?;
        // Checked first, so that polls by other clients don't slow down the one that owns the code.
        if device.request.client.id != client_id {
            return Err(invalid("The device code was issued to another client."));
        }
        device.poll(now)
    }
}

impl Device {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    fn has_expired(&self, now: Instant) -> bool {
        self.age(now) >= self.lifetime
    }

    fn poll(&mut self, now: Instant) -> Result<(SignedIn, Scope), OAuthError> {
        match &self.decision {
            Decision::Redeemed => Err(invalid("The device code has already been used.")),
            _ if self.has_expired(now) => {
                Err(OAuthError::new(ErrorCode::ExpiredToken, "The device code has expired."))
            }
            Decision::Pending => Err(self.still_pending(now)),
            Decision::Denied => Err(OAuthError::new(ErrorCode::AccessDenied, "The user denied the request.")),
            Decision::Allowed(session) => {
                let granted = (session.clone(), self.request.scope.clone());
                self.decision = Decision::Redeemed;
                Ok(granted)
            }
        }
    }

    /// Returns `authorization_pending`, or `slow_down` if the poll came too soon (RFC 8628 §3.5). A decision, in
    /// contrast, is returned however fast the device polls.
    fn still_pending(&mut self, now: Instant) -> OAuthError {
        if let Some(last) = self.last_poll.replace(now)
            && now.saturating_duration_since(last) + LEEWAY < self.interval
        {
            self.interval += SLOW_DOWN;
            let description =
                format!("Polling too fast. The interval is now {} seconds.", self.interval.as_secs());
            return OAuthError::new(ErrorCode::SlowDown, description);
        }
        OAuthError::new(ErrorCode::AuthorizationPending, "The user has not decided yet.")
    }
}

fn invalid(description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}

#[cfg(test)]
mod tests;
