//! The vocabulary of the standards: requests, responses, clients, and the values they exchange.
//!
//! Nothing here keeps state or depends on the rest of the crate.

pub(crate) mod authorization_request;
pub(crate) mod authorization_response;
pub(crate) mod client;
pub(crate) mod client_auth;
pub(crate) mod clock;
pub(crate) mod http_request;
pub(crate) mod id_token;
pub(crate) mod oauth_error;
pub(crate) mod params;
pub(crate) mod pkce;
pub(crate) mod random;
pub(crate) mod redirect_uri;
pub(crate) mod scope;
pub(crate) mod signing_key;
pub(crate) mod user_code;
