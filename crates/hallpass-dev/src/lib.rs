//! A development authorization server: OAuth 2.1 and OpenID Connect for one machine.
//!
//! It is a complete server with pages for sign-in, consent and devices, which keeps everything in memory and listens
//! on 127.0.0.1 only. It follows the standards strictly, so a client that works with it also works with other
//! servers. It records all requests, so that tests can check them.
//!
//! ```
//! use hallpass_dev::DevServer;
//!
//! let server = DevServer::start()?;
//! let url = format!(
//!     "{}/authorize?response_type=code&client_id=demo&scope=openid+email&state=xyz\
//!      &redirect_uri=http://127.0.0.1:50123/callback\
//!      &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
//!     server.issuer(),
//! );
//! // The robot signs in as test@example.com and clicks Allow.
//! let visit = server.robot().without_landing().visit(&url)?;
//! assert_eq!(visit.param("state").as_deref(), Some("xyz"));
//! assert!(visit.param("code").is_some());
//! assert_eq!(server.journal().count("/authorize"), 1);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Defaults
//!
//! | | |
//! |---|---|
//! | client | `demo`, public, with the redirect URIs `http://127.0.0.1/callback` and `http://[::1]/callback` on any port, and `http://localhost:9999/callback` |
//! | user | `test@example.com`, password `password` |
//! | scopes | `openid profile email offline_access`; others are dropped, and a request without any gets `openid` |
//! | device codes | valid for 10 minutes, polled every 5 seconds |
//! | tokens | opaque access tokens for 1 hour; refresh tokens with `offline_access`, which rotate and whose reuse revokes all tokens of the sign-in; ES256 ID tokens |
//!
//! # Standards
//!
//! - RFC 6749 and OAuth 2.1, with PKCE S256 (RFC 7636) required from every client
//! - OpenID Connect Core and Discovery
//! - RFC 7009, token revocation
//! - RFC 7662, token introspection, with one exception: public clients may use it with their `client_id`, for their own
//!   tokens only. RFC 7662 §2.1 requires client authentication, which they cannot do.
//! - RFC 8252, redirect URIs for native apps
//! - RFC 8414, authorization server metadata
//! - RFC 8628, device authorization grant
//! - RFC 9207, `iss` in every authorization response
//!
//! The crate prints nothing and installs no handlers. It doesn't depend on the `hallpass` library, so a mistake in
//! one cannot hide a mistake in the other.

mod builder;
mod config;
mod endpoints;
mod event;
mod listener;
mod oauth;
mod pages;
mod robot;
mod server;
mod state;
mod user;

pub use builder::Builder;
pub use event::Event;
pub use oauth::client::Client;
pub use oauth::signing_key::Alg;
pub use robot::{Robot, Step, Visit};
pub use server::{DevServer, Stopper};
pub use state::journal::{Entry, Journal};
