//! A failed refresh is remembered, so that the next process need not repeat it.

use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

use hallpass::error::{LoginRequired, NetworkError, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Error, Hallpass, Result, Storage, TokenRequest};
use hallpass_test::jose::{self, RS256};
use hallpass_test::library::{self, DAY, IMPATIENT, LibrarySandbox, RecordingUi, login, timed, visitor};
use hallpass_test::provider::{Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use serde_json::{Value, json};

const THREADS: usize = 20;

fn expired() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    sandbox.wait(DAY);
    (sandbox, provider)
}

fn network(error: Error) -> NetworkError {
    match error {
        Error::Network(error) => error,
        other => panic!("{other:?}"),
    }
}

fn kind(error: Error) -> NetworkErrorKind {
    network(error).kind
}

fn in_seconds(seconds: u64) -> String {
    httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds))
}

#[test]
fn p32_a_pause_that_the_server_asked_for_is_kept_by_every_process() {
    for (status, pause) in [(429, "120".to_owned()), (503, "120".to_owned()), (429, in_seconds(120))] {
        let (sandbox, provider) = expired();
        provider.next(1, TOKEN, Response::empty(status).header("Retry-After", &pause));
        let before = sandbox.bytes();
        assert_eq!(
            kind(sandbox.pass(&provider).access_token().unwrap_err()),
            NetworkErrorKind::Status(status)
        );
        for age in [0, 60, 50] {
            sandbox.wait(age);
            for _ in 0..10 {
                let error = network(sandbox.pass(&provider).access_token().unwrap_err());
                assert_eq!(error.kind, NetworkErrorKind::RetryLater, "{pause}");
                assert!(error.is_retryable() && error.to_string().contains("try again in"), "{error}");
                assert!(error.retry_after.is_some_and(|left| left <= Duration::from_secs(120)), "{error:?}");
            }
            assert_eq!(
                kind(sandbox.pass(&provider).force_refresh().unwrap_err()),
                NetworkErrorKind::RetryLater
            );
        }
        assert_eq!((provider.count(TOKEN), sandbox.bytes() == before), (1, true), "{pause}");
        sandbox.wait(10);
        sandbox.pass(&provider).access_token().unwrap();
        assert_eq!(provider.count(TOKEN), 2);
    }
}

#[test]
fn p32_a_token_that_lives_on_is_handed_out_during_the_pause() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    sandbox.wait(7200 - 20);
    provider.always(TOKEN, Response::empty(429).header("Retry-After", "600"));
    for _ in 0..5 {
        let token = sandbox.pass(&provider).access_token().unwrap();
        assert_eq!(
            (token.expose(), token.notes().len()),
            (sandbox.record()["secret"]["access_tokens"][0].as_str().unwrap(), 1)
        );
    }
    assert_eq!(provider.count(TOKEN), 1);
    sandbox.wait(20);
    assert_eq!(kind(sandbox.pass(&provider).access_token().unwrap_err()), NetworkErrorKind::RetryLater);
}

#[test]
fn p32_a_pause_in_memory_is_kept_by_every_thread() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let pass = sandbox.at(&provider).storage(Storage::Memory).browser(visitor().0).build().unwrap();
    pass.login(&mut RecordingUi::default()).unwrap();
    sandbox.wait(DAY);
    provider.forget();
    provider.next(1, TOKEN, Response::empty(429).header("Retry-After", "120"));
    pass.access_token().unwrap_err();
    assert_eq!(kind(pass.clone().access_token().unwrap_err()), NetworkErrorKind::RetryLater);
    sandbox.wait(120);
    pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2);
}

#[test]
fn a_pause_that_one_server_asked_for_does_not_hold_for_the_sign_in_that_came_after_it() {
    let (sandbox, provider) = expired();
    provider.next(1, TOKEN, Response::empty(429).header("Retry-After", "3600"));
    sandbox.pass(&provider).access_token().unwrap_err();
    let other = Provider::clerk();
    login(sandbox.at(&other), visitor().0).unwrap();
    sandbox.pass(&other).force_refresh().unwrap();
}

