//! The whole command from the outside: what `hallpass` prints, stores, sends and exits with.

#[allow(dead_code, reason = "the tests of the documents use all of it")]
mod bench;
mod canary;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../crates/hallpass/tests/library/scripted.rs"]
mod scripted;

mod accounts;
mod bad_input;
mod blips;
mod callbacks;
mod care;
mod demo;
mod device;
mod doctor;
mod exec;
mod exit_codes;
mod front;
mod homes;
mod journey;
mod links;
mod locks;
mod long_lived;
mod neighbours;
mod override_token;
mod paste;
mod profiles;
mod proxies;
mod refusals;
mod shape;
mod signals;
mod users;

// They strike with `strace`, mount and look on as only this system lets them.
#[cfg(target_os = "linux")]
mod blow;
#[cfg(target_os = "linux")]
mod browser;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod elsewhere;
#[cfg(target_os = "linux")]
mod families;
#[cfg(target_os = "linux")]
mod gnome_keyring;
#[cfg(target_os = "linux")]
mod keychain;
#[cfg(target_os = "linux")]
mod modes;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod network_files;
#[cfg(target_os = "linux")]
mod networks;
#[cfg(target_os = "linux")]
mod pty;
#[cfg(target_os = "linux")]
mod terminal;
