//! What a person would otherwise lose without a word: an answer that was not written, a setting with a mistake, the
//! other profiles.

use std::fs::{self, OpenOptions};

use hallpass_dev::DevServer;

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
        assert!(stderr.contains("could not be written"), "{stderr}");
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
    token.fails(2, "HALLPASS_ACCESS_TOKEN", "line end");
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
