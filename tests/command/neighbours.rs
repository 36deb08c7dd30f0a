//! Many processes, and programs that mind no lock, over one sign-in.

use std::fs;
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, Outcome, Running, expire_in, timed_signal, visit};
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::new_sandbox;
use crate::reverse_proxy::ProxiedSetup;

/// More than a command takes that waits for nothing.
const LONG: Duration = Duration::from_millis(1500);

fn at_once<'a>(site: &'a ProxiedSetup, count: usize, args: &[&str]) -> Vec<Running<'a>> {
    (0..count).map(|_| site.sandbox.hallpass(args).start()).collect()
}

fn finished(calls: Vec<Running<'_>>) -> Vec<Outcome> {
    calls.into_iter().map(Running::finish).collect()
}

#[test]
fn p27_two_hundred_that_wait_for_one_refresh_get_what_it_brings() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let held = site.proxy.hold(None);
    let calls = at_once(&site, 200, &["token"]);
    site.proxy.await_held(1);
    drop(held);
    let tokens: Vec<String> = finished(calls).into_iter().map(|call| call.ok().stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(site.refreshes(), 1);
    site.sandbox.value(&["token", "--refresh"]);
}

/// The lock lies beside the record, whatever else differs between two programs that share it.
#[test]
fn n111_processes_with_settings_of_their_own_make_one_refresh_of_the_sign_in_that_they_share() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let held = site.proxy.hold(None);
    let call = |number: usize| {
        let folder = |name: &str| site.sandbox.beside(&format!("{name}-{number}")).display().to_string();
        let folders = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"];
        let call = folders
            .iter()
            .fold(site.sandbox.hallpass(&["token"]), |call, name| call.env(name, &folder(name)));
        call.start()
    };
    let calls: Vec<_> = (0..8).map(call).collect();
    site.proxy.await_held(1);
    drop(held);
    let tokens: Vec<String> = finished(calls).into_iter().map(|call| call.ok().stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(site.refreshes(), 1);
}

#[test]
fn p32_whoever_waited_while_another_failed_does_not_ask_too() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let held = site
        .proxy
        .hold(Some(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()));
    let calls = at_once(&site, 20, &["token"]);
    thread::sleep(Duration::from_secs(1));
    drop(held);
    for call in finished(calls) {
        assert_eq!((call.code, call.stdout.as_str()), (5, ""), "{call:#?}");
    }
    assert_eq!(site.proxy.connections(), 1);
    site.proxy.forward_again();
    site.sandbox.value(&["token"]);
}

#[test]
fn p32_after_one_invalid_grant_a_hundred_calls_of_ten_processes_ask_nobody() {
    let site = ProxiedSetup::new();
    let token = site.sandbox.record("default")["secret"]["refresh_token"].as_str().unwrap().to_owned();
    let revoke = format!("{}/revoke", site.server.issuer());
    ureq::post(&revoke).send_form([("token", token.as_str()), ("client_id", CLIENT)]).unwrap();
    site.sandbox.run(&["token", "--refresh"]).fails(4, "the server ended this session", "hallpass login");
    site.server.journal().clear();
    for _ in 0..10 {
        for call in finished(at_once(&site, 10, &["token"])) {
            call.fails(4, "the server ended this session", "hallpass login");
        }
    }
    assert_eq!(site.server.journal().entries().len(), 0);
}

/// Refreshes as a program does that reads the file on its own.
fn foreign_refresh(site: &ProxiedSetup) -> Value {
    let record = site.sandbox.record("default");
    let token = record["secret"]["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)];
    let url = format!("{}/token", site.server.issuer());
    let answer = ureq::post(&url).send_form(form).unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Writes what came over the record, as such a program does.
fn write(site: &ProxiedSetup, tokens: &Value) {
    site.sandbox.write_over("default", |record| {
        record["secret"]["refresh_token"] = tokens["refresh_token"].clone();
        record["secret"]["access_tokens"][0] = tokens["access_token"].clone();
        expire_in(record, 3600);
    });
}

#[test]
fn p39_what_a_program_writes_that_minds_no_lock_is_taken_up_and_told_once() {
    let site = ProxiedSetup::new();
    assert_eq!(site.sandbox.run(&["token", "--refresh"]).ok().stderr, "");
    let tokens = foreign_refresh(&site);
    write(&site, &tokens);
    assert_eq!(site.sandbox.value(&["token"]), tokens["access_token"]);
    let told = site.sandbox.run(&["token", "--refresh"]).ok();
    let path = site.sandbox.record_file("default");
    let words = format!("Note: another program modified {}; ", path.display());
    assert!(told.stderr.starts_with(&words) && told.stderr.lines().count() == 1, "{told:#?}");
    assert_eq!(site.sandbox.run(&["token", "--refresh"]).ok().stderr, "");
}

#[test]
fn p28_the_loser_of_a_race_takes_what_the_winner_saved_and_writes_nothing() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let refusal = r#"{"error":"invalid_grant"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{refusal}", refusal.len());
    let held = site.proxy.hold(Some(answer.into()));
    let loser = site.sandbox.hallpass(&["token"]).start();
    site.proxy.await_held(1);
    let winner = foreign_refresh(&site);
    write(&site, &winner);
    let written = site.sandbox.record_bytes("default");
    drop(held);
    assert_eq!(loser.finish().ok().value(), winner["access_token"]);
    assert!(site.sandbox.record_bytes("default") == written);
    site.proxy.forward_again();
    site.sandbox.value(&["token", "--refresh"]);
}

/// As somebody does who takes a lock file for one that was left.
fn remove_the_lock(site: &ProxiedSetup) {
    fs::remove_file(site.sandbox.record_file("default").with_extension("lock")).unwrap();
}

#[test]
fn p27_a_lock_that_somebody_removes_lets_nobody_send_a_token_that_is_on_its_way() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let held = site.proxy.hold(None);
    let mut calls = at_once(&site, 1, &["token"]);
    site.proxy.await_held(1);
    for _ in 0..3 {
        remove_the_lock(&site);
        calls.extend(at_once(&site, 3, &["token"]));
        thread::sleep(LONG);
    }
    drop(held);
    let tokens: Vec<String> = finished(calls).into_iter().map(|call| call.ok().stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!((site.refreshes(), site.proxy.connections()), (1, 1));
    site.sandbox.value(&["token", "--refresh"]);
}

#[test]
fn p27_a_lock_that_somebody_removes_before_the_token_is_sent_is_taken_anew() {
    if !timed_signal::can_trace() {
        return;
    }
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let (first, log) = (site.sandbox.hallpass(&["token"]).into_command(), site.sandbox.beside("calls"));
    // It has the lock, has read the record, and looks for what others left.
    let first = site.sandbox.call(timed_signal::stopping_at(&first, "getdents64", &log)).start();
    let stopped = timed_signal::wait_until_stopped(first.pid(), &log);
    remove_the_lock(&site);
    let second = site.sandbox.value(&["token"]);
    kill_process(stopped, Signal::CONT).unwrap();
    assert_eq!(first.finish().ok().value(), second);
    assert_eq!(site.refreshes(), 1);
}

#[test]
fn p38_ten_logins_at_once_open_one_browser_and_share_what_it_brings() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let mut logins: Vec<_> = (0..10).map(|_| sandbox.login_at(&server, &[]).start()).collect();
    let url = logins[0].url();
    thread::sleep(Duration::from_millis(500));
    visit(&server, &url);
    for login in finished(logins) {
        assert!(login.stderr.contains("test@example.com"), "{:#?}", login.ok());
    }
    assert_eq!((sandbox.opened().len(), server.journal().count("/token")), (1, 1));
}
