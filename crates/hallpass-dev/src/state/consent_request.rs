//! Requests that need the user's consent.

use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::client::Client;
use crate::oauth::scope::Scope;
use crate::state::devices::DeviceRequest;

/// A request that a user allows or denies.
pub(crate) enum ConsentRequest {
    /// From a client that waits at its redirect URI (RFC 6749 §4.1).
    Authorization(AuthorizationRequest),
    /// From a device that polls the token endpoint (RFC 8628).
    Device(DeviceRequest),
}

impl ConsentRequest {
    pub(crate) fn client(&self) -> &Client {
        match self {
            ConsentRequest::Authorization(request) => &request.client,
            ConsentRequest::Device(request) => &request.client,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        match self {
            ConsentRequest::Authorization(request) => &request.scope,
            ConsentRequest::Device(request) => &request.scope,
        }
    }

    pub(crate) fn login_hint(&self) -> Option<&str> {
        match self {
            ConsentRequest::Authorization(request) => request.login_hint.as_deref(),
            ConsentRequest::Device(_) => None,
        }
    }

    /// Returns whether the request says how recent the sign-in has to be.
    pub(crate) fn limits_sign_in_age(&self) -> bool {
        match self {
            ConsentRequest::Authorization(request) => request.prompt.login || request.max_age.is_some(),
            ConsentRequest::Device(_) => false,
        }
    }

    /// Returns whether a sign-in at `auth_time` is recent enough.
    pub(crate) fn accepts_sign_in(&self, auth_time: u64) -> bool {
        match self {
            ConsentRequest::Authorization(request) => request.accepts_sign_in(auth_time),
            ConsentRequest::Device(_) => true,
        }
    }
}
