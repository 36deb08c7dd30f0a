//! What a person would otherwise lose without a word: an answer that was not written, a setting with a mistake, the
//! other profiles.

use std::fs::{self, OpenOptions};

use hallpass_dev::{Client, DevServer};
use serde_json::{Value, json};

use crate::bench::{Bench, visit};

fn server() -> DevServer {
    DevServer::start().unwrap()
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &[]);
    for args in [&["token"][..], &["status", "--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = bench.hallpass(args).into_command().stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cannot write to stdout"), "{stderr}");
    }
}

#[test]
fn p70_a_profile_that_cannot_be_erased_keeps_no_other_signed_in() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &[]);
    fs::create_dir(bench.record_file("a")).unwrap();
    let logout = bench.run(&["logout", "--all"]);
    assert_eq!(logout.code, 8, "{logout:#?}");
    assert!(!bench.record_file("default").exists(), "{logout:#?}");
    assert_eq!(server.journal().count("/revoke"), 2);
}

/// A server that asks for the client's secret before it revokes, and a sign-in that never had one.
#[test]
fn p70_a_logout_that_the_server_refuses_for_want_of_a_secret_says_what_lives_on() {
    let client = Client::confidential("cli", "the secret").redirect_uri("http://127.0.0.1/callback");
    let (bench, server) = (Bench::new(), DevServer::builder().client(client).start().unwrap());
    let secret = bench.file("secret", "the secret");
    let login =
        bench.login(&["--issuer", server.issuer(), "--client-id=cli", "--client-secret-file", &secret]);
    login.play(|url| visit(&server, url)).0.ok();
    for args in [&["logout"][..], &["logout", "--json"]] {
        let record = bench.record_bytes("default");
        bench.edit("default", |record| {
            record["auth_method"] = "none".into();
            record["secret"]["client_secret"] = Value::Null;
        });
        let until = bench.record("default")["access"][0]["expires_at"].as_str().unwrap().to_owned();
        let logout = bench.run(args);
        assert_eq!(logout.code, 5, "{logout:#?}");
        assert!(!bench.record_file("default").exists());
        if args.len() == 1 {
            let start = "Logged out here, but not at the server: it revokes nothing for a client without a secret: invalid_client";
            let end = format!("until the server ends it, the access token until {until}.\n");
            assert!(logout.stderr.starts_with(start) && logout.stderr.ends_with(&end), "{logout:#?}");
        } else {
            assert_eq!(
                logout.json()["revoked"],
                json!({"refresh_token": "failed", "access_token": "failed"})
            );
        }
        fs::write(bench.record_file("default"), record).unwrap();
    }
    bench.run(&["token", "--refresh"]).ok();
}

#[test]
fn a_mistake_in_a_settings_file_is_told_and_keeps_nothing_from_being_renewed_or_revoked() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &[]);
    fs::write(bench.config_dir().join("config.toml"), "isuer = \"x\"").unwrap();
    let token = bench.run(&["token", "--refresh"]).ok();
    assert!(token.stderr.contains("Note: ") && token.stderr.contains("isuer"), "{token:#?}");
    bench.run(&["logout"]).ok();
    assert_eq!(server.journal().count("/revoke"), 2);
}

#[test]
fn a_token_from_outside_with_a_line_end_is_refused() {
    let bench = Bench::new();
    let token = bench.hallpass(&["token", "--header"]).env("HALLPASS_ACCESS_TOKEN", "a\r\nX-Evil: 1").run();
    token.fails(2, "HALLPASS_ACCESS_TOKEN", "line break");
}

#[test]
fn p68_the_hint_names_the_profile_that_was_meant() {
    let bench = Bench::new();
    bench.run(&["token", "--profile", "work"]).fails(4, "not signed in", "hallpass login --profile work");
    let named = bench.hallpass(&["token"]).env("HALLPASS_PROFILE", "work").run();
    named.fails(4, "not signed in", "hallpass login --profile work");
}

#[test]
fn if_needed_goes_by_the_scopes_that_were_named() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &["--scope", "openid"]);
    bench.run(&["login", "--if-needed", "--scope", "openid"]).ok();
    assert_eq!(server.journal().count("/token"), 1);
    let (login, _) =
        bench.login_at(&server, &["--if-needed", "--scope", "openid email"]).play(|url| visit(&server, url));
    login.ok();
    assert_eq!(server.journal().count("/token"), 2);
}
