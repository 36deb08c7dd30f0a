//! The whole command from the outside: what `hallpass` prints, stores, sends and exits with.

mod bench;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../crates/hallpass/tests/library/scripted.rs"]
mod scripted;

mod bad_input;
mod demo;
mod journey;
