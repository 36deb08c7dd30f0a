//! What a signal ends, what it waits for, and what it leaves behind.

use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;
use rustix::process::Signal;

use crate::bench::{Bench, Outcome, Running, visit};
use crate::front::{Front, Fronted};
use crate::scripted::{Answer, Scripted};

const ALL: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

/// Less than any request that is waited for, more than a busy machine takes.
const SOON: Duration = Duration::from_secs(4);

/// More than a command takes to end that waits for nothing.
const LONG: Duration = Duration::from_millis(1500);

impl Fronted {
    fn refresh_token(&self) -> String {
        self.bench.record("default")["secret"]["refresh_token"].to_string()
    }
}

/// Ends by this signal alone, and soon.
#[track_caller]
fn ends_soon(running: Running<'_>, signal: Signal, code: i32) -> Outcome {
    let begun = Instant::now();
    running.signal(signal);
    let outcome = running.finish();
    assert_eq!(outcome.code, code, "{outcome:#?}");
    assert!(begun.elapsed() < SOON, "{outcome:#?}");
    outcome
}

/// Waits until somebody asks for it.
fn await_request(server: &Scripted, path: &str) {
    let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
    assert!((0..2000).inspect(pause).any(|_| server.count(path) > 0), "nobody came");
}

#[test]
fn p30_a_signal_during_a_refresh_waits_until_the_new_token_is_saved() {
    for (signal, code) in ALL {
        let site = Fronted::new();
        let before = site.refresh_token();
        let gate = site.front.hold(None);
        let token = site.bench.hallpass(&["token", "--refresh"]).start();
        site.front.await_held(1);
        token.signal(signal);
        thread::sleep(LONG);
        drop(gate);
        assert_eq!(token.finish().code, code);
        assert_ne!(site.refresh_token(), before);
        site.front.behave();
        site.bench.value(&["token", "--refresh"]);
    }
}

#[test]
fn a_second_signal_ends_a_refresh_that_gets_no_answer() {
    let site = Fronted::new();
    let before = site.bench.record_bytes("default");
    let _gate = site.front.hold(None);
    let token = site.bench.hallpass(&["token", "--refresh"]).start();
    site.front.await_held(1);
    token.signal(Signal::INT);
    thread::sleep(Duration::from_millis(200));
    ends_soon(token, Signal::TERM, 143);
    assert_eq!(site.bench.record_bytes("default"), before);
}

#[test]
fn once_the_new_token_is_saved_a_signal_waits_for_nothing() {
    let (site, silent) = (Fronted::new(), Scripted::start());
    silent.always("/jwks", Answer::never());
    let jwks = format!("{}/jwks", silent.origin());
    site.bench.edit("default", |record| record["endpoints"]["jwks"] = jwks.into());
    let before = site.refresh_token();
    let token = site.bench.hallpass(&["token", "--refresh"]).start();
    await_request(&silent, "/jwks");
    assert_ne!(site.refresh_token(), before);
    ends_soon(token, Signal::INT, 130);
}

#[test]
fn with_nothing_to_be_saved_a_signal_ends_the_command() {
    for (signal, code) in ALL {
        let (site, silent) = (Fronted::new(), Scripted::start());
        silent.always("/userinfo", Answer::never());
        let userinfo = format!("{}/userinfo", silent.origin());
        site.bench.edit("default", |record| record["endpoints"]["userinfo"] = userinfo.into());
        let whoami = site.bench.hallpass(&["whoami", "--fresh"]).start();
        await_request(&silent, "/userinfo");
        ends_soon(whoami, signal, code);
    }
}

#[test]
fn a_wait_for_another_process_is_ended() {
    let site = Fronted::new();
    let gate = site.front.hold(None);
    let holder = site.bench.hallpass(&["token", "--refresh"]).start();
    site.front.await_held(1);
    let waiting = site.bench.hallpass(&["token", "--refresh"]).start();
    thread::sleep(Duration::from_millis(300));
    ends_soon(waiting, Signal::INT, 130);
    drop(gate);
    holder.finish().ok();
    assert_eq!(site.refreshes(), 1);
}

#[test]
fn a_logout_that_has_revoked_erases_too() {
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    bench.sign_in(&server, &[]);
    let front = Front::before(server.port());
    bench.edit("default", |record| record["endpoints"]["revocation"] = front.url("/revoke").into());
    let gate = front.hold(None);
    let logout = bench.hallpass(&["logout"]).start();
    front.await_held(1);
    logout.signal(Signal::INT);
    thread::sleep(LONG);
    drop(gate);
    assert_eq!(logout.finish().code, 130);
    assert!(!bench.record_file("default").exists());
}

