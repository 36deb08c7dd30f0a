//! The operating system: the program's start, signals, the keychain, the browser.

pub(crate) mod browser;
#[cfg(all(not(test), target_os = "linux", target_env = "gnu"))]
pub(crate) mod entrance;
pub(crate) mod keychain;
pub(crate) mod signals;
