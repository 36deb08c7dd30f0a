//! The two documents that Hallpass takes the place of, sentence by sentence: whoever followed them finds
//! every step again.

mod clerk;
mod guides;
mod paylent;

use hallpass_test::command::CommandSandbox;

/// A sandbox for the command that these tests are built with.
fn new_sandbox() -> CommandSandbox {
    CommandSandbox::new(env!("CARGO_BIN_EXE_hallpass"))
}
