//! The library in programs that run on tokio, of either flavour: what is answered on the spot, what a dropped future
//! ends and what it does not, and that nothing holds up the end of a runtime or of the process.

#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/bench.rs"]
mod bench;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../../../tests/command/canary.rs"]
mod canary;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/desk.rs"]
mod desk;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/diary.rs"]
mod diary;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/jose.rs"]
mod jose;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/keychains.rs"]
mod keychains;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/provider.rs"]
mod provider;
mod runtimes;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../library/scripted.rs"]
mod scripted;

mod login;
mod shutdown;
mod token;
