//! Ending a call, and the process: what is given up, what is finished first, and what is left behind.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hallpass::{Error, Hallpass, LoginEvent, LoginUi, Storage};
use url::Url;

use crate::bench::{
    self, AT_ONCE, Bench, Recorder, get, is_open, playing, redirect_uri, sign_in, timed, visitor,
};
use crate::desk::{DAY, Desk};
use crate::provider::{Provider, TOKEN};
use crate::scripted::Answer;

fn expired() -> (Bench, Provider) {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    bench.wait(DAY);
    (bench, provider)
}

/// Tells when a request to this path arrived.
fn arrivals(provider: &Provider, path: &str, answer: Option<Answer>) -> mpsc::Receiver<()> {
    let (arrived, here) = mpsc::channel();
    provider.on(path, move |_| {
        let _ = arrived.send(());
        answer.clone()
    });
    here
}

#[test]
fn a_call_is_cancelled_by_itself_or_with_all_others() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let (browser, urls) = playing(Url::clone);
    let pass = bench.at(&provider).browser(browser).build().unwrap();
    let (one, other) = (pass.cancellable(), pass.cancellable());
    let login = |pass: Hallpass| thread::spawn(move || pass.login(&mut Recorder::default()));
    let first = login(one.clone());
    let url = urls.recv_timeout(bench::PATIENCE).unwrap();
    one.canceller().cancel();
    assert_eq!(first.join().unwrap().unwrap_err(), Error::Cancelled);
    assert!(!is_open(&redirect_uri(&url)));
    assert!(!other.canceller().is_cancelled() && !pass.canceller().is_cancelled());

    let second = login(other.clone());
    let url = urls.recv_timeout(bench::PATIENCE).unwrap();
    assert_eq!(get(&sign_in(&url)).status, 200);
    second.join().unwrap().unwrap();
    pass.canceller().cancel();
    assert!(other.canceller().is_cancelled());
}

#[test]
fn a_pass_that_is_cancelled_hands_out_what_is_fresh_and_sends_nothing() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    let pass = bench.pass(&provider);
    pass.canceller().cancel();
    assert!(pass.access_token().is_ok());
    let before = bench.bytes();
    assert_eq!(pass.force_refresh().unwrap_err(), Error::Cancelled);
    assert!(provider.requests().is_empty() && bench.bytes() == before);
    assert!(bench.pass(&provider).force_refresh().is_ok());
}

#[test]
fn the_wait_for_another_thread_is_cancelled_too() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let browser = visitor().0;
    let pass = bench.at(&provider).storage(Storage::Memory).browser(browser).build().unwrap();
    pass.login(&mut Recorder::default()).unwrap();
    let here = arrivals(&provider, TOKEN, Some(Answer::never()));
    let holder = pass.clone();
    thread::spawn(move || holder.force_refresh());
    here.recv_timeout(bench::PATIENCE).unwrap();
    let waiting = pass.cancellable();
    let canceller = waiting.canceller();
    let waiter = thread::spawn(move || waiting.force_refresh());
    thread::sleep(Duration::from_millis(50));
    let (result, took) = timed(|| {
        canceller.cancel();
        waiter.join().unwrap()
    });
    assert_eq!(result.unwrap_err(), Error::Cancelled);
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn finishing_takes_no_time_where_nothing_is_under_way() {
    let (bench, provider) = expired();
    let (is_done, took) = timed(|| bench.pass(&provider).finish_saving(bench::PATIENCE));
    assert!(is_done && took < AT_ONCE, "{took:?}");
}

#[test]
fn p30_a_refresh_that_was_sent_is_finished_and_no_other_begins() {
    let (bench, provider) = expired();
    let before = bench.bytes();
    provider.slow(TOKEN, Duration::from_millis(300));
    let here = arrivals(&provider, TOKEN, None);
    let pass = bench.pass(&provider);
    let at_work = pass.clone();
    let refresh = thread::spawn(move || at_work.access_token());
    here.recv_timeout(bench::PATIENCE).unwrap();
    assert!(!pass.finish_saving(Duration::from_millis(50)));
    assert!(pass.finish_saving(bench::PATIENCE));
    assert!(bench.bytes() != before, "it is saved by now");
    assert!(refresh.join().unwrap().is_ok());
    assert_eq!(pass.force_refresh().unwrap_err(), Error::Cancelled);
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_logout_that_has_begun_is_finished() {
    let (bench, provider) = expired();
    provider.slow(provider.revoke_path(), Duration::from_millis(200));
    let here = arrivals(&provider, provider.revoke_path(), None);
    let pass = bench.pass(&provider);
    let at_work = pass.clone();
    thread::spawn(move || at_work.logout());
    here.recv_timeout(bench::PATIENCE).unwrap();
    assert!(pass.finish_saving(bench::PATIENCE));
    assert!(!bench.is_signed_in());
}

#[test]
fn a_login_that_waits_for_its_user_frees_its_port_and_is_over() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let (browser, urls) = playing(Url::clone);
    let pass = bench.at(&provider).browser(browser).build().unwrap();
    let at_work = pass.clone();
    thread::spawn(move || at_work.login(&mut Recorder::default()));
    let url = urls.recv_timeout(bench::PATIENCE).unwrap();
    let (is_done, took) = timed(|| pass.finish_saving(bench::PATIENCE));
    assert!(is_done && took < AT_ONCE, "{took:?}");
    assert!(!is_open(&redirect_uri(&url)) && !bench.is_signed_in());
}

/// Cancels a login so long after its code was sent.
struct LateCancel(Hallpass, Duration);

impl LoginUi for LateCancel {
    fn event(&mut self, event: LoginEvent) {
        if event == LoginEvent::Exchanging {
            let LateCancel(pass, delay) = self;
            let (canceller, delay) = (pass.canceller(), *delay);
            thread::spawn(move || {
                thread::sleep(delay);
                canceller.cancel();
            });
        }
    }
}

/// The moments lie close together where the record is written, and the last ones after that on any machine.
#[test]
fn a_login_cancelled_at_any_moment_is_cancelled_or_done_and_no_record_is_without_its_key() {
    let desk = Desk::sealed();
    let (mut old, mut new) = (0, 0);
    for round in 0..60 {
        let before = desk.bench.bytes();
        let pass = desk.builder().browser(visitor().0).build().unwrap();
        let outcome = pass.login(&mut LateCancel(pass.clone(), Duration::from_micros(150 * round * round)));
        assert!(matches!(outcome, Ok(_) | Err(Error::Cancelled)), "{outcome:?}");
        assert_eq!(desk.bench.bytes() == before, outcome.is_err(), "{round}");
        *(if outcome.is_err() { &mut old } else { &mut new }) += 1;
        assert!(desk.keychain.has(&desk.key_id()), "{round}: {outcome:?}");
        assert!(desk.pass().access_token().is_ok(), "{round}: {outcome:?}");
    }
    assert!(old > 0 && new > 0, "{old} old, {new} new");
}
