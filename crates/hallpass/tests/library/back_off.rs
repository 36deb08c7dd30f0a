//! What one refresh that failed tells all the others: whoever comes next need not find out again what is known.

use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

use hallpass::error::{LoginRequired, NetworkError, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Error, Hallpass, Result, Storage, TokenWish};
use serde_json::{Value, json};

use crate::bench::{self, Bench, IMPATIENT, Recorder, login, timed, visitor};
use crate::desk::DAY;
use crate::jose::{self, RS256};
use crate::provider::{Provider, TOKEN};
use crate::scripted::Answer;

const THREADS: usize = 20;

fn expired() -> (Bench, Provider) {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    bench.wait(DAY);
    (bench, provider)
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
        let (bench, provider) = expired();
        provider.next(1, TOKEN, Answer::empty(status).header("Retry-After", &pause));
        let before = bench.bytes();
        assert_eq!(kind(bench.pass(&provider).access_token().unwrap_err()), NetworkErrorKind::Status(status));
        for age in [0, 60, 50] {
            bench.wait(age);
            for _ in 0..10 {
                let error = network(bench.pass(&provider).access_token().unwrap_err());
                assert_eq!(error.kind, NetworkErrorKind::RetryLater, "{pause}");
                assert!(error.is_retryable() && error.to_string().contains("try again in"), "{error}");
                assert!(error.retry_after.is_some_and(|left| left <= Duration::from_secs(120)), "{error:?}");
            }
            assert_eq!(
                kind(bench.pass(&provider).force_refresh().unwrap_err()),
                NetworkErrorKind::RetryLater
            );
        }
        assert_eq!((provider.count(TOKEN), bench.bytes() == before), (1, true), "{pause}");
        bench.wait(10);
        bench.pass(&provider).access_token().unwrap();
        assert_eq!(provider.count(TOKEN), 2);
    }
}

#[test]
fn p32_a_token_that_lives_on_is_handed_out_during_the_pause() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    bench.wait(7200 - 20);
    provider.always(TOKEN, Answer::empty(429).header("Retry-After", "600"));
    for _ in 0..5 {
        let token = bench.pass(&provider).access_token().unwrap();
        assert_eq!(
            (token.expose(), token.notes().len()),
            (bench.record()["secret"]["access_tokens"][0].as_str().unwrap(), 1)
        );
    }
    assert_eq!(provider.count(TOKEN), 1);
    bench.wait(20);
    assert_eq!(kind(bench.pass(&provider).access_token().unwrap_err()), NetworkErrorKind::RetryLater);
}

#[test]
fn p32_a_pause_in_memory_is_kept_by_every_thread() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let pass = bench.at(&provider).storage(Storage::Memory).browser(visitor().0).build().unwrap();
    pass.login(&mut Recorder::default()).unwrap();
    bench.wait(DAY);
    provider.forget();
    provider.next(1, TOKEN, Answer::empty(429).header("Retry-After", "120"));
    pass.access_token().unwrap_err();
    assert_eq!(kind(pass.clone().access_token().unwrap_err()), NetworkErrorKind::RetryLater);
    bench.wait(120);
    pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2);
}

#[test]
fn a_pause_that_one_server_asked_for_does_not_hold_for_the_sign_in_that_came_after_it() {
    let (bench, provider) = expired();
    provider.next(1, TOKEN, Answer::empty(429).header("Retry-After", "3600"));
    bench.pass(&provider).access_token().unwrap_err();
    let other = Provider::clerk();
    login(bench.at(&other), visitor().0).unwrap();
    bench.pass(&other).force_refresh().unwrap();
}

/// What as many threads get that all find the token expired, while the first of them is under way.
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
    pass: impl Fn(&Bench, &Provider) -> Hallpass,
    answer: Answer,
    first: NetworkErrorKind,
) -> usize {
    let (bench, provider) = expired();
    provider.on(TOKEN, move |_| {
        thread::sleep(IMPATIENT / 2);
        Some(answer.clone())
    });
    let before = bench.bytes();
    let (results, took) = timed(|| convoy(|| pass(&bench, &provider)));
    let kinds: Vec<NetworkErrorKind> = results.into_iter().map(|result| kind(result.unwrap_err())).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == first).count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == NetworkErrorKind::FailedElsewhere).count(), THREADS - 1);
    assert!(bench.bytes() == before);
    assert!(took < 3 * IMPATIENT + bench::PATIENCE / 2, "{took:?}");
    provider.count(TOKEN)
}

fn impatient(bench: &Bench, provider: &Provider) -> Hallpass {
    bench.at(provider).request_timeout(IMPATIENT).build().unwrap()
}

#[test]
fn p27_whoever_waited_for_a_refresh_that_failed_does_not_fail_once_more_by_itself() {
    assert_eq!(fails_once(impatient, Answer::never(), NetworkErrorKind::TimedOut), 2);
    assert_eq!(fails_once(impatient, Answer::empty(500), NetworkErrorKind::Status(500)), 1);
}

#[test]
fn p27_threads_that_waited_for_a_refresh_that_failed_do_not_fail_once_more_by_themselves() {
    let shared = OnceLock::new();
    let pass =
        move |bench: &Bench, provider: &Provider| shared.get_or_init(|| impatient(bench, provider)).clone();
    assert_eq!(fails_once(pass, Answer::empty(500), NetworkErrorKind::Status(500)), 1);
}

#[test]
fn who_comes_after_a_failure_tries_again() {
    let (bench, provider) = expired();
    provider.next(1, TOKEN, Answer::empty(500));
    bench.pass(&provider).access_token().unwrap_err();
    bench.pass(&provider).access_token().unwrap();
}

