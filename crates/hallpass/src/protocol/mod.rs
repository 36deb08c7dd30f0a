//! The rules: values in, request or verdict out. No input or output, no clock, no randomness.
//!
//! Each file is named after the thing it judges. Requests and judges come in pairs, and a step that
//! must not be skipped hands out a type that the next step demands: only
//! [`PendingAuthorization`](authorization::PendingAuthorization), which judges callbacks and pasted texts, makes a
//! [`VerifiedCode`](authorization::VerifiedCode), and only a `VerifiedCode` makes a token request.
//!
//! | file | standard |
//! |---|---|
//! | [`issuer`] | RFC 8414 §2, OpenID Discovery §4 |
//! | [`metadata`] | RFC 8414, OpenID Discovery 1.0 |
//! | [`redirect_uri`] | RFC 8252 §7.3 |
//! | [`pkce`] | RFC 7636 |
//! | [`authorization`], [`pasted`] | RFC 6749 §4.1, RFC 9207, OpenID Connect Core §3.1.2 |
//! | [`token`] | RFC 6749 §4.1.3, §5, §6 |
//! | [`device`] | RFC 8628 |
//! | [`id_token`], [`jwk`] | OpenID Connect Core §2, RFC 7515, RFC 7517 |
//! | [`bearer`] | RFC 6750 |
//! | [`userinfo`] | OpenID Connect Core §5.3 |
//! | [`revocation`] | RFC 7009 |

pub mod authorization;
pub mod bearer;
pub mod client;
pub mod device;
pub mod id_token;
pub mod issuer;
mod json;
pub mod jwk;
pub mod metadata;
pub mod oauth_error;
pub mod pasted;
pub mod pkce;
pub mod redirect_uri;
pub(crate) mod retry_after;
pub mod revocation;
pub mod token;
pub mod userinfo;
