//! Signing in on another device (RFC 8628).

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, EMAIL};
use serde_json::Value;

use crate::new_sandbox;

fn server() -> DevServer {
    DevServer::builder().device_interval(Duration::from_secs(1)).start().unwrap()
}

/// Runs `login --device --json`, and does what the person does once the code is there; the events and the exit code.
fn login(
    sandbox: &CommandSandbox,
    server: &DevServer,
    args: &[&str],
    person: impl FnOnce(&Value),
) -> (Vec<Value>, i32) {
    let all =
        [&["login", "--device", "--json", "--issuer", server.issuer(), "--client-id", CLIENT], args].concat();
    let mut command = sandbox.hallpass(&all).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut events = Vec::new();
    let mut person = Some(person);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "user_code"
            && let Some(person) = person.take()
        {
            person(&event);
        }
        events.push(event);
    }
    (events, child.wait().unwrap().code().unwrap())
}

fn text<'a>(event: &'a Value, member: &str) -> &'a str {
    event[member].as_str().unwrap_or_else(|| panic!("{member}: {event}"))
}

#[test]
fn p16_n97_a_code_typed_on_another_device_signs_in_here() {
    let (sandbox, server) = (new_sandbox(), server());
    let (events, code) = login(&sandbox, &server, &[], |event| {
        server.robot().approve_device(text(event, "verification_uri"), text(event, "user_code")).unwrap();
    });
    assert_eq!(code, 0, "{events:#?}");
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["user"]["email"]), (&"done".into(), &EMAIL.into()));
    assert!(done["renewable"].as_bool().unwrap());
    assert!(sandbox.opened().is_empty());
    assert!(sandbox.run(&["token", "--refresh"]).ok().value().len() > 20);
    assert!(sandbox.run(&["logout"]).ok().stderr.contains("revoked"));
}

#[test]
fn p26_n99_the_text_names_the_server_and_warns_and_the_complete_address_is_no_substitute_for_the_code() {
    let (sandbox, server) = (new_sandbox(), server());
    let (events, code) = login(&sandbox, &server, &[], |event| {
        server.visit(text(event, "verification_uri_complete")).unwrap();
    });
    assert_eq!(code, 0, "{events:#?}");
    let mut call = sandbox.hallpass(&[
        "login",
        "--device",
        "--issuer",
        server.issuer(),
        "--client-id",
        CLIENT,
        "--timeout",
        "2s",
    ]);
    call = call.env("NO_COLOR", "1");
    let outcome = call.run();
    outcome.fails(7, "timed out", "--timeout");
    assert!(
        outcome.stderr.contains("Enter the code only if you started this sign-in to 127.0.0.1"),
        "{outcome:#?}"
    );
    let address = format!("\n{}/device\n", server.issuer());
    assert!(outcome.stderr.contains(&address), "{outcome:#?}");
    assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains('█'), "no picture in a pipe");
}

#[test]
fn p25_n96_a_person_who_says_no_ends_it() {
    let (sandbox, server) = (new_sandbox(), server());
    let (events, code) = login(&sandbox, &server, &[], |event| {
        let robot = server.robot().deny();
        robot.approve_device(text(event, "verification_uri"), text(event, "user_code")).unwrap();
    });
    assert_eq!(code, 6, "{events:#?}");
    assert!(!sandbox.record_file("default").exists());
}

#[test]
fn p25_a_code_that_expires_is_followed_by_a_new_one() {
    let brief = DevServer::builder().device_interval(Duration::from_secs(1));
    let (sandbox, server) = (new_sandbox(), brief.device_code_ttl(Duration::from_secs(3)).start().unwrap());
    let (events, code) = login(&sandbox, &server, &["--timeout", "9s"], |_| {});
    assert_eq!(code, 7, "{events:#?}");
    let codes: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "user_code")
        .map(|event| text(event, "user_code"))
        .collect();
    assert!(codes.len() >= 2 && codes[0] != codes[1], "{codes:?}");
}

#[test]
fn p25_n94_the_server_never_has_to_ask_for_patience() {
    let (sandbox, server) = (new_sandbox(), server());
    let (_, code) = login(&sandbox, &server, &["--timeout", "8s"], |_| {});
    assert_eq!(code, 7);
    let polls = server.journal().requests_to("/token");
    assert!((3..=5).contains(&polls.len()), "{}", polls.len());
    for pair in polls.windows(2) {
        assert!(pair[1].when - pair[0].when > Duration::from_millis(1500), "a second, and one to spare");
    }
}

#[test]
fn p26_where_it_is_switched_off_it_is_never_asked_for() {
    let (sandbox, server) = (new_sandbox(), server());
    std::fs::create_dir_all(sandbox.config_dir()).unwrap();
    std::fs::write(sandbox.config_dir().join("config.toml"), "device = \"off\"\n").unwrap();
    let args = ["login", "--device", "--issuer", server.issuer(), "--client-id", CLIENT];
    sandbox.run(&args).fails(2, "is disabled", "hallpass login");
    assert_eq!(server.journal().count("/device_authorization"), 0);
}

#[test]
fn a_server_without_it_is_named_before_anybody_waits() {
    let (sandbox, server) = (new_sandbox(), server());
    let token = format!("token={}/token", server.issuer());
    let authorization = format!("authorization={}/authorize", server.issuer());
    let other = "device_authorization=http://127.0.0.1:1/device";
    let at = ["login", "--device", "--issuer", server.issuer(), "--client-id", CLIENT];
    let by_hand =
        [&at[..], &["--endpoint", &token, "--endpoint", &authorization, "--endpoint", other]].concat();
    assert_eq!(sandbox.run(&by_hand).code, 5);
    assert!(!sandbox.record_file("default").exists());
}
