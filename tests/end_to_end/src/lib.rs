//! Support that the end-to-end tests share: the command in a new home directory, the programs in `tests/foreign`, and
//! isolated systems to run them on.

mod cargo;
mod certificate;
mod command;
mod foreign;
mod island;
mod name_server;
mod patience;
mod person;
mod server;
mod session;
mod static_build;
mod swarm;
pub mod wire;

pub use certificate::Certificate;
pub use command::{Finished, Home, hallpass};
pub use foreign::{Provider, artefacts, browser_option, client, foreign};
pub use island::Island;
pub use name_server::answer_for;
pub use person::{Code, DeviceLogin, Person};
pub use server::Server;
pub use session::BrowserSession;
pub use static_build::static_build;
pub use swarm::{Expiry, Setup, Swarm, Tally};
