//! Ending a call, and the process: what is given up, what is finished first, and what is left behind.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hallpass::{Error, Hallpass, LoginEvent, LoginUi, Storage};
use hallpass_test::library::{
    self, AT_ONCE, DAY, KeychainSetup, LibrarySandbox, RecordingUi, get, is_open, playing, redirect_uri,
    sign_in, timed, visitor,
};
use hallpass_test::provider::{Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use url::Url;

fn expired() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    sandbox.wait(DAY);
    (sandbox, provider)
}

/// Tells when a request to this path arrived.
fn arrivals(provider: &Provider, path: &str, answer: Option<Response>) -> mpsc::Receiver<()> {
    let (arrived, here) = mpsc::channel();
    provider.on(path, move |_| {
        let _ = arrived.send(());
        answer.clone()
    });
    here
}

#[test]
fn a_call_is_cancelled_by_itself_or_with_all_others() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, urls) = playing(Url::clone);
    let pass = sandbox.at(&provider).browser(browser).build().unwrap();
    let (one, other) = (pass.cancellable(), pass.cancellable());
    let login = |pass: Hallpass| thread::spawn(move || pass.login(&mut RecordingUi::default()));
    let first = login(one.clone());
    let url = urls.recv_timeout(library::PATIENCE).unwrap();
    one.canceller().cancel();
    assert_eq!(first.join().unwrap().unwrap_err(), Error::Cancelled);
    assert!(!is_open(&redirect_uri(&url)));
    assert!(!other.canceller().is_cancelled() && !pass.canceller().is_cancelled());

    let second = login(other.clone());
    let url = urls.recv_timeout(library::PATIENCE).unwrap();
    assert_eq!(get(&sign_in(&url)).status, 200);
    second.join().unwrap().unwrap();
    pass.canceller().cancel();
    assert!(other.canceller().is_cancelled());
}

#[test]
fn a_pass_that_is_cancelled_hands_out_what_is_fresh_and_sends_nothing() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let pass = sandbox.pass(&provider);
    pass.canceller().cancel();
    assert!(pass.access_token().is_ok());
    let before = sandbox.bytes();
    assert_eq!(pass.force_refresh().unwrap_err(), Error::Cancelled);
    assert!(provider.requests().is_empty() && sandbox.bytes() == before);
    assert!(sandbox.pass(&provider).force_refresh().is_ok());
}

#[test]
fn the_wait_for_another_thread_is_cancelled_too() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let browser = visitor().0;
    let pass = sandbox.at(&provider).storage(Storage::Memory).browser(browser).build().unwrap();
    pass.login(&mut RecordingUi::default()).unwrap();
    let here = arrivals(&provider, TOKEN, Some(Response::never()));
    let holder = pass.clone();
    thread::spawn(move || holder.force_refresh());
    here.recv_timeout(library::PATIENCE).unwrap();
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
    let (sandbox, provider) = expired();
    let (is_done, took) = timed(|| sandbox.pass(&provider).finish_saving(library::PATIENCE));
    assert!(is_done && took < AT_ONCE, "{took:?}");
}

#[test]
fn p30_a_refresh_that_was_sent_is_finished_and_no_other_begins() {
    let (sandbox, provider) = expired();
    let before = sandbox.bytes();
    provider.slow(TOKEN, Duration::from_millis(300));
    let here = arrivals(&provider, TOKEN, None);
    let pass = sandbox.pass(&provider);
    let at_work = pass.clone();
    let refresh = thread::spawn(move || at_work.access_token());
    here.recv_timeout(library::PATIENCE).unwrap();
    assert!(!pass.finish_saving(Duration::from_millis(50)));
    assert!(pass.finish_saving(library::PATIENCE));
    assert!(sandbox.bytes() != before, "it is saved by now");
    assert!(refresh.join().unwrap().is_ok());
    assert_eq!(pass.force_refresh().unwrap_err(), Error::Cancelled);
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_logout_that_has_begun_is_finished() {
    let (sandbox, provider) = expired();
    provider.slow(provider.revoke_path(), Duration::from_millis(200));
    let here = arrivals(&provider, provider.revoke_path(), None);
    let pass = sandbox.pass(&provider);
    let at_work = pass.clone();
    thread::spawn(move || at_work.logout());
    here.recv_timeout(library::PATIENCE).unwrap();
    assert!(pass.finish_saving(library::PATIENCE));
    assert!(!sandbox.is_signed_in());
}

#[test]
fn a_login_that_waits_for_its_user_frees_its_port_and_is_over() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, urls) = playing(Url::clone);
    let pass = sandbox.at(&provider).browser(browser).build().unwrap();
    let at_work = pass.clone();
    thread::spawn(move || at_work.login(&mut RecordingUi::default()));
    let url = urls.recv_timeout(library::PATIENCE).unwrap();
    let (is_done, took) = timed(|| pass.finish_saving(library::PATIENCE));
    assert!(is_done && took < AT_ONCE, "{took:?}");
    assert!(!is_open(&redirect_uri(&url)) && !sandbox.is_signed_in());
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
    let setup = KeychainSetup::sealed();
    let (mut old, mut new) = (0, 0);
    for round in 0..60 {
        let before = setup.sandbox.bytes();
        let pass = setup.builder().browser(visitor().0).build().unwrap();
        let outcome = pass.login(&mut LateCancel(pass.clone(), Duration::from_micros(150 * round * round)));
        assert!(matches!(outcome, Ok(_) | Err(Error::Cancelled)), "{outcome:?}");
        assert_eq!(setup.sandbox.bytes() == before, outcome.is_err(), "{round}");
        *(if outcome.is_err() { &mut old } else { &mut new }) += 1;
        assert!(setup.keychain.has(&setup.key_id()), "{round}: {outcome:?}");
        assert!(setup.pass().access_token().is_ok(), "{round}: {outcome:?}");
    }
    assert!(old > 0 && new > 0, "{old} old, {new} new");
}