/// Returns the results of threads that all find the token expired while the first of them refreshes.
fn convoy(pass: impl Fn() -> Hallpass) -> Vec<Result<AccessToken>> {
    let barrier = Arc::new(Barrier::new(THREADS));
    let start = |pass: Hallpass| {
        let barrier = barrier.clone();
        thread::spawn(move || {
            barrier.wait();
            pass.access_token()
        })
    };
    let threads: Vec<_> = (0..THREADS).map(|_| start(pass())).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// One fails by itself, the others by what that one found out, and all after one wait.
fn fails_once(
    pass: impl Fn(&LibrarySandbox, &Provider) -> Hallpass,
    answer: Response,
    first: NetworkErrorKind,
) -> usize {
    let (sandbox, provider) = expired();
    provider.on(TOKEN, move |_| {
        thread::sleep(IMPATIENT / 2);
        Some(answer.clone())
    });
    let before = sandbox.bytes();
    let (results, took) = timed(|| convoy(|| pass(&sandbox, &provider)));
    let kinds: Vec<NetworkErrorKind> = results.into_iter().map(|result| kind(result.unwrap_err())).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == first).count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == NetworkErrorKind::FailedElsewhere).count(), THREADS - 1);
    assert!(sandbox.bytes() == before);
    assert!(took < 3 * IMPATIENT + library::PATIENCE / 2, "{took:?}");
    provider.count(TOKEN)
}

fn impatient(sandbox: &LibrarySandbox, provider: &Provider) -> Hallpass {
    sandbox.at(provider).request_timeout(IMPATIENT).build().unwrap()
}

#[test]
fn p27_whoever_waited_for_a_refresh_that_failed_does_not_fail_once_more_by_itself() {
    assert_eq!(fails_once(impatient, Response::never(), NetworkErrorKind::TimedOut), 2);
    assert_eq!(fails_once(impatient, Response::empty(500), NetworkErrorKind::Status(500)), 1);
}

#[test]
fn p27_threads_that_waited_for_a_refresh_that_failed_do_not_fail_once_more_by_themselves() {
    let shared = OnceLock::new();
    let pass = move |sandbox: &LibrarySandbox, provider: &Provider| {
        shared.get_or_init(|| impatient(sandbox, provider)).clone()
    };
    assert_eq!(fails_once(pass, Response::empty(500), NetworkErrorKind::Status(500)), 1);
}

#[test]
fn who_comes_after_a_failure_tries_again() {
    let (sandbox, provider) = expired();
    provider.next(1, TOKEN, Response::empty(500));
    sandbox.pass(&provider).access_token().unwrap_err();
    sandbox.pass(&provider).access_token().unwrap();
}

#[test]
fn p27_whoever_waited_for_the_end_of_the_session_learns_of_it_without_asking() {
    let (sandbox, provider) = expired();
    provider.end_sessions();
    provider.slow(TOKEN, Duration::from_millis(100));
    for result in convoy(|| sandbox.pass(&provider)) {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(Some(_)))), "{error:?}");
    }
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn refusals_that_do_not_end_the_session_are_counted_over_a_minute() {
    let (sandbox, provider) = expired();
    provider.always(TOKEN, Response::oauth_error(401, "invalid_client"));
    let before = sandbox.bytes();
    let refused = || network(sandbox.pass(&provider).access_token().unwrap_err());
    for wait in [0, 10, 49] {
        sandbox.wait(wait);
        assert_eq!(refused().kind, NetworkErrorKind::Status(401));
    }
    sandbox.wait(2);
    let error = refused();
    assert_eq!(error.kind, NetworkErrorKind::RefusedRepeatedly(4));
    assert!(error.to_string().contains("invalid_client"), "{error}");
    assert!(!error.is_retryable(), "no more than each of the refusals was");
    assert!(sandbox.bytes() == before);
}

#[test]
fn three_refusals_are_enough_and_two_are_not() {
    let (sandbox, provider) = expired();
    provider.always(TOKEN, Response::html(403, "<h1>Blocked</h1>"));
    for (wait, expected) in [
        (0, NetworkErrorKind::Status(403)),
        (61, NetworkErrorKind::Status(403)),
        (1, NetworkErrorKind::RefusedRepeatedly(3)),
    ] {
        sandbox.wait(wait);
        assert_eq!(kind(sandbox.pass(&provider).access_token().unwrap_err()), expected);
    }
}

#[test]
fn a_refresh_that_works_and_a_new_sign_in_begin_the_count_anew() {
    let afresh: [fn(&LibrarySandbox, &Provider); 2] = [
        |sandbox, provider| drop(sandbox.pass(provider).access_token().unwrap()),
        |sandbox, provider| drop(login(sandbox.at(provider), visitor().0).unwrap()),
    ];
    for begin_afresh in afresh {
        let (sandbox, provider) = expired();
        provider.next(3, TOKEN, Response::oauth_error(400, "invalid_scope"));
        for _ in 0..3 {
            sandbox.wait(20);
            sandbox.pass(&provider).access_token().unwrap_err();
        }
        begin_afresh(&sandbox, &provider);
        sandbox.wait(DAY);
        provider.always(TOKEN, Response::oauth_error(400, "invalid_scope"));
        assert_eq!(kind(sandbox.pass(&provider).access_token().unwrap_err()), NetworkErrorKind::Status(400));
    }
}

