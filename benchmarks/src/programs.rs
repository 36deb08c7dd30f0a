//! The programs that are measured: built here, so that nobody measures last week's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Outcome;

pub(crate) const BUILD: &str = "cargo build --release -p hallpass-cli";
pub(crate) const BUILD_STATIC: &str =
    "RUSTFLAGS='-C target-feature=+crt-static' cargo build --release -p hallpass-cli --target HOST";

pub(crate) struct Programs {
    /// Holds the installed programs.
    _dir: TempDir,
    /// This program, which also plays the browser and weighs children.
    pub(crate) this_program: PathBuf,
    /// The command as `cargo build` links it.
    pub(crate) hallpass: PathBuf,
    /// The command with the C library in it; `None` where it is not wanted, or not glibc's.
    pub(crate) hallpass_static: Option<PathBuf>,
    /// By its whole path: a name would have to be looked up, and then the standard library forks this whole
    /// process instead of calling `posix_spawn`.
    pub(crate) cat: PathBuf,
    pub(crate) curl: Option<PathBuf>,
}

impl Programs {
    pub(crate) fn build(with_static: bool) -> Outcome<Programs> {
        let this_program = env::current_exe()?;
        let profile_dir = this_program.parent().ok_or("no folder of built programs")?;
        let target_dir = profile_dir.parent().ok_or("no target folder")?;
        cargo(target_dir, &[], None)?;
        let hallpass_static = if with_static { build_static(target_dir)? } else { None };
        let dir = tempfile::tempdir()?;
        let install = |program: &Path, name: &str| install(program, &dir.path().join(name));
        Ok(Programs {
            hallpass: install(&target_dir.join("release/hallpass"), "hallpass")?,
            hallpass_static: hallpass_static.map(|program| install(&program, "static")).transpose()?,
            cat: find("cat").ok_or("there is no cat")?,
            curl: find("curl"),
            this_program,
            _dir: dir,
        })
    }
}

/// Copies a program, as every installer does. What a linker wrote lies in the page cache in pieces of one
/// page, which makes each start a seventh slower than that of the same file written in one go.
fn install(program: &Path, to: &Path) -> Outcome<PathBuf> {
    fs::copy(program, to)?;
    Ok(to.to_owned())
}

fn skipped(why: &str) -> Option<PathBuf> {
    eprintln!("the static build is skipped: {why}");
    None
}

/// In a folder of its own: other flags would make cargo build everything anew each time.
fn build_static(target_dir: &Path) -> Outcome<Option<PathBuf>> {
    let host = host()?;
    if !host.ends_with("-linux-gnu") {
        return Ok(skipped("this is no glibc system"));
    }
    let dir = target_dir.join("static");
    cargo(&dir, &["--target", &host], Some("-C target-feature=+crt-static"))?;
    Ok(Some(dir.join(host).join("release/hallpass")))
}

fn cargo(target_dir: &Path, args: &[&str], flags: Option<&str>) -> Outcome {
    let mut command = Command::new(cargo_program());
    for name in told_of_this_package() {
        command.env_remove(name);
    }
    command.args(["build", "--quiet", "--release", "-p", "hallpass-cli"]).args(args);
    command.current_dir(workspace()).env("CARGO_TARGET_DIR", target_dir);
    if let Some(flags) = flags {
        command.env("RUSTFLAGS", flags);
    }
    eprintln!("building: {BUILD} {}", args.join(" "));
    match command.stdout(Stdio::null()).status()?.success() {
        true => Ok(()),
        false => Err("the command could not be built".into()),
    }
}

/// What the cargo that runs us says of this package. `ring` looks at it, and would be built anew, with all that needs
/// it, each time another package builds the command.
fn told_of_this_package() -> impl Iterator<Item = OsString> {
    let is_told = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    env::vars_os().map(|(name, _)| name).filter(is_told)
}

/// The cargo that runs us, if one does.
pub(crate) fn cargo_program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

pub(crate) fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

fn host() -> Outcome<String> {
    let output = Command::new(cargo_program()).arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("cargo does not tell its host")?.to_owned())
}

pub(crate) fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}