#[test]
fn p27_whoever_waited_for_the_end_of_the_session_learns_of_it_without_asking() {
    let (bench, provider) = expired();
    provider.end_sessions();
    provider.slow(TOKEN, Duration::from_millis(100));
    for result in convoy(|| bench.pass(&provider)) {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(Some(_)))), "{error:?}");
    }
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn refusals_that_do_not_end_the_session_are_counted_over_a_minute() {
    let (bench, provider) = expired();
    provider.always(TOKEN, Answer::oauth_error(401, "invalid_client"));
    let before = bench.bytes();
    let refused = || network(bench.pass(&provider).access_token().unwrap_err());
    for wait in [0, 10, 49] {
        bench.wait(wait);
        assert_eq!(refused().kind, NetworkErrorKind::Status(401));
    }
    bench.wait(2);
    let error = refused();
    assert_eq!(error.kind, NetworkErrorKind::RefusedRepeatedly(4));
    assert!(error.to_string().contains("invalid_client"), "{error}");
    assert!(!error.is_retryable(), "no more than each of the refusals was");
    assert!(bench.bytes() == before);
}

#[test]
fn three_refusals_are_enough_and_two_are_not() {
    let (bench, provider) = expired();
    provider.always(TOKEN, Answer::html(403, "<h1>Blocked</h1>"));
    for (wait, expected) in [
        (0, NetworkErrorKind::Status(403)),
        (61, NetworkErrorKind::Status(403)),
        (1, NetworkErrorKind::RefusedRepeatedly(3)),
    ] {
        bench.wait(wait);
        assert_eq!(kind(bench.pass(&provider).access_token().unwrap_err()), expected);
    }
}

#[test]
fn a_refresh_that_works_and_a_new_sign_in_begin_the_count_anew() {
    let afresh: [fn(&Bench, &Provider); 2] = [
        |bench, provider| drop(bench.pass(provider).access_token().unwrap()),
        |bench, provider| drop(login(bench.at(provider), visitor().0).unwrap()),
    ];
    for begin_afresh in afresh {
        let (bench, provider) = expired();
        provider.next(3, TOKEN, Answer::oauth_error(400, "invalid_scope"));
        for _ in 0..3 {
            bench.wait(20);
            bench.pass(&provider).access_token().unwrap_err();
        }
        begin_afresh(&bench, &provider);
        bench.wait(DAY);
        provider.always(TOKEN, Answer::oauth_error(400, "invalid_scope"));
        assert_eq!(kind(bench.pass(&provider).access_token().unwrap_err()), NetworkErrorKind::Status(400));
    }
}

#[test]
fn a_server_in_trouble_is_not_one_that_refuses() {
    let (bench, provider) = expired();
    for status in [500, 429, 408, 425, 503, 500] {
        provider.next(1, TOKEN, Answer::empty(status));
        bench.wait(60);
        assert_eq!(kind(bench.pass(&provider).access_token().unwrap_err()), NetworkErrorKind::Status(status));
    }
}

#[test]
fn p45_a_newer_record_is_handed_out_while_it_lives_and_never_renewed() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    bench.edit(|record| record["version"] = json!(2));
    let before = bench.files();
    bench.wait(7200 - 20);
    let token = bench.pass(&provider).access_token().unwrap();
    assert_eq!(token.notes().len(), 1);
    assert!(token.notes()[0].contains("newer version"), "{:?}", token.notes());
    bench.wait(20);
    let error = bench.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Newer { .. })), "{error:?}");
    assert!(bench.files() == before && provider.requests().is_empty());
}

fn access(bench: &Bench, index: usize) -> Value {
    bench.record()["access"][index].clone()
}

#[test]
fn p32_each_resources_token_lives_by_its_own_clock() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    provider.twist_tokens(|tokens| tokens["expires_in"] = json!(40));
    bench.signed_in(&provider);
    let api = TokenWish::default().resource("https://api.example.com");
    let pass = bench.pass(&provider);
    bench.wait(15);
    let first = pass.access_token_with(&api).unwrap();
    assert!(access(&bench, 0).get("obtained_at").is_none(), "the login's");
    bench.wait(6);
    assert_eq!(pass.access_token_with(&api).unwrap().expose(), first.expose(), "6 of its 40 s have passed");
    assert_eq!(provider.count(TOKEN), 1);
    pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2, "21 of 40 s have passed");
    assert_ne!(access(&bench, 0)["obtained_at"], access(&bench, 1)["obtained_at"]);
    bench.wait(15);
    pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2);
    assert_ne!(pass.access_token_with(&api).unwrap().expose(), first.expose());
    assert_eq!(provider.count(TOKEN), 3);
}

/// The stored ID token after a refresh that brought `spoilt` ones.
fn id_token_after(spoil: impl Fn(&Provider)) -> (Value, Value, AccessToken) {
    let (bench, provider) = expired();
    let before = bench.record()["secret"]["id_token"].clone();
    spoil(&provider);
    let token = bench.pass(&provider).access_token().unwrap();
    let record = bench.record();
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

/// Who signed in was never told, so an ID token that comes later cannot be compared with anything.
#[test]
fn an_id_token_that_nothing_is_known_about_is_not_kept() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    provider.always(crate::provider::USERINFO, Answer::empty(503));
    login(bench.at(&provider).scopes(["offline_access"]), visitor().0).unwrap();
    assert!(bench.record()["user"].is_null());
    bench.wait(DAY);
    provider.twist_tokens(|tokens| tokens["id_token"] = json!("CANARY.of.mallory"));
    let pass = bench.pass(&provider);
    pass.access_token().unwrap();
    assert!(bench.record()["secret"].get("id_token").is_none());
    pass.id_token().unwrap_err();
}
