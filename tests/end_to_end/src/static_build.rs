//! The command with the C library in it, as it is given to others.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hallpass_test::skipped;

use crate::cargo::{cargo, target_folder};

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

fn host() -> String {
    let output = cargo().arg("-vV").output().expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo tells its host").to_owned()
}
