//! Signals: what they end, what the command still finishes, and what is left behind.

use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;
use hallpass_test::command::{Outcome, Running, visit};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use rustix::process::Signal;

use crate::new_sandbox;
use crate::reverse_proxy::{ProxiedSetup, ReverseProxy};

const ALL: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

/// Less than any request that is waited for, more than a busy machine takes.
const SOON: Duration = Duration::from_secs(4);

/// More than a command takes to end that waits for nothing.
const LONG: Duration = Duration::from_millis(1500);

impl ProxiedSetup {
    fn refresh_token(&self) -> String {
        self.sandbox.record("default")["secret"]["refresh_token"].to_string()
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
fn await_request(server: &ScriptedServer, path: &str) {
    let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
    assert!((0..2000).inspect(pause).any(|_| server.count(path) > 0), "nobody came");
}

#[test]
fn p30_a_signal_during_a_refresh_waits_until_the_new_token_is_saved() {
    for (signal, code) in ALL {
        let site = ProxiedSetup::new();
        let before = site.refresh_token();
        let gate = site.proxy.hold(None);
        let token = site.sandbox.hallpass(&["token", "--refresh"]).start();
        site.proxy.await_held(1);
        token.signal(signal);
        thread::sleep(LONG);
        drop(gate);
        assert_eq!(token.finish().code, code);
        assert_ne!(site.refresh_token(), before);
        site.proxy.forward_again();
        site.sandbox.value(&["token", "--refresh"]);
    }
}

#[test]
fn a_second_signal_ends_a_refresh_that_gets_no_answer() {
    let site = ProxiedSetup::new();
    let before = site.sandbox.record_bytes("default");
    let _gate = site.proxy.hold(None);
    let token = site.sandbox.hallpass(&["token", "--refresh"]).start();
    site.proxy.await_held(1);
    token.signal(Signal::INT);
    thread::sleep(Duration::from_millis(200));
    ends_soon(token, Signal::TERM, 143);
    assert_eq!(site.sandbox.record_bytes("default"), before);
}

#[test]
fn once_the_new_token_is_saved_a_signal_waits_for_nothing() {
    let (site, silent) = (ProxiedSetup::new(), ScriptedServer::start());
    silent.always("/jwks", Response::never());
    let jwks = format!("{}/jwks", silent.origin());
    site.sandbox.edit("default", |record| record["endpoints"]["jwks"] = jwks.into());
    let before = site.refresh_token();
    let token = site.sandbox.hallpass(&["token", "--refresh"]).start();
    await_request(&silent, "/jwks");
    assert_ne!(site.refresh_token(), before);
    ends_soon(token, Signal::INT, 130);
}

#[test]
fn with_nothing_to_be_saved_a_signal_ends_the_command() {
    for (signal, code) in ALL {
        let (site, silent) = (ProxiedSetup::new(), ScriptedServer::start());
        silent.always("/userinfo", Response::never());
        let userinfo = format!("{}/userinfo", silent.origin());
        site.sandbox.edit("default", |record| record["endpoints"]["userinfo"] = userinfo.into());
        let whoami = site.sandbox.hallpass(&["whoami", "--fresh"]).start();
        await_request(&silent, "/userinfo");
        ends_soon(whoami, signal, code);
    }
}

#[test]
fn a_wait_for_another_process_is_ended() {
    let site = ProxiedSetup::new();
    let gate = site.proxy.hold(None);
    let holder = site.sandbox.hallpass(&["token", "--refresh"]).start();
    site.proxy.await_held(1);
    let waiting = site.sandbox.hallpass(&["token", "--refresh"]).start();
    thread::sleep(Duration::from_millis(300));
    ends_soon(waiting, Signal::INT, 130);
    drop(gate);
    holder.finish().ok();
    assert_eq!(site.refreshes(), 1);
}

#[test]
fn a_logout_that_has_revoked_erases_too() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    let proxy = ReverseProxy::in_front_of(server.port());
    sandbox.edit("default", |record| record["endpoints"]["revocation"] = proxy.url("/revoke").into());
    let gate = proxy.hold(None);
    let logout = sandbox.hallpass(&["logout"]).start();
    proxy.await_held(1);
    logout.signal(Signal::INT);
    thread::sleep(LONG);
    drop(gate);
    assert_eq!(logout.finish().code, 130);
    assert!(!sandbox.record_file("default").exists());
}

#[test]
fn p30_a_refresh_before_a_login_that_may_not_be_needed_is_saved_and_no_browser_opened() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let (before, opened) = (site.refresh_token(), site.sandbox.opened().len());
    let gate = site.proxy.hold(None);
    let login = site.sandbox.login_at(&site.server, &["--if-needed"]).start();
    site.proxy.await_held(1);
    login.signal(Signal::INT);
    thread::sleep(LONG);
    drop(gate);
    assert_eq!(login.finish().code, 130);
    assert_ne!(site.refresh_token(), before);
    assert_eq!(site.sandbox.opened().len(), opened);
}

