//! Links the unwinder into the command where the linker has it as an archive.
//!
//! A cached `token` is mostly the loading of the program, and `libgcc_s.so` is a tenth of that. The folder `link/`
//! holds a linker script of that name that stands for the archive.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link");
    if is_dynamic_glibc() && is_native() && has_archive() {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it") + "/link";
        println!("cargo::rustc-link-search=native={folder}");
    }
}

fn is_dynamic_glibc() -> bool {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    target("OS") == "linux" && target("ENV") == "gnu" && !is_static
}

/// Only this machine's own compiler can be asked what it has.
fn is_native() -> bool {
    std::env::var_os("HOST") == std::env::var_os("TARGET")
}

/// The compiler answers with the bare name where it knows no such file.
fn has_archive() -> bool {
    let answer = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    let path = answer.ok().and_then(|answer| String::from_utf8(answer.stdout).ok()).unwrap_or_default();
    Path::new(path.trim()).is_absolute()
}
