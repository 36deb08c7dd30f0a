//! `exec`: a program that finds a token in its environment, and nothing else of ours.

use hallpass_dev::DevServer;
use hallpass_test::command::{CommandSandbox, Outcome};

use crate::new_sandbox;

fn signed_in() -> (CommandSandbox, DevServer) {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    (sandbox, server)
}

/// Runs a shell through `hallpass exec`.
fn shell(sandbox: &CommandSandbox, options: &[&str], script: &str) -> Outcome {
    sandbox.run(&[&["exec"], options, &["--", "/bin/sh", "-c", script]].concat())
}

#[test]
fn the_program_finds_the_token_and_its_exit_code_is_its_own() {
    let (sandbox, _server) = signed_in();
    let token = sandbox.value(&["token"]);
    assert_eq!(shell(&sandbox, &[], "echo \"$ACCESS_TOKEN\"").ok().value(), token);
    assert_eq!(
        shell(&sandbox, &["--env", "API_TOKEN"], "echo \"$API_TOKEN$ACCESS_TOKEN\"").ok().value(),
        token
    );
    assert_eq!(shell(&sandbox, &[], "exit 7").code, 7);
    assert_eq!(shell(&sandbox, &[], "kill -TERM $$").code, 143);
    let arguments = sandbox.run(&["exec", "/bin/echo", "--profile", "-v", "--", "a b"]).ok();
    assert_eq!(arguments.value(), "--profile -v -- a b");
}

#[test]
fn it_takes_the_place_of_the_command_and_pipes_break_as_ever() {
    let (sandbox, _server) = signed_in();
    let running = sandbox.hallpass(&["exec", "--", "/bin/sh", "-c", "echo $$"]).start();
    let pid = running.pid().to_string();
    assert_eq!(running.finish().ok().value(), pid);
    // A program that ignores SIGPIPE would never end here.
    let endless = "\"$0\" exec -- /bin/sh -c 'while echo y; do :; done' | head -n 1; echo over";
    let mut piped = std::process::Command::new("/bin/sh");
    piped.args(["-c", endless, env!("CARGO_BIN_EXE_hallpass")]);
    assert_eq!(sandbox.call(piped).run().ok().stdout, "y\nover\n");
}

#[test]
fn an_expired_token_is_renewed_first() {
    let (sandbox, _server) = signed_in();
    let before = sandbox.value(&["token"]);
    sandbox.let_expire_in("default", 0);
    let found = shell(&sandbox, &[], "echo \"$ACCESS_TOKEN\"").ok();
    assert!(found.value() != before && found.value() == sandbox.value(&["token"]));
}

#[test]
fn p69_no_other_secret_of_ours_is_in_the_programs_environment() {
    let (sandbox, _server) = signed_in();
    let sandbox = sandbox.with("HALLPASS_CLIENT_SECRET", "s3cret").with("HALLPASS_ACCESS_TOKEN", "0uts1de");
    let found =
        shell(&sandbox, &["--env", "T"], "env | grep -c s3cret; echo \"$T\"; env | grep -c 0uts1de").ok();
    assert_eq!(found.stdout, "0\n0uts1de\n1\n");
    let stored = shell(&sandbox, &["--profile", "default"], "env | grep -c 0uts1de; true").ok();
    assert_eq!(stored.stdout, "0\n");
}

#[test]
fn what_was_not_started_ends_with_125_and_says_why() {
    let (sandbox, _server) = signed_in();
    let refused = |args: &[&str], error: &str, hint: &str| {
        sandbox.run(&[&["exec"], args].concat()).fails(125, error, hint);
    };
    refused(&["--", "/nonexistent/program"], "cannot start /nonexistent/program", "check the path");
    refused(&["--env", "HALLPASS_ACCESS_TOKEN", "--", "true"], "is reserved for hallpass", "--env API_TOKEN");
    refused(&["--env", "hallpass_x", "--", "true"], "is reserved for hallpass", "--env API_TOKEN");
    for name in ["", "a=b", "1x", "a b", "ü"] {
        refused(&["--env", name, "--", "true"], "invalid variable name", "--env API_TOKEN");
    }
    refused(&["--issuer", "https://other.example", "--", "true"], "other.example", "");
    assert_eq!(sandbox.run(&["exec"]).code, 125);
    assert_eq!(sandbox.run(&["exec", "--frobnicate", "true"]).code, 125);
    assert_eq!(sandbox.run(&["exec", "--help"]).code, 0);
    sandbox.run(&["logout"]).ok();
    let started = shell(&sandbox, &[], "echo started");
    started.fails(125, "not signed in", "hallpass login");
}
