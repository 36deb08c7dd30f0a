//! What a user is asked to allow, and how the one who asks gets the answer.

use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::client::Client;
use crate::oauth::scope::Scope;
use crate::state::devices::DeviceRequest;

pub(crate) enum Asked {
    /// The client waits at its redirect URI (RFC 6749 §4.1).
    AtRedirectUri(AuthorizationRequest),
    /// The client polls (RFC 8628).
    OnDevice(DeviceRequest),
}

impl Asked {
    pub(crate) fn client(&self) -> &Client {
        match self {
            Asked::AtRedirectUri(request) => &request.client,
            Asked::OnDevice(request) => &request.client,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        match self {
            Asked::AtRedirectUri(request) => &request.scope,
            Asked::OnDevice(request) => &request.scope,
        }
    }

    pub(crate) fn login_hint(&self) -> Option<&str> {
        match self {
            Asked::AtRedirectUri(request) => request.login_hint.as_deref(),
            Asked::OnDevice(_) => None,
        }
    }
}