#[test]
fn p13_a_login_whose_code_was_sent_ends_soon_and_leaves_the_old_sign_in_as_it_was() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    let before = sandbox.record_bytes("default");
    for (signal, code) in ALL {
        let silent = ScriptedServer::start();
        silent.always("/token", Response::never());
        let endpoint = format!("--endpoint=token={}/token", silent.origin());
        let mut login = sandbox.login_at(&server, &[&endpoint]).start();
        let url = login.url();
        thread::scope(|scope| {
            let page = scope.spawn(|| visit(&server, &url));
            await_request(&silent, "/token");
            let login = ends_soon(login, signal, code);
            assert!(login.stderr.ends_with("Cancelled; nothing was changed.\n"), "{login:#?}");
            assert!(!page.join().unwrap().body.contains("You are signed in"));
        });
        assert_eq!(sandbox.record_bytes("default"), before);
    }
}

/// Returns the messages of a command that gets this signal during a request, and then this response.
fn told_after(site: &ProxiedSetup, args: &[&str], answer: Option<&str>) -> String {
    let answer = answer.map(|body| {
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    });
    let gate = site.proxy.hold(answer);
    let call = site.sandbox.hallpass(args).start();
    site.proxy.await_held(1);
    call.signal(Signal::INT);
    thread::sleep(2 * LONG);
    drop(gate);
    let outcome = call.finish();
    assert_eq!(outcome.code, 130, "{outcome:#?}");
    assert!(outcome.stderr.starts_with("Note: saving refreshed credentials before exiting"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("nothing was changed"), "{outcome:#?}");
    outcome.stderr
}

#[test]
fn p13_a_session_that_ended_while_a_signal_came_is_told_to_have_ended() {
    let site = ProxiedSetup::new();
    let told = told_after(&site, &["token", "--refresh"], Some(r#"{"error":"invalid_grant"}"#));
    assert!(told.contains("\nerror: the server ended this session"), "{told}");
    assert!(told.contains("\nhint: sign in with: hallpass login\n"), "{told}");
    site.sandbox.run(&["token"]).fails(4, "the server ended this session", "hallpass login");
}

#[test]
fn p13_a_refresh_that_was_saved_before_a_signal_is_not_told_to_have_changed_nothing() {
    let site = ProxiedSetup::new();
    let before = site.refresh_token();
    let told = told_after(&site, &["token", "--min-ttl", "99h"], None);
    assert!(told.contains("expire sooner than requested"), "{told}");
    assert_ne!(site.refresh_token(), before);
}

#[test]
fn p13_a_login_that_renewed_a_token_first_does_not_say_that_it_changed_nothing() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let (before, opened) = (site.refresh_token(), site.sandbox.opened().len());
    let told = told_after(&site, &["login", "--if-needed", "--scope", "openid elsewhere"], None);
    assert!(told.ends_with("\nCancelled.\n"), "{told}");
    assert_ne!(site.refresh_token(), before);
    assert_eq!(site.sandbox.opened().len(), opened);
}

#[test]
fn p13_a_logout_of_all_ends_with_the_profile_that_it_is_at() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let proxy = ReverseProxy::in_front_of(server.port());
    for profile in ["a", "b"] {
        sandbox.sign_in(&server, &["--profile", profile]);
        sandbox.edit(profile, |record| record["endpoints"]["revocation"] = proxy.url("/revoke").into());
    }
    let gate = proxy.hold(None);
    let logout = sandbox.hallpass(&["logout", "--all"]).start();
    proxy.await_held(1);
    logout.signal(Signal::INT);
    thread::sleep(LONG);
    drop(gate);
    let logout = logout.finish();
    assert_eq!(logout.code, 130, "{logout:#?}");
    assert!(
        logout.stderr.contains("a: Logged out; ") && logout.stderr.ends_with("\nCancelled.\n"),
        "{logout:#?}"
    );
    assert_eq!(["a", "b"].map(|profile| sandbox.record_file(profile).exists()), [false, true]);
}
