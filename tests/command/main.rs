//! The whole command from the outside: what `hallpass` prints, stores, sends and exits with.

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
mod reverse_proxy;
mod shape;
mod signals;
mod texts;
mod users;

// These use `strace`, mounts, network namespaces and terminals as only Linux has them.
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
mod terminal;

use hallpass_test::command::CommandSandbox;

/// A sandbox for the command that these tests are built with.
fn new_sandbox() -> CommandSandbox {
    CommandSandbox::new(env!("CARGO_BIN_EXE_hallpass"))
}
