//! A foreign server that does not start fails its test in time and with what it printed.

use std::process::Command;
use std::time::Duration;

use hallpass_end_to_end::Server;

/// Long enough for a shell on a busy machine.
const LIMIT: Duration = Duration::from_secs(3);

#[test]
fn a_server_that_hangs_is_ended_and_its_log_is_shown() {
    let why = failure("echo making keys >&2; exec sleep 600");
    assert!(why.contains("printed nothing within 3s"), "{why}");
    assert!(why.ends_with("Its log:\nmaking keys\n"), "{why}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_hangs_is_shown_with_its_threads() {
    let why = failure("exec sleep 600");
    assert!(why.contains("its threads: sleep (S"), "{why}");
}

#[test]
fn a_server_that_ends_early_is_not_waited_for() {
    let why = failure("echo the port is taken >&2; exit 3");
    assert!(why.contains("ended before it said where it listens"), "{why}");
    assert!(why.ends_with("Its log:\nthe port is taken\n"), "{why}");
}

#[test]
fn a_server_that_prints_anything_but_json_is_quoted() {
    let why = failure("echo hello; echo no JSON >&2; exec cat >/dev/null");
    assert!(why.contains(r#"printed "hello":"#), "{why}");
}

fn failure(script: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    match Server::start_within(LIMIT, command) {
        Ok(server) => panic!("it started, and is at {}", server.issuer()),
        Err(why) => why,
    }
}
