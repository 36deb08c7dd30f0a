//! `login --paste`: the answer from a pipe or a file. And a login that leaves the standard input alone.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::process::{Child, Stdio};

use hallpass_dev::DevServer;
use hallpass_test::command::{CommandSandbox, visit};
use serde_json::Value;

use crate::new_sandbox;

fn server() -> DevServer {
    DevServer::start().unwrap()
}

fn piped(sandbox: &CommandSandbox, server: &DevServer, args: &[&str]) -> Child {
    let mut command = sandbox.login_at(server, args).into_command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn landed(server: &DevServer, url: &str) -> String {
    server.robot().without_landing().visit(url).unwrap().landed.to_string()
}

#[test]
fn p17_an_answer_from_a_pipe_of_any_length_finishes_the_login() {
    let (sandbox, server) = (new_sandbox(), server());
    let mut child = piped(&sandbox, &server, &["--paste"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find(|line| line.starts_with("http")).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let padding = "x".repeat(64 << 10);
    writeln!(stdin, "\nwhat?\r\n{}&padding={padding}", landed(&server, &url)).unwrap();
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:#?}");
    assert!(rest.iter().any(|line| line.starts_with("That's not the sign-in URL.")), "{rest:#?}");
    assert!(!rest.concat().contains("padding"), "{rest:#?}");
}

#[test]
fn p68_a_parent_program_can_paste_for_its_person() {
    let (sandbox, server) = (new_sandbox(), server());
    let mut child = piped(&sandbox, &server, &["--paste", "--json"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "url" {
            let landed = landed(&server, event["url"].as_str().unwrap());
            write!(stdin, "{}\n{landed}\n", &landed[..30]).unwrap();
        }
        events.push(event);
    }
    assert!(child.wait().unwrap().success(), "{events:#?}");
    // Whether a code for another device is offered beside depends on where the test runs.
    events.retain(|event| event["event"] != "user_code");
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["store", "url", "waiting", "pasted", "ignored", "pasted", "exchanging", "done"],
        "{events:#?}"
    );
    assert_eq!(events[3]["characters"], 30);
}

#[test]
fn the_end_of_the_pipe_ends_the_pasting_and_nothing_else() {
    let (sandbox, server) = (new_sandbox(), server());
    for paste in [&["--paste"][..], &[]] {
        // The standard input of these calls is empty.
        sandbox.login_at(&server, paste).play(|url| visit(&server, url)).0.ok();
    }
}

#[test]
fn p68_a_standard_input_that_is_no_terminal_is_not_read_unasked() {
    let (sandbox, server) = (new_sandbox(), server());
    let path = sandbox.file("stdin", "for whoever comes next\n");
    let mut stdin = File::open(&path).unwrap();
    let mut command = sandbox.login_at(&server, &[]).into_command();
    let mut child = command.stdin(stdin.try_clone().unwrap()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.filter(|line| line.contains("/authorize?")).for_each(|url| drop(visit(&server, &url)));
    assert!(child.wait().unwrap().success());
    assert_eq!(stdin.stream_position().unwrap(), 0);
    let mut rest = String::new();
    stdin.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, fs::read_to_string(path).unwrap());
}

#[test]
fn an_input_that_never_ends_keeps_no_login_from_ending() {
    let (sandbox, server) = (new_sandbox(), server());
    let zeros = File::open("/dev/zero").unwrap();
    let login = sandbox.login_at(&server, &["--paste", "--timeout", "2s"]);
    let output = login.into_command().stdin(zeros).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
}
