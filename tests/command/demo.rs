//! `hallpass demo`: all of it, on this machine alone, and nothing left behind.

use hallpass_test::command::{EMAIL, Outcome};

use crate::new_sandbox;

/// The lines of the demo, in order.
const NARRATION: [&str; 9] = [
    "A development server is running at http://127.0.0.1:",
    "A robot stands in for you and your browser.",
    "Opening browser for authentication...",
    "Waiting for callback on http://127.0.0.1:",
    "Successfully logged in!",
    "whoami   Logged in as: test@example.com",
    "token    Refreshed: a new access token, and a new refresh token",
    "logout   Revoked both tokens at the server and deleted the saved credentials",
    "Nothing is left on this machine.",
];

#[track_caller]
fn is_told_in_order(demo: &Outcome) {
    let mut rest = demo.stderr.as_str();
    for text in NARRATION {
        let found = rest.find(text).unwrap_or_else(|| panic!("no {text:?} (in this order): {demo:#?}"));
        rest = &rest[found + text.len()..];
    }
    assert_eq!(demo.stdout, "");
}

#[test]
fn without_a_person_it_plays_by_itself_and_leaves_nothing_behind() {
    for args in [&["demo", "--headless"][..], &["demo"]] {
        let sandbox = new_sandbox();
        let demo = sandbox.run(args).ok();
        is_told_in_order(&demo);
        assert!(sandbox.is_untouched(), "{args:?}");
    }
}

#[test]
fn in_ci_and_in_a_pipe_no_browser_is_opened() {
    let sandbox = new_sandbox();
    let with_browser = sandbox.hallpass(&["demo"]).env("BROWSER", &sandbox.browser()).env("DISPLAY", ":0");
    is_told_in_order(&with_browser.run().ok());
    is_told_in_order(&sandbox.hallpass(&["demo"]).env("CI", "true").run().ok());
    assert!(sandbox.opened().is_empty());
}

#[test]
fn with_json_every_step_is_one_line() {
    let sandbox = new_sandbox();
    let demo = sandbox.run(&["demo", "--headless", "--json"]).ok();
    let events = demo.events();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let expected = ["server", "store", "url", "waiting", "exchanging", "whoami", "refreshed", "logged_out"];
    assert_eq!(names, expected);
    assert_eq!(events[5]["user"]["email"], EMAIL);
    assert_eq!(events[7]["report"]["revoked"]["refresh_token"], "revoked");
    assert_eq!(demo.stderr, "");
    assert!(sandbox.is_untouched());
}

#[test]
fn it_does_not_touch_a_sign_in_that_is_there() {
    let (sandbox, server) = (new_sandbox(), hallpass_dev::DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    let before = sandbox.files();
    sandbox.run(&["demo", "--headless"]).ok();
    assert_eq!(sandbox.files(), before);
}

#[test]
fn the_variables_of_a_stored_session_have_no_part_in_it() {
    let sandbox = new_sandbox();
    let variables = [
        ("HALLPASS_ACCESS_TOKEN", "from-outside"),
        ("HALLPASS_ISSUER", "https://a.example"),
        ("HALLPASS_PROFILE", "work"),
        ("HALLPASS_STATE_DIR", "/nonexistent"),
    ];
    is_told_in_order(&sandbox.hallpass(&["demo", "--headless"]).envs(&variables).run().ok());
}
