//! The operating system's keychain, and a scripted one that misbehaves.

#[cfg(all(unix, not(target_vendor = "apple")))]
mod gnome_keyring;
#[cfg(any(windows, target_os = "macos"))]
mod native;
#[cfg(all(unix, not(target_vendor = "apple")))]
mod scripted_service;

use hallpass::world::keychain::{Item, Key};

const PROGRAM: &str = "mytool";

fn item(key_id: &str) -> Item<'_> {
    Item::new(PROGRAM, key_id)
}

/// Returns a key with bytes from the whole range.
fn key(seed: u8) -> Key {
    Key::new(std::array::from_fn(|i| seed.wrapping_add(i as u8).wrapping_mul(37)))
}
