//! Sign-in for command-line programs.

mod clean;
mod crypto;
pub mod error;
mod secret;

pub mod protocol;
pub mod world;

pub use error::{Error, Result};
pub use secret::Secret;
