//! Keychains to test against.
//!
//! | | is | needs |
//! |---|---|---|
//! | [`GnomeKeyring`] on a [`PrivateBus`] | the real thing | `gnome-keyring-daemon`, `dbus-daemon` |
//! | [`ScriptedService`] | a bus and a Secret Service that misbehave as told | nothing |
//! | [`MuteBus`] | a socket that accepts and says nothing | nothing |
//!
//! Each gives the variables that lead a program to it, and is gone when it is dropped.
#![cfg(all(unix, not(target_vendor = "apple")))]

mod gnome_keyring;
mod mute_bus;
mod private_bus;
mod scripted;

use std::io::Write;

pub use gnome_keyring::GnomeKeyring;
pub use mute_bus::MuteBus;
pub use private_bus::PrivateBus;
pub use scripted::{Habit, ScriptedService};

/// Variables of an environment.
pub type Variables = Vec<(&'static str, String)>;

/// What [`GnomeKeyring`] on a [`PrivateBus`] needs.
pub const REAL_KEYCHAIN: [&str; 2] = [gnome_keyring::PROGRAM, private_bus::PROGRAM];

/// Whether these programs are installed; says so where a test has to be left out for the lack of one.
///
/// # Panics
/// Where one is missing and nothing may be left out, which `HALLPASS_ALL_TESTS` says.
pub fn are_installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().copied().filter(|program| !is_installed(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let why = format!("not installed: {}", missing.join(", "));
    assert!(std::env::var_os("HALLPASS_ALL_TESTS").is_none(), "{why}");
    // The test harness swallows what `eprintln!` prints; where even stderr is gone, nobody is there to be told.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    false
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
