//! The two documents that Hallpass replaces, sentence by sentence: every step has its counterpart here.

mod clerk;
mod guides;
mod paylent;

use hallpass_test::command::CommandSandbox;

/// A sandbox for the command that these tests are built with.
fn new_sandbox() -> CommandSandbox {
    CommandSandbox::new(env!("CARGO_BIN_EXE_hallpass"))
}
