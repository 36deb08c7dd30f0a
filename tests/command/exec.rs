//! `exec`: a program that finds a token in its environment, and nothing else of ours.

use hallpass_dev::DevServer;

use crate::bench::{Bench, Outcome};

fn signed_in() -> (Bench, DevServer) {
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    bench.sign_in(&server, &[]);
    (bench, server)
}

/// What a shell prints that was started by it.
fn shell(bench: &Bench, options: &[&str], script: &str) -> Outcome {
    bench.run(&[&["exec"], options, &["--", "/bin/sh", "-c", script]].concat())
}

#[test]
fn the_program_finds_the_token_and_its_exit_code_is_its_own() {
    let (bench, _server) = signed_in();
    let token = bench.value(&["token"]);
    assert_eq!(shell(&bench, &[], "echo \"$ACCESS_TOKEN\"").ok().value(), token);
    assert_eq!(
        shell(&bench, &["--env", "API_TOKEN"], "echo \"$API_TOKEN$ACCESS_TOKEN\"").ok().value(),
        token
    );
    assert_eq!(shell(&bench, &[], "exit 7").code, 7);
    assert_eq!(shell(&bench, &[], "kill -TERM $$").code, 143);
    let arguments = bench.run(&["exec", "/bin/echo", "--profile", "-v", "--", "a b"]).ok();
    assert_eq!(arguments.value(), "--profile -v -- a b");
}

#[test]
fn it_takes_the_place_of_the_command_and_pipes_break_as_ever() {
    let (bench, _server) = signed_in();
    let running = bench.hallpass(&["exec", "--", "/bin/sh", "-c", "echo $$"]).start();
    let pid = running.pid().to_string();
    assert_eq!(running.finish().ok().value(), pid);
    // A program that ignores SIGPIPE would never end here.
    let endless = "\"$0\" exec -- /bin/sh -c 'while echo y; do :; done' | head -n 1; echo over";
    let mut piped = std::process::Command::new("/bin/sh");
    piped.args(["-c", endless, env!("CARGO_BIN_EXE_hallpass")]);
    assert_eq!(bench.call(piped).run().ok().stdout, "y\nover\n");
}

#[test]
fn an_expired_token_is_renewed_first() {
    let (bench, _server) = signed_in();
    let before = bench.value(&["token"]);
    bench.let_expire_in("default", 0);
    let found = shell(&bench, &[], "echo \"$ACCESS_TOKEN\"").ok();
    assert!(found.value() != before && found.value() == bench.value(&["token"]));
}

#[test]
fn p69_no_other_secret_of_ours_is_in_the_programs_environment() {
    let (bench, _server) = signed_in();
    let bench = bench.with("HALLPASS_CLIENT_SECRET", "s3cret").with("HALLPASS_ACCESS_TOKEN", "0uts1de");
    let found =
        shell(&bench, &["--env", "T"], "env | grep -c s3cret; echo \"$T\"; env | grep -c 0uts1de").ok();
    assert_eq!(found.stdout, "0\n0uts1de\n1\n");
    let stored = shell(&bench, &["--profile", "default"], "env | grep -c 0uts1de; true").ok();
    assert_eq!(stored.stdout, "0\n");
}

#[test]
fn what_was_not_started_ends_with_125_and_says_why() {
    let (bench, _server) = signed_in();
    let refused = |args: &[&str], error: &str, hint: &str| {
        bench.run(&[&["exec"], args].concat()).fails(125, error, hint);
    };
    refused(&["--", "/nonexistent/program"], "cannot start /nonexistent/program", "check that it exists");
    refused(&["--env", "HALLPASS_ACCESS_TOKEN", "--", "true"], "is reserved for hallpass", "--env API_TOKEN");
    refused(&["--env", "hallpass_x", "--", "true"], "is reserved for hallpass", "--env API_TOKEN");
    for name in ["", "a=b", "1x", "a b", "ü"] {
        refused(&["--env", name, "--", "true"], "invalid variable name", "--env API_TOKEN");
    }
    refused(&["--issuer", "https://other.example", "--", "true"], "other.example", "");
    assert_eq!(bench.run(&["exec"]).code, 125);
    assert_eq!(bench.run(&["exec", "--frobnicate", "true"]).code, 125);
    assert_eq!(bench.run(&["exec", "--help"]).code, 0);
    bench.run(&["logout"]).ok();
    let started = shell(&bench, &[], "echo started");
    started.fails(125, "not signed in", "hallpass login");
}