#[test]
fn a_server_in_trouble_is_not_one_that_refuses() {
    let (sandbox, provider) = expired();
    for status in [500, 429, 408, 425, 503, 500] {
        provider.next(1, TOKEN, Response::empty(status));
        sandbox.wait(60);
        assert_eq!(
            kind(sandbox.pass(&provider).access_token().unwrap_err()),
            NetworkErrorKind::Status(status)
        );
    }
}

#[test]
fn p45_a_newer_record_is_handed_out_while_it_lives_and_never_renewed() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    sandbox.edit(|record| record["version"] = json!(2));
    let before = sandbox.files();
    sandbox.wait(7200 - 20);
    let token = sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(token.notes().len(), 1);
    assert!(token.notes()[0].contains("newer version"), "{:?}", token.notes());
    sandbox.wait(20);
    let error = sandbox.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Newer { .. })), "{error:?}");
    assert!(sandbox.files() == before && provider.requests().is_empty());
}

fn access(sandbox: &LibrarySandbox, index: usize) -> Value {
    sandbox.record()["access"][index].clone()
}

#[test]
fn p32_each_resources_token_lives_by_its_own_clock() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.twist_tokens(|tokens| tokens["expires_in"] = json!(40));
    sandbox.signed_in(&provider);
    let api = TokenRequest::default().resource("https://api.example.com");
    let pass = sandbox.pass(&provider);
    sandbox.wait(15);
    let first = pass.access_token_for(&api).unwrap();
    assert!(access(&sandbox, 0).get("obtained_at").is_none(), "the login's");
    sandbox.wait(6);
    assert_eq!(pass.access_token_for(&api).unwrap().expose(), first.expose(), "6 of its 40 s have passed");
    assert_eq!(provider.count(TOKEN), 1);
    pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2, "21 of 40 s have passed");
    assert_ne!(access(&sandbox, 0)["obtained_at"], access(&sandbox, 1)["obtained_at"]);
    sandbox.wait(15);
    pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2);
    assert_ne!(pass.access_token_for(&api).unwrap().expose(), first.expose());
    assert_eq!(provider.count(TOKEN), 3);
}

/// The stored ID token after a refresh that brought `spoilt` ones.
fn id_token_after(spoil: impl Fn(&Provider)) -> (Value, Value, AccessToken) {
    let (sandbox, provider) = expired();
    let before = sandbox.record()["secret"]["id_token"].clone();
    spoil(&provider);
    let token = sandbox.pass(&provider).access_token().unwrap();
    let record = sandbox.record();
    assert_eq!(record["secret"]["access_tokens"][0], token.expose());
    (before, record["secret"]["id_token"].clone(), token)
}

#[test]
fn an_id_token_that_is_wrong_does_not_take_the_place_of_one_that_was_verified() {
    type Spoil = fn(&Provider);
    let spoilt: [(&str, Spoil); 4] = [
        ("forged", |provider| {
            provider.sign_by(|claims| {
                let good = RS256.sign(&RS256.header(), claims);
                format!("{}AAAA{}", &good[..good.len() - 20], &good[good.len() - 16..])
            });
        }),
        ("unsigned", |provider| {
            provider.sign_by(|claims| format!("{}.", jose::unsigned(&json!({ "alg": "none" }), claims)));
        }),
        ("unreadable", |provider| provider.sign_by(|_| "CANARY".to_owned())),
        ("expired", |provider| provider.twist_claims(|claims| claims["exp"] = json!(1_000_000_000))),
    ];
    for (name, spoil) in spoilt {
        let (before, after, token) = id_token_after(spoil);
        assert_eq!((after, token.notes().len()), (before, 1), "{name}: {:?}", token.notes());
    }
    let (before, after, token) = id_token_after(|_| ());
    assert_eq!((after == before, token.notes().len()), (false, 0));
}

/// The login did not identify the user, so a later ID token has nothing to be compared with.
#[test]
fn an_id_token_that_nothing_is_known_about_is_not_kept() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.always(hallpass_test::provider::USERINFO, Response::empty(503));
    login(sandbox.at(&provider).scopes(["offline_access"]), visitor().0).unwrap();
    assert!(sandbox.record()["user"].is_null());
    sandbox.wait(DAY);
    provider.twist_tokens(|tokens| tokens["id_token"] = json!("CANARY.of.mallory"));
    let pass = sandbox.pass(&provider);
    pass.access_token().unwrap();
    assert!(sandbox.record()["secret"].get("id_token").is_none());
    pass.id_token().unwrap_err();
}
