//! The command with the C library in it, as it is given to others.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use hallpass_test::skipped;

/// The static release build, built at the first call; `None` where the C library is not glibc.
pub fn static_build() -> Option<&'static Path> {
    static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(build);
    PROGRAM.as_deref()
}

/// In a folder of its own, which the benchmark builds in too: other flags would make cargo build everything anew
/// each time. The target is named so that the flags are not those of build scripts and procedural macros, which
/// cannot be static.
fn build() -> Option<PathBuf> {
    let host = host();
    if !host.ends_with("-linux-gnu") {
        skipped("the static build: this is no glibc system");
        return None;
    }
    let folder = target_folder().join("static");
    let built = cargo()
        .args(["build", "--quiet", "--release", "-p", "hallpass-cli", "--target", &host])
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the static build failed");
    Some(folder.join(host).join("release/hallpass"))
}

fn cargo() -> Command {
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

fn host() -> String {
    let output = cargo().arg("-vV").output().expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo tells its host").to_owned()
}

fn target_folder() -> PathBuf {
    let tests = std::env::current_exe().expect("this program has a path");
    tests.ancestors().nth(3).expect("tests run in target/<profile>/deps").to_owned()
}
