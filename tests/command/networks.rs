//! Networks that a test makes: each has a loopback interface of its own, and nothing else.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use hallpass_test::command::{CommandSandbox, Invocation};
use hallpass_test::skipped;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::users::is_root;

/// Tells a test that it runs in a network of its own already.
const APART: &str = "HALLPASS_TEST_APART";
const LOOPBACK_UP: &str = "ip link set lo up";

/// Does a test's work in a network of its own, as somebody who may make more of them, by running this program there for
/// that test alone.
pub(crate) fn apart(test: &str, work: fn()) {
    if std::env::var_os(APART).is_some() {
        return work();
    }
    if let Err(why) = permitted() {
        return skipped(&format!("{test}: no network can be made here: {why}"));
    }
    let this_program = std::env::current_exe().unwrap();
    let mut command = in_new_network(&this_program);
    let output = command.args(["--exact", test, "--nocapture"]).env(APART, "1").output().unwrap();
    let talk =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    // A name that no test has would be as good as a success.
    assert!(output.status.success() && talk.contains("1 passed"), "apart:\n{talk}");
    talk.lines().filter_map(|line| line.strip_prefix("SKIPPED: ")).for_each(skipped);
}

fn in_new_network(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(if is_root() { &[][..] } else { &["--map-root-user"] });
    command.args(["--net", "--mount", "sh", "-c", &format!("{LOOPBACK_UP} && exec \"$@\""), "sh"]);
    command.arg(program);
    command
}

fn permitted() -> Result<(), String> {
    let output = in_new_network(Path::new("true")).output().map_err(|error| format!("unshare: {error}"))?;
    let why = || String::from_utf8_lossy(&output.stderr).trim_end().replace('\n', "; ");
    output.status.success().then_some(()).ok_or_else(why)
}

/// One network. What was made for it ends with this value or with the test.
pub(crate) struct Network {
    file: File,
    holder: Option<Child>,
}

impl Network {
    /// The one that the test is in.
    pub(crate) fn here() -> Network {
        Network { file: File::open("/proc/self/ns/net").unwrap(), holder: None }
    }

    /// A new one.
    pub(crate) fn new() -> Network {
        Network::changed_by("true").unwrap()
    }

    /// A new one that a shell's commands have changed; what they said where they could not.
    pub(crate) fn changed_by(script: &str) -> Result<Network, String> {
        let script = format!("({LOOPBACK_UP} && {script}) 2>&1 && echo ready && exec cat");
        let mut unshare = Command::new("unshare");
        unshare.args(["--net", "sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = unshare.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let _ = holder.wait();
            return Err(line.trim().to_owned());
        }
        let file = File::open(format!("/proc/{}/ns/net", holder.id())).unwrap();
        Ok(Network { file, holder: Some(holder) })
    }

    /// Does something there.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let there = || {
            enter(&self.file);
            work()
        };
        thread::scope(|scope| scope.spawn(there).join().unwrap())
    }

    /// The command there.
    pub(crate) fn hallpass<'a>(&self, sandbox: &'a CommandSandbox, args: &[&str]) -> Invocation<'a> {
        sandbox.call(self.command(&[], args))
    }

    /// The command there, where a file takes the place of `/etc/hosts`.
    pub(crate) fn hallpass_with_hosts<'a>(
        &self,
        sandbox: &'a CommandSandbox,
        hosts: &str,
        args: &[&str],
    ) -> Invocation<'a> {
        let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
        sandbox.call(self.command(&["unshare", "--mount", "sh", "-c", script, hosts], args))
    }

    fn command(&self, before: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path("ns/net"))).arg("--").args(before);
        command.arg(env!("CARGO_BIN_EXE_hallpass")).args(args);
        command
    }

    /// Something that the system tells of this network.
    pub(crate) fn path(&self, name: &str) -> String {
        let holder = self.holder.as_ref().map_or_else(|| "self".to_owned(), |holder| holder.id().to_string());
        format!("/proc/{holder}/{name}")
    }

    /// Forwards a port as `ssh -L` and a container's published port do: from `from` here to `to` there.
    pub(crate) fn forward(&self, from: SocketAddr, there: &Network, to: SocketAddr) {
        let socket = self.inside(|| TcpListener::bind(from).unwrap());
        let there = there.file.try_clone().unwrap();
        thread::spawn(move || {
            enter(&there);
            for client in socket.incoming().flatten() {
                // Where nobody listens, the connection is closed.
                let _ = TcpStream::connect(to).map(|server| join(client, server));
            }
        });
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

fn enter(network: &File) {
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

/// Hands on in both directions, each as long as there is something.
fn join(client: TcpStream, server: TcpStream) {
    for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
