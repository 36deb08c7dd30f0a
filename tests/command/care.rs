//! Losses that the command reports instead of ignoring them: output that was not written, a setting with a mistake, the
//! other profiles.

use std::fs::{self, OpenOptions};

use hallpass_dev::{Client, DevServer};
use hallpass_test::command::visit;
use serde_json::{Value, json};

use crate::new_sandbox;

fn server() -> DevServer {
    DevServer::start().unwrap()
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    for args in [&["token"][..], &["status", "--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = sandbox.hallpass(args).into_command().stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cannot write to stdout"), "{stderr}");
    }
}

#[test]
fn p70_a_profile_that_cannot_be_erased_keeps_no_other_signed_in() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    fs::create_dir(sandbox.record_file("a")).unwrap();
    let logout = sandbox.run(&["logout", "--all"]);
    assert_eq!(logout.code, 8, "{logout:#?}");
    assert!(!sandbox.record_file("default").exists(), "{logout:#?}");
    assert_eq!(server.journal().count("/revoke"), 2);
}

/// A server that asks for the client's secret before it revokes, and a sign-in that never had one.
#[test]
fn p70_a_logout_that_the_server_refuses_for_want_of_a_secret_says_what_lives_on() {
    let client = Client::confidential("cli", "the secret").redirect_uri("http://127.0.0.1/callback");
    let (sandbox, server) = (new_sandbox(), DevServer::builder().client(client).start().unwrap());
    let secret = sandbox.file("secret", "the secret");
    let login =
        sandbox.login(&["--issuer", server.issuer(), "--client-id=cli", "--client-secret-file", &secret]);
    login.play(|url| visit(&server, url)).0.ok();
    for args in [&["logout"][..], &["logout", "--json"]] {
        let record = sandbox.record_bytes("default");
        sandbox.edit("default", |record| {
            record["auth_method"] = "none".into();
            record["secret"]["client_secret"] = Value::Null;
        });
        let until = sandbox.record("default")["access"][0]["expires_at"].as_str().unwrap().to_owned();
        let logout = sandbox.run(args);
        assert_eq!(logout.code, 5, "{logout:#?}");
        assert!(!sandbox.record_file("default").exists());
        if args.len() == 1 {
            let start = "Logged out here, but the server does not revoke tokens for a client without a secret: invalid_client";
            let end = format!("until the server ends the session, the access token until {until}.\n");
            assert!(logout.stderr.starts_with(start) && logout.stderr.ends_with(&end), "{logout:#?}");
        } else {
            assert_eq!(
                logout.json()["revoked"],
                json!({"refresh_token": "failed", "access_token": "failed"})
            );
        }
        fs::write(sandbox.record_file("default"), record).unwrap();
    }
    sandbox.run(&["token", "--refresh"]).ok();
}

#[test]
fn a_mistake_in_a_settings_file_is_told_and_keeps_nothing_from_being_renewed_or_revoked() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    fs::write(sandbox.config_dir().join("config.toml"), "isuer = \"x\"").unwrap();
    let token = sandbox.run(&["token", "--refresh"]).ok();
    assert!(token.stderr.contains("Note: ") && token.stderr.contains("isuer"), "{token:#?}");
    sandbox.run(&["logout"]).ok();
    assert_eq!(server.journal().count("/revoke"), 2);
}

#[test]
fn a_token_from_outside_with_a_line_end_is_refused() {
    let sandbox = new_sandbox();
    let token = sandbox.hallpass(&["token", "--header"]).env("HALLPASS_ACCESS_TOKEN", "a\r\nX-Evil: 1").run();
    token.fails(2, "HALLPASS_ACCESS_TOKEN", "line break");
}

#[test]
fn p68_the_hint_names_the_profile_that_was_meant() {
    let sandbox = new_sandbox();
    sandbox.run(&["token", "--profile", "work"]).fails(4, "not signed in", "hallpass login --profile work");
    let named = sandbox.hallpass(&["token"]).env("HALLPASS_PROFILE", "work").run();
    named.fails(4, "not signed in", "hallpass login --profile work");
}

#[test]
fn if_needed_goes_by_the_scopes_that_were_named() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &["--scope", "openid"]);
    sandbox.run(&["login", "--if-needed", "--scope", "openid"]).ok();
    assert_eq!(server.journal().count("/token"), 1);
    let (login, _) = sandbox
        .login_at(&server, &["--if-needed", "--scope", "openid email"])
        .play(|url| visit(&server, url));
    login.ok();
    assert_eq!(server.journal().count("/token"), 2);
}
