//! Sign-in for command-line programs: OAuth 2.0 authorization code + PKCE through the user's own browser,
//! tokens kept safe, renewed when needed, revoked at sign-out.
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
//!     let token = pass.access_token()?; // valid now; renewed if it had to be
//!     println!("{} calls with {} characters of token", pass.whoami()?.label(), token.expose().len());
//!     Ok(())
//! }
//! ```
//!
//! # Table of contents
//!
//! | to | see |
//! |---|---|
//! | sign in, get a token, ask who, sign out | [`Hallpass`] and its [`Builder`] |
//! | show the steps of a login in your own words | [`LoginUi`], [`LoginEvent`], [`Terminal`], [`Keyboard`] |
//! | help a user whose login does not work | [`Hallpass::diagnose`] and [`Hallpass::explain`] |
//! | style the page that ends it | [`Pages`] |
//! | know who must act on a failure | [`error`] |
//! | call an API for hours, from many threads, and outlive a 401 | [`TokenSource`] |
//! | put a "Cancel" button beside a login | [`Canceller`] |
//! | end the process on Ctrl-C and lose nothing | [`Hallpass::finish_saving`] |
//! | await all of it on tokio | the feature `tokio`, below |
//! | bring your own HTTP, browser or clock | [`world`] |
//! | use the rules without the journeys | [`protocol`] |
//!
//! # What it keeps to
//!
//! A working sign-in is never thrown away: a stored refresh token is removed only when the token endpoint
//! answered `invalid_grant` for exactly that token, the user logged out, or a newer verified sign-in took its
//! place. Everything that can fail late is tried before the browser opens and before a refresh token is spent.
//!
//! One gap is the caller's to close: a process that ends between the server's answer to a refresh and the save, a
//! matter of milliseconds, takes a token with it that may have been the only one. On Ctrl-C, call
//! [`finish_saving`](Hallpass::finish_saving) before you end.
//!
//! The library blocks, works from any thread inside or outside an async runtime, installs no signal handler and
//! prints nothing. Diagnostics go through [`log`] at debug level and never hold a secret. (At trace
//! level the target `ureq_proto`, the HTTP client below, writes out the bytes that it sends, tokens among them:
//! leave that one off.)
//!
//! # On tokio
//!
//! Every verb may be called from async code: nothing in it needs or starts a runtime. With the feature `tokio` what
//! takes time can be awaited instead: `TokenSource::token`, which answers a fresh token on the spot, `renewed` for one
//! that a server refused, `Hallpass::login_async`, `whoami_async` and `logout_async`. Dropping a login's future cancels
//! that login; dropping any other future ends nothing that was begun. The work is done on plain threads, for which no
//! runtime waits when it ends.

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
pub use pass::{Builder, Hallpass, TokenSource, TokenWish, check_profile_name};
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
