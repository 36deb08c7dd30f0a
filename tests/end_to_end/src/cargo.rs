//! Runs cargo from inside a test.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for name in told_of_this_package() {
        cargo.env_remove(name);
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// The environment variables in which cargo describes this package. `ring` reads them, so it and its dependents would be
/// rebuilt each time another package builds the command.
fn told_of_this_package() -> impl Iterator<Item = OsString> {
    let is_told = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    std::env::vars_os().map(|(name, _)| name).filter(is_told)
}

/// Returns the target folder of this test.
pub(crate) fn target_folder() -> PathBuf {
    let tests = std::env::current_exe().expect("this program has a path");
    tests.ancestors().nth(3).expect("tests run in target/<profile>/deps").to_owned()
}
