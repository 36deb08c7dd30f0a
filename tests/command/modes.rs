//! Other users cannot read the stored files at any moment, whatever the umask is.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use hallpass_dev::DevServer;
use hallpass_test::command::timed_signal::{can_trace, traced};
use hallpass_test::command::{CLIENT, CommandSandbox, Invocation, visit};

use crate::new_sandbox;

const UMASKS: [&str; 4] = ["000", "002", "022", "077"];

/// The command under a umask.
fn under<'a>(sandbox: &'a CommandSandbox, umask: &str, args: &[&str]) -> Invocation<'a> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask \"$0\"; exec \"$@\"", umask, env!("CARGO_BIN_EXE_hallpass")]).args(args);
    sandbox.call(command)
}

fn login(sandbox: &CommandSandbox, server: &DevServer) -> Vec<String> {
    let browser = format!("--browser={}", sandbox.browser());
    ["login", &browser, "--issuer", server.issuer(), "--client-id", CLIENT].map(str::to_owned).into()
}

fn mode(path: &Path) -> Option<u32> {
    Some(fs::symlink_metadata(path).ok()?.permissions().mode() & 0o777)
}

/// Everything below a folder with a mode that lets others in.
fn open_to_others(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(mode) = mode(&path) else { continue }; // it went meanwhile
        if mode & 0o077 != 0 {
            found.push((path.clone(), mode));
        }
        if path.is_dir() {
            found.extend(open_to_others(&path));
        }
    }
    found
}

/// Looks again and again, as somebody would who waits for the moment.
struct Watcher {
    is_over: Arc<AtomicBool>,
    seen: JoinHandle<Vec<(PathBuf, u32)>>,
}

impl Watcher {
    fn over(dir: PathBuf) -> Watcher {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let seen = thread::spawn(move || {
            let mut seen = Vec::new();
            while !over.load(Ordering::SeqCst) {
                seen.extend(open_to_others(&dir));
            }
            seen
        });
        Watcher { is_over, seen }
    }

    fn seen(self) -> Vec<(PathBuf, u32)> {
        self.is_over.store(true, Ordering::SeqCst);
        self.seen.join().unwrap()
    }
}

#[test]
fn n85_p42_no_watcher_sees_a_file_or_a_folder_that_is_open_to_others() {
    let server = DevServer::start().unwrap();
    for umask in UMASKS {
        let sandbox = new_sandbox();
        let watcher = Watcher::over(sandbox.home());
        let arguments = login(&sandbox, &server);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for _ in 0..2 {
            under(&sandbox, umask, &arguments).play(|url| visit(&server, url)).0.ok();
            under(&sandbox, umask, &["token", "--refresh"]).run().ok();
        }
        assert_eq!(mode(&sandbox.record_file("default")), Some(0o600));
        assert_eq!(watcher.seen(), [], "{umask}");
    }
}

/// The calls that make a file or a folder or change its mode, with that mode.
fn made(log: &str) -> Vec<(String, u32)> {
    let makes = |line: &&str| line.contains("O_CREAT") || line.contains("mkdir") || line.contains("chmod");
    let mode = |line: &str| {
        let number = line.rsplit_once(')')?.0.rsplit(", ").next()?;
        Some((line.to_owned(), u32::from_str_radix(number, 8).ok()?))
    };
    log.lines().filter(makes).filter_map(mode).collect()
}

#[test]
fn n85_p42_every_file_is_made_for_its_owner_alone_and_not_by_a_later_change() {
    if !can_trace() {
        return;
    }
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let log = sandbox.beside("calls");
    let follow = ["-f", "-e", "trace=file,desc", "-o", log.to_str().unwrap()];
    let mut calls = Vec::new();
    for args in [login(&sandbox, &server), vec!["token".to_owned(), "--refresh".to_owned()]] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let command = traced(&under(&sandbox, "000", &args).into_command(), &follow);
        let call = sandbox.call(command);
        if args[0] == "login" {
            call.play(|url| visit(&server, url)).0.ok()
        } else {
            call.run().ok()
        };
        calls.extend(made(&fs::read_to_string(&log).unwrap()));
    }
    let below_home = |call: &&(String, u32)| call.0.contains(sandbox.home().to_str().unwrap());
    let ours: Vec<_> = calls.iter().filter(below_home).collect();
    assert!(ours.len() >= 6, "{ours:#?}");
    assert!(ours.iter().all(|(_, mode)| mode & 0o077 == 0), "{ours:#?}");
}

#[test]
fn n85_p42_a_record_that_others_can_read_is_closed_to_them_and_told() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    for loose in [0o644, 0o660, 0o604] {
        fs::set_permissions(sandbox.record_file("default"), Permissions::from_mode(loose)).unwrap();
        let token = sandbox.run(&["-v", "token"]).ok();
        assert!(token.stderr.contains("changed its mode to 0600"), "{token:#?}");
        assert_eq!(mode(&sandbox.record_file("default")), Some(0o600));
    }
}
