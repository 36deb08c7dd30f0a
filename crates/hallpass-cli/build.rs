//! Links the unwinder statically where the linker finds it as an archive.
//!
//! A cached `hallpass token` spends most of its time loading the program, and a tenth of that loading `libgcc_s.so`. The
//! directory `link/` has a linker script of that name, which stands for the archive.

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

/// Whether this machine's compiler, which [`has_archive`] asks, is the one that links.
fn is_native() -> bool {
    std::env::var_os("HOST") == std::env::var_os("TARGET")
}

/// Whether the compiler has the archive. If not, it prints the bare name instead of a path.
fn has_archive() -> bool {
    match Command::new("cc").arg("-print-file-name=libgcc_eh.a").output() {
        Ok(output) => Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute(),
        Err(_) => false,
    }
}
