//! What the standards define: requests, responses, clients and the values they exchange.

pub(crate) mod authorization_request;
pub(crate) mod authorization_response;
pub(crate) mod client;
pub(crate) mod client_auth;
pub(crate) mod id_token;
pub(crate) mod oauth_error;
pub(crate) mod params;
pub(crate) mod pkce;
pub(crate) mod random;
pub(crate) mod received;
pub(crate) mod redirect_uri;
pub(crate) mod scope;
pub(crate) mod signing_key;
pub(crate) mod user_code;
