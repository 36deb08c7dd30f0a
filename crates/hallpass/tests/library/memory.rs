//! Tokens that are left in the memory of a process that no longer uses them, as another process finds them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hallpass::{Environment, Hallpass};
use hallpass_test::library::{LibrarySandbox, SERVICE};
use hallpass_test::provider::{CANARY, Provider};

const STATE_DIR: &str = "HALLPASS_TEST_STATE_DIR";

/// Searches memory at the moment it is freed, because freed memory can be overwritten before a later search.
struct Watching;

#[global_allocator]
static ALLOCATOR: Watching = Watching;
static IS_WATCHING: AtomicBool = AtomicBool::new(false);
static LEFT: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator")]
// SAFETY: everything is the system's. Memory is zeroed, so that there is none without a value.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_WATCHING.load(Ordering::Relaxed) {
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            LEFT.fetch_add(usize::from(contains(bytes, CANARY.as_bytes())), Ordering::Relaxed);
        }
        unsafe { System.dealloc(block, layout) }
    }
}

/// The watched process: takes a token, holds it and drops it, one step for each line on its stdin.
fn take_hold_and_drop(state_dir: &Path) {
    IS_WATCHING.store(true, Ordering::Relaxed);
    let (steps, mut stdout) = (std::io::stdin().lines(), std::io::stdout());
    let mut token = None;
    let mut pass = None;
    for (step, _) in steps.enumerate() {
        match step {
            0 => {
                let stored = Hallpass::stored(SERVICE).state_dir(state_dir);
                let stored = stored.environment(Environment::from_variables([])).build().unwrap();
                token = Some(stored.access_token().unwrap());
                pass = Some(stored);
            }
            _ => {
                drop((token.take(), pass.take()));
                assert_eq!(LEFT.load(Ordering::Relaxed), 0, "memory with tokens in it was given back");
            }
        }
        stdout.write_all(b"done\n").unwrap();
    }
}

/// The process that is looked at.
struct Watched {
    child: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watched {
    fn start(test: &str, state_dir: &Path) -> Watched {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(STATE_DIR, state_dir);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Watched { child, answers }
    }

    fn step(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        assert!(self.answers.by_ref().any(|line| line.unwrap().ends_with("done")), "it ended");
    }

    /// Whether it has this anywhere that it can write to.
    fn holds(&self, secret: &str) -> bool {
        let process = format!("/proc/{}", self.child.id());
        let maps = fs::read_to_string(format!("{process}/maps")).unwrap();
        let memory = File::open(format!("{process}/mem")).unwrap();
        let regions =
            maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")));
        regions.filter_map(|line| region(&memory, line)).any(|bytes| contains(&bytes, secret.as_bytes()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn region(memory: &File, line: &str) -> Option<Vec<u8>> {
    let (from, to) = line.split(' ').next()?.split_once('-')?;
    let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
    let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
    memory.read_exact_at(&mut bytes, from).ok()?; // some of the kernel's own cannot be read
    Some(bytes)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A process that takes a token and drops it, looked at in between and afterwards.
fn forgets(test: &str, sandbox: &LibrarySandbox, secrets: impl Fn() -> Vec<String>) {
    let mut watched = Watched::start(test, &sandbox.state_dir());
    watched.step();
    let secrets = secrets();
    assert!(watched.holds(&secrets[0]), "the look at its memory finds nothing");
    watched.step();
    for (number, secret) in secrets.iter().enumerate() {
        assert!(!watched.holds(secret), "secret {number} is still there");
    }
}

/// The access token first.
fn secrets(sandbox: &LibrarySandbox) -> Vec<String> {
    let record = sandbox.record();
    let secret = &record["secret"];
    let secrets = [&secret["access_tokens"][0], &secret["refresh_token"], &secret["id_token"]];
    secrets.map(|value| value.as_str().unwrap().to_owned()).to_vec()
}

#[test]
fn p69_no_token_stays_in_memory_once_it_is_dropped() {
    const NAME: &str = "memory::p69_no_token_stays_in_memory_once_it_is_dropped";
    if let Some(state_dir) = std::env::var_os(STATE_DIR) {
        return take_hold_and_drop(Path::new(&state_dir));
    }
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    forgets(NAME, &sandbox, || secrets(&sandbox));
}

#[test]
fn p69_neither_does_one_that_was_renewed() {
    const NAME: &str = "memory::p69_neither_does_one_that_was_renewed";
    if let Some(state_dir) = std::env::var_os(STATE_DIR) {
        return take_hold_and_drop(Path::new(&state_dir));
    }
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let spent = secrets(&sandbox);
    sandbox.edit(|record| record["access"][0]["expires_at"] = "2001-01-01T00:00:00Z".into());
    forgets(NAME, &sandbox, || [secrets(&sandbox), spent.clone()].concat());
}
