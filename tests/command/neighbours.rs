//! Many processes, and programs that mind no lock, over one sign-in.

use std::fs;
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use serde_json::Value;

use crate::bench::{Bench, CLIENT, Outcome, Running, visit};
use crate::front::Fronted;

fn at_once<'a>(site: &'a Fronted, count: usize, args: &[&str]) -> Vec<Running<'a>> {
    (0..count).map(|_| site.bench.hallpass(args).start()).collect()
}

fn finished(calls: Vec<Running<'_>>) -> Vec<Outcome> {
    calls.into_iter().map(Running::finish).collect()
}

#[test]
fn p27_two_hundred_that_wait_for_one_refresh_get_what_it_brings() {
    let site = Fronted::new();
    site.bench.let_expire_in("default", 0);
    let held = site.front.hold(None);
    let calls = at_once(&site, 200, &["token"]);
    site.front.await_held(1);
    drop(held);
    let tokens: Vec<String> = finished(calls).into_iter().map(|call| call.ok().stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(site.refreshes(), 1);
    site.bench.value(&["token", "--refresh"]);
}

/// The lock lies beside the record, whatever else differs between two programs that share it.
#[test]
fn n111_processes_with_settings_of_their_own_make_one_refresh_of_the_sign_in_that_they_share() {
    let site = Fronted::new();
    site.bench.let_expire_in("default", 0);
    let held = site.front.hold(None);
    let call = |number: usize| {
        let folder = |name: &str| site.bench.beside(&format!("{name}-{number}")).display().to_string();
        let folders = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"];
        let call =
            folders.iter().fold(site.bench.hallpass(&["token"]), |call, name| call.env(name, &folder(name)));
        call.start()
    };
    let calls: Vec<_> = (0..8).map(call).collect();
    site.front.await_held(1);
    drop(held);
    let tokens: Vec<String> = finished(calls).into_iter().map(|call| call.ok().stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(site.refreshes(), 1);
}

#[test]
fn p32_whoever_waited_while_another_failed_does_not_ask_too() {
    let site = Fronted::new();
    site.bench.let_expire_in("default", 0);
    let held = site
        .front
        .hold(Some(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()));
    let calls = at_once(&site, 20, &["token"]);
    thread::sleep(Duration::from_secs(1));
    drop(held);
    for call in finished(calls) {
        assert_eq!((call.code, call.stdout.as_str()), (5, ""), "{call:#?}");
    }
    assert_eq!(site.front.connections(), 1);
    site.front.behave();
    site.bench.value(&["token"]);
}

#[test]
fn p32_after_one_invalid_grant_a_hundred_calls_of_ten_processes_ask_nobody() {
    let site = Fronted::new();
    let token = site.bench.record("default")["secret"]["refresh_token"].as_str().unwrap().to_owned();
    let revoke = format!("{}/revoke", site.server.issuer());
    ureq::post(&revoke).send_form([("token", token.as_str()), ("client_id", CLIENT)]).unwrap();
    site.bench.run(&["token", "--refresh"]).fails(4, "the server ended this session", "hallpass login");
    site.server.journal().clear();
    for _ in 0..10 {
        for call in finished(at_once(&site, 10, &["token"])) {
            call.fails(4, "the server ended this session", "hallpass login");
        }
    }
    assert_eq!(site.server.journal().entries().len(), 0);
}

/// Refreshes as a program does that reads the file on its own.
fn foreign_refresh(site: &Fronted) -> Value {
    let record = site.bench.record("default");
    let token = record["secret"]["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)];
    let url = format!("{}/token", site.server.issuer());
    let answer = ureq::post(&url).send_form(form).unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn p39_what_a_program_writes_that_minds_no_lock_is_taken_up() {
    let site = Fronted::new();
    let tokens = foreign_refresh(&site);
    site.bench.edit("default", |record| {
        record["secret"]["refresh_token"] = tokens["refresh_token"].clone();
        record["secret"]["access_tokens"][0] = tokens["access_token"].clone();
    });
    assert_eq!(site.bench.value(&["token"]), tokens["access_token"]);
    site.bench.value(&["token", "--refresh"]);
    site.bench.value(&["token", "--refresh"]);
}

/// Without its lock a process does not keep the next one from refreshing meanwhile.
fn without_the_lock(site: &Fronted) {
    fs::remove_file(site.bench.record_file("default").with_extension("lock")).unwrap();
}

#[test]
fn p28_the_loser_of_a_race_takes_what_the_winner_saved_and_writes_nothing() {
    let site = Fronted::new();
    site.bench.let_expire_in("default", 0);
    let refusal = r#"{"error":"invalid_grant"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{refusal}", refusal.len());
    let held = site.front.hold(Some(answer.into()));
    let loser = site.bench.hallpass(&["token"]).start();
    site.front.await_held(1);
    without_the_lock(&site);
    site.front.behave();
    let winner = site.bench.value(&["token"]);
    let written = site.bench.record_bytes("default");
    drop(held);
    assert_eq!(loser.finish().ok().value(), winner);
    assert!(site.bench.record_bytes("default") == written);
    site.bench.value(&["token", "--refresh"]);
}

#[test]
fn p38_ten_logins_at_once_open_one_browser_and_share_what_it_brings() {
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    let mut logins: Vec<_> = (0..10).map(|_| bench.login_at(&server, &[]).start()).collect();
    let url = logins[0].url();
    thread::sleep(Duration::from_millis(500));
    visit(&server, &url);
    for login in finished(logins) {
        assert!(login.stderr.contains("test@example.com"), "{:#?}", login.ok());
    }
    assert_eq!((bench.opened().len(), server.journal().count("/token")), (1, 1));
}
