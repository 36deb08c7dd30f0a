//! The other side: a development authorization server for one machine.
//!
//! A real OAuth 2.1 and OpenID Connect server with pages for sign-in, consent and devices, in memory, on
//! 127.0.0.1. It is strict, so that a client which works here works elsewhere, and it tells tests
//! what it was sent.
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
//! // The robot signs in as test@example.com and presses Allow.
//! let visit = server.robot().without_landing().visit(&url)?;
//! assert_eq!(visit.param("state").as_deref(), Some("xyz"));
//! assert!(visit.param("code").is_some());
//! assert_eq!(server.journal().count("/authorize"), 1);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is there from the start
//!
//! | | |
//! |---|---|
//! | client | `demo`, public; `http://127.0.0.1/callback` and `http://[::1]/callback` on any port, `http://localhost:9999/callback` exactly |
//! | user | `test@example.com`, password `password` |
//! | scopes | `openid profile email offline_access`; others are dropped, a request without any gets `openid` |
//! | device codes | live for 10 minutes, polled every 5 s |
//! | tokens | opaque access tokens for an hour; refresh tokens with `offline_access`, rotated, reuse revokes the family; ES256 ID tokens |
//!
//! # What it follows
//!
//! RFC 6749 and OAuth 2.1 with PKCE S256 for every client (RFC 7636), loopback redirects (RFC 8252), the
//! device authorization grant (RFC 8628), metadata (RFC 8414, OpenID Connect Discovery), `iss` in every
//! authorization response (RFC 9207), revocation (RFC 7009), OpenID Connect Core. Introspection (RFC 7662) is
//! open to public clients, by their `client_id` and for their own tokens: RFC 7662 §2.1 wants an authenticated
//! caller, which they cannot be.
//!
//! It prints nothing and installs no handler. It does not depend on the `hallpass` library, so that client and
//! server share no mistake.

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
