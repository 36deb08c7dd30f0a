//! Places that only a mount can make: a disk that is small, a home that is read-only.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hallpass_test::command::{CommandSandbox, Invocation};
use hallpass_test::skipped;

use crate::users::is_root;

/// A mount namespace with one mount in it. A process holds it, which ends with this value or with the test.
pub(crate) struct Mounts {
    holder: Child,
}

impl Mounts {
    /// A disk of its own at `dir`, of this many KiB and with this many files at most.
    pub(crate) fn small_disk(dir: &Path, kibibytes: u32, files: u32) -> Option<Mounts> {
        fs::create_dir_all(dir).unwrap();
        let options = format!("size={kibibytes}k,nr_inodes={files},mode=0700");
        Mounts::made("mount -t tmpfs -o \"$1\" tmpfs \"$0\"", dir, &options)
    }

    /// `dir`, where nobody may write, root neither.
    pub(crate) fn read_only(dir: &Path) -> Option<Mounts> {
        Mounts::made("mount --bind \"$0\" \"$0\" && mount -o \"remount,bind,$1\" \"$0\"", dir, "ro")
    }

    /// Nothing, and a word about it, where the system does not permit it.
    fn made(script: &str, dir: &Path, options: &str) -> Option<Mounts> {
        let mut unshare = Command::new("unshare");
        unshare.args(if is_root() { &["--mount"][..] } else { &["--map-root-user", "--mount"] });
        unshare.args(["sh", "-c", &format!("{script} && echo ready && exec cat")]).arg(dir).arg(options);
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = unshare.process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line == "ready\n" {
            return Some(Mounts { holder });
        }
        holder.stderr.take().unwrap().read_to_string(&mut line).unwrap();
        let _ = holder.wait();
        skipped(&format!("no mount can be made here: {}", line.trim()));
        None
    }

    /// The command there.
    pub(crate) fn hallpass<'a>(&self, sandbox: &'a CommandSandbox, args: &[&str]) -> Invocation<'a> {
        let mut command = Command::new("nsenter");
        let own = ["--user", "--preserve-credentials"];
        command.args(if is_root() { &[][..] } else { &own }).arg("--mount");
        command.args(["--target", &self.holder.id().to_string(), "--"]);
        command.arg(env!("CARGO_BIN_EXE_hallpass")).args(args);
        sandbox.call(command)
    }

    /// A path there, as it is reached from here.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(path.strip_prefix("/").unwrap())
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