#[test]
fn p30_a_refresh_before_a_login_that_may_not_be_needed_is_saved_and_no_browser_opened() {
    let site = Fronted::new();
    site.bench.let_expire_in("default", 0);
    let (before, opened) = (site.refresh_token(), site.bench.opened().len());
    let gate = site.front.hold(None);
    let login = site.bench.login_at(&site.server, &["--if-needed"]).start();
    site.front.await_held(1);
    login.signal(Signal::INT);
    thread::sleep(LONG);
    drop(gate);
    assert_eq!(login.finish().code, 130);
    assert_ne!(site.refresh_token(), before);
    assert_eq!(site.bench.opened().len(), opened);
}

#[test]
fn p13_a_login_whose_code_was_sent_ends_soon_and_leaves_the_old_sign_in_as_it_was() {
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    bench.sign_in(&server, &[]);
    let before = bench.record_bytes("default");
    for (signal, code) in ALL {
        let silent = Scripted::start();
        silent.always("/token", Answer::never());
        let endpoint = format!("--endpoint=token={}/token", silent.origin());
        let mut login = bench.login_at(&server, &[&endpoint]).start();
        let url = login.url();
        thread::scope(|scope| {
            let page = scope.spawn(|| visit(&server, &url));
            await_request(&silent, "/token");
            let login = ends_soon(login, signal, code);
            assert!(login.stderr.ends_with("Cancelled; nothing was changed.\n"), "{login:#?}");
            assert!(!page.join().unwrap().body.contains("You are signed in"));
        });
        assert_eq!(bench.record_bytes("default"), before);
    }
}

/// What the command says when this signal comes in the middle of what it sends, and gets this answer.
fn told_after(site: &Fronted, args: &[&str], answer: Option<&str>) -> String {
    let answer = answer.map(|body| {
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    });
    let gate = site.front.hold(answer);
    let call = site.bench.hallpass(args).start();
    site.front.await_held(1);
    call.signal(Signal::INT);
    thread::sleep(2 * LONG);
    drop(gate);
    let outcome = call.finish();
    assert_eq!(outcome.code, 130, "{outcome:#?}");
    assert!(outcome.stderr.starts_with("Note: finishing what was begun"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("nothing was changed"), "{outcome:#?}");
    outcome.stderr
}

#[test]
fn p13_a_session_that_ended_while_a_signal_came_is_told_to_have_ended() {
    let site = Fronted::new();
    let told = told_after(&site, &["token", "--refresh"], Some(r#"{"error":"invalid_grant"}"#));
    assert!(told.contains("\nerror: the server ended this session"), "{told}");
    assert!(told.contains("\nhint: sign in with: hallpass login\n"), "{told}");
    site.bench.run(&["token"]).fails(4, "the server ended this session", "hallpass login");
}

#[test]
fn p13_a_refresh_that_was_saved_before_a_signal_is_not_told_to_have_changed_nothing() {
    let site = Fronted::new();
    let before = site.refresh_token();
    let told = told_after(&site, &["token", "--min-ttl", "99h"], None);
    assert!(told.contains("expire sooner than requested"), "{told}");
    assert_ne!(site.refresh_token(), before);
}

#[test]
fn p13_a_login_that_renewed_a_token_first_does_not_say_that_it_changed_nothing() {
    let site = Fronted::new();
    site.bench.let_expire_in("default", 0);
    let (before, opened) = (site.refresh_token(), site.bench.opened().len());
    let told = told_after(&site, &["login", "--if-needed", "--scope", "openid elsewhere"], None);
    assert!(told.ends_with("\nCancelled.\n"), "{told}");
    assert_ne!(site.refresh_token(), before);
    assert_eq!(site.bench.opened().len(), opened);
}

#[test]
fn p13_a_logout_of_all_ends_with_the_profile_that_it_is_at() {
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    let front = Front::before(server.port());
    for profile in ["a", "b"] {
        bench.sign_in(&server, &["--profile", profile]);
        bench.edit(profile, |record| record["endpoints"]["revocation"] = front.url("/revoke").into());
    }
    let gate = front.hold(None);
    let logout = bench.hallpass(&["logout", "--all"]).start();
    front.await_held(1);
    logout.signal(Signal::INT);
    thread::sleep(LONG);
    drop(gate);
    let logout = logout.finish();
    assert_eq!(logout.code, 130, "{logout:#?}");
    assert!(
        logout.stderr.contains("a: Logged out; ") && logout.stderr.ends_with("\nCancelled.\n"),
        "{logout:#?}"
    );
    assert_eq!(["a", "b"].map(|profile| bench.record_file(profile).exists()), [false, true]);
}
