//! What a person would otherwise lose without a word: a token that was spent, an answer that was not written, the
//! other profiles.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use rustix::process::Signal;

use crate::bench::{Bench, visit};
use crate::front::Front;

fn server() -> DevServer {
    DevServer::start().unwrap()
}

/// Hands each answer on a second late.
fn slow_front(server: &DevServer) -> Front {
    let front = Front::before(server.port());
    let desk = front.desk();
    front.act(move |client| {
        let answer = desk.handed_on(client);
        thread::sleep(Duration::from_secs(1));
        let _ = client.write_all(&answer); // the client may be gone
    });
    front
}

#[test]
fn p30_a_signal_during_a_refresh_waits_until_the_new_token_is_saved() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (bench, server) = (Bench::new(), server());
        bench.sign_in(&server, &[]);
        let front = slow_front(&server);
        bench.edit("default", |record| record["endpoints"]["token"] = front.url("/token").into());
        let before = bench.record("default")["secret"]["refresh_token"].clone();
        let token = bench.hallpass(&["token", "--refresh"]).start();
        let has_arrived = |_: &u32| server.journal().count("/token") == 2;
        let pause = || thread::sleep(Duration::from_millis(10));
        assert!((0..500).inspect(|_| pause()).any(|round| has_arrived(&round)), "no refresh was sent");
        token.signal(signal);
        assert_eq!(token.finish().code, code);
        assert_ne!(bench.record("default")["secret"]["refresh_token"], before);
        bench.value(&["token", "--refresh"]);
    }
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
