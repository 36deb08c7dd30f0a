//! The rules of OAuth 2.0 and OpenID Connect, as pure functions: they build requests and judge responses, and use no
//! network, file, clock or source of randomness.
//!
//! Most modules have a function that builds a request and a function `judge` that reads the response. A step that must
//! not be skipped returns a type that the next step requires: only a
//! [`PendingAuthorization`](authorization::PendingAuthorization), which judges callbacks and pasted texts, creates a
//! [`VerifiedCode`](authorization::VerifiedCode), and only a `VerifiedCode` can be exchanged for tokens.
//!
//! Of the other modules of this crate, these use only those for errors, secrets, cryptography and cleaning text.
//!
//! | module | standard |
//! |---|---|
//! | [`issuer`] | RFC 8414 §2, OpenID Connect Discovery §4 |
//! | [`metadata`] | RFC 8414, OpenID Connect Discovery 1.0 |
//! | [`client`] | RFC 6749 §2.3 |
//! | [`redirect_uri`] | RFC 8252 §7.3 |
//! | [`pkce`] | RFC 7636 |
//! | [`authorization`], [`pasted`] | RFC 6749 §4.1, RFC 9207, OpenID Connect Core §3.1.2 |
//! | [`token`] | RFC 6749 §4.1.3, §5, §6 |
//! | [`oauth_error`] | RFC 6749 §5.2 |
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
mod seconds;
pub mod token;
pub mod userinfo;
