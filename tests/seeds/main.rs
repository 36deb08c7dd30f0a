//! The two documents that Hallpass replaces, sentence by sentence.
fn main() {}
