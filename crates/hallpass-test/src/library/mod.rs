//! A sandbox for a program that uses the library.

mod browser;
mod keychain_setup;
pub mod log_recorder;
mod recording_ui;
mod sandbox;
mod test_keychain;
mod timing;

pub use browser::{
    Page, authority, callback, connect, exchange, get, get_at, is_open, param, playing, post, redirect_uri,
    sign_in, target, unopened, visitor,
};
pub use keychain_setup::{DAY, KeychainSetup};
pub use recording_ui::RecordingUi;
pub use sandbox::{LibrarySandbox, SERVICE, failure, login};
pub use test_keychain::{Behavior, Call, TestKeychain};
pub use timing::{AT_ONCE, IMPATIENT, PATIENCE, timed};
