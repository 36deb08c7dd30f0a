//! The operating system: program start, signals, keychain, browser.

pub(crate) mod browser;
#[cfg(all(not(test), target_os = "linux", target_env = "gnu"))]
pub(crate) mod entrance;
pub(crate) mod keychain;
pub(crate) mod signals;
