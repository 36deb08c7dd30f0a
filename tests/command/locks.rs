//! A process that waits for a lock gets it when its holder ends, or reports the holder in time.

use std::fs;
use std::thread;
use std::time::Duration;

use hallpass_test::command::{Running, visit};
use hallpass_test::files::files_below;
use rustix::process::Signal;

use crate::reverse_proxy::ProxiedSetup;

/// A waiter gives up after 40 s.
const LONGEST_WAIT: Duration = Duration::from_secs(45);

/// Time limit of a request that can be repeated.
const LONGEST_REQUEST: Duration = Duration::from_secs(21);

/// Time limit of a refresh with its second try.
const LONGEST_REFRESH: Duration = Duration::from_secs(31);

/// A refresh that holds the lock, has sent its request and waits for the answer.
fn holder(site: &ProxiedSetup) -> Running<'_> {
    let holder = site.sandbox.hallpass(&["token", "--refresh"]).start();
    site.proxy.await_held(1);
    holder
}

#[test]
fn n81_p44_a_holder_that_is_stopped_keeps_nobody_waiting_for_good_and_is_named() {
    let site = ProxiedSetup::new();
    let held = site.proxy.hold(Some(Vec::new()));
    let holder = holder(&site);
    holder.signal(Signal::STOP);
    site.sandbox.let_expire_in("default", 20);
    let alive = site.sandbox.run(&["token"]).ok();
    assert!(alive.stderr.contains("Note: "), "{alive:#?}");
    site.sandbox.let_expire_in("default", 0);
    let waiters: Vec<_> = (0..3).map(|_| site.sandbox.hallpass(&["token"]).start()).collect();
    for waiter in waiters {
        let waiter = waiter.finish_within(LONGEST_WAIT);
        waiter.fails(5, &format!("process {} has held", holder.pid()), "try again");
    }
    site.proxy.forward_again();
    drop(held);
    holder.signal(Signal::CONT);
    let holder = holder.finish();
    assert!([0, 5].contains(&holder.code), "its time may be over: {holder:#?}");
    site.sandbox.value(&["token"]);
}

#[test]
fn p30_an_answer_that_came_while_the_process_was_stopped_is_read() {
    let site = ProxiedSetup::new();
    let held = site.proxy.hold(None);
    let stopped = holder(&site);
    stopped.signal(Signal::STOP);
    drop(held);
    thread::sleep(LONGEST_REQUEST);
    stopped.signal(Signal::CONT);
    stopped.finish().ok();
    assert_eq!(site.refreshes(), 1);
    site.sandbox.value(&["token", "--refresh"]);
}

#[test]
fn p30_a_token_is_not_sent_again_when_all_the_time_for_it_is_over() {
    let site = ProxiedSetup::new();
    let before = site.sandbox.record_bytes("default");
    let _held = site.proxy.hold(None);
    let stopped = holder(&site);
    stopped.signal(Signal::STOP);
    thread::sleep(LONGEST_REFRESH);
    stopped.signal(Signal::CONT);
    stopped.finish().fails(5, "the limit is 20s", "try again");
    assert_eq!(site.proxy.connections(), 1);
    assert_eq!(site.sandbox.record_bytes("default"), before);
}

#[test]
fn n81_p44_the_lock_of_a_holder_that_was_killed_is_free() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let _held = site.proxy.hold(None);
    let holder = holder(&site);
    let waiter = site.sandbox.hallpass(&["token"]).start();
    site.proxy.forward_again();
    thread::sleep(Duration::from_millis(200));
    holder.signal(Signal::KILL);
    waiter.finish().ok();
    assert_eq!(site.refreshes(), 1);
}

/// Returns the names of the record and the files beside it.
fn names(site: &ProxiedSetup) -> Vec<String> {
    let files = files_below(site.sandbox.record_file("default").parent().unwrap()).into_keys();
    files.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn p40_what_a_refresh_left_that_was_killed_is_gone_after_the_next() {
    let site = ProxiedSetup::new();
    let usual = ["default.json", "default.lock", "default.login.lock", "default.refresh"];
    let _held = site.proxy.hold(None);
    let killed = holder(&site);
    killed.signal(Signal::KILL);
    assert_eq!(killed.finish().code, 137);
    assert_eq!(names(&site).len(), usual.len() + 1);
    site.proxy.forward_again();
    site.sandbox.value(&["token"]);
    assert_eq!(names(&site).len(), usual.len() + 1, "a token that is fresh touches nothing");
    site.sandbox.value(&["token", "--refresh"]);
    assert_eq!(names(&site), usual);
}

#[test]
fn p44_a_folder_that_is_removed_under_a_holder_and_a_waiter_signs_out_and_nothing_worse() {
    let site = ProxiedSetup::new();
    site.sandbox.let_expire_in("default", 0);
    let held = site.proxy.hold(None);
    let holder = holder(&site);
    let waiter = site.sandbox.hallpass(&["token"]).start();
    thread::sleep(Duration::from_millis(200));
    // In one step: the waiter would make its lock file anew between two.
    fs::rename(site.sandbox.state_dir(), site.sandbox.beside("removed")).unwrap();
    waiter.finish().fails(4, "not signed in", "hallpass login");
    drop(held);
    holder.finish().fails(4, "not signed in", "hallpass login");
    assert!(!site.sandbox.record_file("default").exists());
    site.sandbox.sign_in(&site.server, &[]);
    site.sandbox.value(&["token", "--refresh"]);
}

#[test]
fn p44_a_login_saves_what_it_brings_though_the_folder_is_removed_while_it_waits_for_the_lock() {
    let site = ProxiedSetup::new();
    let _held = site.proxy.hold(None);
    let holder = holder(&site);
    let mut login = site.sandbox.login_at(&site.server, &[]).start();
    let url = login.url();
    site.server.journal().clear();
    thread::scope(|scope| {
        scope.spawn(|| visit(&site.server, &url));
        let pause = |_: &u32| thread::sleep(Duration::from_millis(5));
        let is_exchanged = |_| !site.server.journal().requests_to("/token").is_empty();
        assert!((0..2000).inspect(pause).any(is_exchanged), "nobody came");
        thread::sleep(Duration::from_millis(300));
        fs::rename(site.sandbox.state_dir(), site.sandbox.beside("removed")).unwrap();
        login.finish().ok();
    });
    holder.signal(Signal::KILL);
    site.sandbox.value(&["token", "--refresh"]);
}
