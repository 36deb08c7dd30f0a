//! Keychains of the operating system to test against.
//!
//! | | is | needs |
//! |---|---|---|
//! | [`GnomeKeyring`] on a [`PrivateBus`] | the real thing | `gnome-keyring-daemon`, `dbus-daemon` |
//! | [`ScriptedService`] | a bus and a Secret Service that misbehave on demand | nothing |
//! | [`MuteBus`] | a socket that accepts connections and never responds | nothing |
//!
//! Each has the environment variables that connect a program to it, and ends when it is dropped.

mod gnome_keyring;
mod mute_bus;
mod private_bus;
mod scripted;

use crate::skipped;

pub use gnome_keyring::GnomeKeyring;
pub use mute_bus::MuteBus;
pub use private_bus::PrivateBus;
pub use scripted::{Habit, ScriptedService};

/// Variables of an environment.
pub type Variables = Vec<(&'static str, String)>;

/// The programs that [`GnomeKeyring`] on a [`PrivateBus`] needs.
pub const REAL_KEYCHAIN: [&str; 2] = [gnome_keyring::PROGRAM, private_bus::PROGRAM];

/// Returns whether these programs are installed, and reports a skipped test if not.
///
/// # Panics
/// If one is missing and `HALLPASS_ALL_TESTS` is set.
pub fn are_installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().copied().filter(|program| !is_installed(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let why = format!("not installed: {}", missing.join(", "));
    assert!(std::env::var_os("HALLPASS_ALL_TESTS").is_none(), "{why}");
    skipped(&why);
    false
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
