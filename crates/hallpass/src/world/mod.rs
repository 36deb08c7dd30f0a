//! The outside world: HTTP, the keychain and the clock, each behind a trait that a program can implement.
//!
//! There is no trait for randomness: states, nonces and verifiers come from the operating system, and no caller can make
//! them predictable.

pub mod clock;
pub(crate) mod entropy;
pub mod http;
pub mod keychain;
