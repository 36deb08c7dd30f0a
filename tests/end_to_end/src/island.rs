//! A system of its own for one test: what it calls other computers, and a network without any.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The namespaces that `unshare` makes. A user namespace allows the other two without root.
type Kind = &'static [&'static str];
const KINDS: [Kind; 2] = [&["--mount", "--net"], &["--map-root-user", "--mount", "--net"]];

const SET_UP: &str = "set -e
for file in hosts resolv.conf nsswitch.conf; do mount --bind \"$0/$file\" \"/etc/$file\"; done
ip link set lo up
exec \"$@\"";

/// Mount and network namespaces in which `/etc/hosts`, and whatever name server the test starts on 127.0.0.1, are
/// all that knows names.
pub struct Island {
    etc: TempDir,
    kind: Kind,
}

impl Island {
    /// One whose `/etc/hosts` says of `name` that it is this computer.
    ///
    /// # Errors
    ///
    /// Why this system does not permit it.
    pub fn with_host(name: &str) -> Result<Island, String> {
        let etc = tempfile::tempdir().expect("a temporary folder");
        let write = |file, text: &str| std::fs::write(etc.path().join(file), text).expect("written");
        write("hosts", &format!("127.0.0.1 localhost {name}\n"));
        write("resolv.conf", "nameserver 127.0.0.1\n");
        write("nsswitch.conf", "hosts: files dns\n");
        let kind = permitted(etc.path(), KINDS[0]).or_else(|_| permitted(etc.path(), KINDS[1]))?;
        Ok(Island { etc, kind })
    }

    /// A program that will run there.
    pub fn command(&self, program: &Path) -> Command {
        command(self.etc.path(), self.kind, program)
    }
}

fn command(etc: &Path, kind: Kind, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(kind).args(["sh", "-c", SET_UP]).arg(etc).arg(program);
    command
}

fn permitted(etc: &Path, kind: Kind) -> Result<Kind, String> {
    let output =
        command(etc, kind, Path::new("true")).output().map_err(|error| format!("unshare: {error}"))?;
    let why = || String::from_utf8_lossy(&output.stderr).trim_end().replace('\n', "; ");
    output.status.success().then_some(kind).ok_or_else(why)
}
