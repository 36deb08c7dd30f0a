//! The whole command from the outside: what `hallpass` prints, stores, sends and exits with.

#[allow(dead_code, reason = "the tests of the documents use all of it")]
mod bench;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../crates/hallpass/tests/library/scripted.rs"]
mod scripted;

mod accounts;
mod bad_input;
mod blips;
mod blow;
mod care;
mod crash;
mod demo;
mod device;
mod disk;
mod front;
mod homes;
mod journey;
mod links;
mod locks;
mod modes;
mod mounts;
mod neighbours;
mod override_token;
mod profiles;
mod shape;
mod users;
