//! The two documents that Hallpass takes the place of, sentence by sentence: whoever followed them finds
//! every step again.

#[allow(dead_code, reason = "the command's own tests use all of it")]
#[path = "../command/bench.rs"]
mod bench;
#[path = "../command/canary.rs"]
mod canary;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../crates/hallpass/tests/library/jose.rs"]
mod jose;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../crates/hallpass/tests/library/provider.rs"]
mod provider;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../../crates/hallpass/tests/library/scripted.rs"]
mod scripted;

mod clerk;
mod guides;
mod paylent;
