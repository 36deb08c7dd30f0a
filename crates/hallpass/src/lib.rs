//! Sign-in for command-line programs: OAuth 2.0 authorization code with PKCE in the user's browser, and tokens that are
//! stored safely, refreshed when they expire, and revoked at sign-out.
//!
//! # Ten lines
//!
//! ```no_run
//! use hallpass::{Hallpass, Terminal};
//!
//! fn main() -> hallpass::Result<()> {
//!     let pass = Hallpass::builder("mytool", "https://login.example.com", "mytool").build()?;
//!     if pass.whoami().is_err() {
//!         pass.login(&mut Terminal::stderr())?;
//!     }
//!     let token = pass.access_token()?; // valid now: the stored token, or a refreshed one
//!     println!("Hello {}, your token has {} characters", pass.whoami()?.label(), token.expose().len());
//!     Ok(())
//! }
//! ```
//!
//! # Table of contents
//!
//! | to | see |
//! |---|---|
//! | sign in, get a token, get the user, sign out | [`Hallpass`] and its [`Builder`] |
//! | show the steps of a login in your own words | [`LoginUi`], [`LoginEvent`], [`Terminal`], [`Keyboard`] |
//! | help a user whose login fails | [`Hallpass::diagnose`] and [`Hallpass::explain`] |
//! | style the page at the end of a login | [`Pages`] |
//! | find out who must act on an error | [`error`] |
//! | get a token that is valid for longer, or for another API | [`TokenRequest`] |
//! | call an API for hours, from many threads, and recover from a 401 | [`TokenSource`] |
//! | put a "Cancel" button beside a login | [`Canceller`] |
//! | end the process on Ctrl-C without losing tokens | [`Hallpass::finish_saving`] |
//! | await all of it on tokio | the feature `tokio`, below |
//! | bring your own HTTP client, keychain, browser or clock | [`world`], [`browser`] |
//! | use the rules of the protocols alone | [`protocol`] |
//!
//! # Guarantees
//!
//! A working session is never thrown away. A stored refresh token is removed only if the token endpoint returned
//! `invalid_grant` for exactly that token, the user signed out, or a newer verified sign-in replaced it. Everything
//! that can fail late is tried before the browser opens, and before a refresh token is sent.
//!
//! One gap is left to the program: between the server's response to a refresh and the save are a few milliseconds. A
//! process that ends in them loses the new refresh token, which may be the only valid one. On Ctrl-C, call
//! [`finish_saving`](Hallpass::finish_saving) before you exit.
//!
//! The library blocks. It works on any thread, inside or outside an async runtime, installs no signal handler and
//! prints nothing. It writes diagnostics to [`log`] at debug level, never with a secret. Don't enable the target
//! `ureq_proto` at trace level: that is the HTTP protocol below, and it logs the bytes it sends, tokens included.
//!
//! # On tokio
//!
//! Every call works in async code, and none needs or starts a runtime. With the feature `tokio`, those that take time
//! have async twins: `TokenSource::access_token_async` (immediate if the token is fresh) and `refresh_async` (after a
//! 401), `Hallpass::login_async`, `whoami_async` and `logout_async`. Dropping the future of a login cancels that login.
//! Dropping any other future interrupts nothing. The work runs on plain threads, which don't keep a runtime from
//! shutting down.

mod crypto;
mod environment;
pub mod error;
mod flow;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod interrupt;
mod loopback;
mod pass;
mod sanitize;
mod secret;
mod session;
mod settings;
mod store;
mod ui;
mod user;

pub mod browser;
pub mod protocol;
pub mod world;

pub use browser::Explanation;
pub use environment::Environment;
pub use error::{Error, Result};
pub use interrupt::Canceller;
pub use loopback::Pages;
pub use pass::{Builder, Hallpass, TokenRequest, TokenSource, check_profile_name};
pub use protocol::revocation::Revocation;
pub use secret::Secret;
pub use session::{AccessToken, Diagnosis, Finding, LogoutReport, Session, State, Status, Subject, Verdict};
pub use settings::{DeviceGrant, Provider, Storage};
pub use store::StoreKind;
pub use ui::{Ignored, Keyboard, LoginEvent, LoginUi, Terminal};
pub use user::User;

/// Text functions that the `hallpass` command shares; not part of the stable API.
#[doc(hidden)]
pub mod text {
    pub use crate::sanitize::is_unprintable;
    pub use crate::ui::fold::fold;
}
