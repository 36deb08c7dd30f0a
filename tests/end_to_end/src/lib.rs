//! What the end-to-end tests share: the command in a fresh home, and the programs in `tests/foreign`.

mod command;
mod foreign;

pub use command::{Finished, Home};
pub use foreign::{Provider, artefacts, client, foreign};
