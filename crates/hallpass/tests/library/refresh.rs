//! Handing out access tokens: when they are renewed, how often, and what survives when they are not.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use hallpass::error::{LoginRequired, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Environment, Error, Hallpass, Result, State, Storage, TokenWish};
use serde_json::{Value, json};

use crate::bench::{self, Bench, IMPATIENT, login, unopened, visitor};
use crate::conformance::with_foreign_signature;
use crate::jose::{self, RS256};
use crate::provider::{EMAIL, JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, Provider, TOKEN};
use crate::scripted::{Answer, Scripted};

/// Later than the end of every access token here.
const DAY: u64 = 24 * 3600 - 60;

/// A signed-in bench with its provider, whose access token lives for 7200 s.
fn clerk() -> (Bench, Provider) {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    (bench, provider)
}

/// The same when the access token has expired.
fn expired() -> (Bench, Provider) {
    let (bench, provider) = clerk();
    bench.wait(DAY);
    (bench, provider)
}

fn stored_access_token(bench: &Bench) -> Value {
    bench.record()["secret"]["access_tokens"][0].clone()
}

fn stored_refresh_token(bench: &Bench) -> Value {
    bench.record()["secret"]["refresh_token"].clone()
}

#[test]
fn a_fresh_token_costs_no_request_and_no_write() {
    let (bench, provider) = clerk();
    let before = bench.files();
    bench.wait(7200 - 31 - 5);
    let token = bench.pass(&provider).access_token().unwrap();
    assert_eq!(stored_access_token(&bench), token.expose());
    assert_eq!(token.scopes(), ["openid", "profile", "email", "offline_access"]);
    assert_eq!((token.profile(), token.issuer()), ("default", provider.issuer()));
    assert_eq!(token.notes(), [""; 0]);
    assert!(bench.files() == before);
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn less_than_30_seconds_before_its_end_a_token_is_renewed() {
    let now = unix_now();
    for (left, renewals) in [(60, 0), (33, 0), (29, 1), (1, 1), (0, 1)] {
        let (bench, provider) = clerk();
        bench.edit(|record| {
            record["obtained_at"] = json!(rfc3339(now - 3600));
            record["access"][0]["expires_at"] = json!(rfc3339(now + left));
        });
        bench.pass(&provider).access_token().unwrap();
        assert_eq!(provider.count(TOKEN), renewals, "{left} s left");
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn rfc3339(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

#[test]
fn n83_a_refresh_sends_the_refresh_token_and_the_client_and_nothing_else() {
    let (bench, provider) = expired();
    let refresh_token = stored_refresh_token(&bench);
    bench.pass(&provider).access_token().unwrap();
    let [request] = provider.requests_to(TOKEN).try_into().unwrap();
    assert_eq!(request.fields(), ["grant_type", "refresh_token", "client_id"]);
    assert_eq!(request.param("refresh_token"), refresh_token.as_str());
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn n79_the_rotated_token_is_in_the_record_when_the_access_token_is_handed_out() {
    let (bench, provider) = expired();
    let old = stored_refresh_token(&bench);
    let token = bench.pass(&provider).access_token().unwrap();
    assert_eq!(stored_access_token(&bench), token.expose());
    assert!(!String::from_utf8(bench.bytes()).unwrap().contains(old.as_str().unwrap()));
    bench.wait(DAY);
    bench.pass(&provider).access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2);
}

#[test]
fn n80_the_rotated_token_is_saved_before_anything_else_is_sent() {
    let (bench, provider) = expired();
    let (path, before) = (bench.path(), bench.bytes());
    let seen = Arc::new(Mutex::new(None));
    let saved = seen.clone();
    provider.on(JWKS, move |_| {
        *saved.lock().unwrap() = Some(std::fs::read(&path).unwrap());
        None
    });
    bench.pass(&provider).access_token().unwrap();
    let at_that_time = seen.lock().unwrap().take().expect("the renewed ID token is checked with fresh keys");
    assert!(at_that_time != before);
}

#[test]
fn p33_without_a_new_refresh_token_the_old_one_stays() {
    let absent: [fn(&mut Value); 3] = [
        |tokens| drop(tokens.as_object_mut().unwrap().remove("refresh_token")),
        |tokens| tokens["refresh_token"] = Value::Null,
        |tokens| tokens["refresh_token"] = json!(""),
    ];
    for twist in absent {
        let (bench, provider) = (Bench::new(), bench::paylent());
        bench.signed_in(&provider);
        let old = stored_refresh_token(&bench);
        provider.twist_tokens(twist);
        for _ in 0..2 {
            bench.wait(3600);
            bench.pass(&provider).access_token().unwrap();
        }
        assert_eq!((stored_refresh_token(&bench), provider.count(TOKEN)), (old, 2));
    }
}

#[test]
fn p33_whatever_an_answer_says_of_the_refresh_token_the_next_refresh_works() {
    let (bench, provider) = (Bench::new(), bench::paylent());
    bench.signed_in(&provider);
    let same = stored_refresh_token(&bench);
    let answers = [None, Some(Value::Null), Some(json!("")), Some(same), None];
    for (round, answer) in answers.into_iter().enumerate() {
        provider.twist_tokens(move |tokens| {
            tokens.as_object_mut().unwrap().remove("refresh_token");
            tokens
                .as_object_mut()
                .unwrap()
                .extend(answer.clone().map(|answer| ("refresh_token".to_owned(), answer)));
        });
        bench.wait(3600);
        bench.pass(&provider).access_token().unwrap();
        assert_eq!(provider.count(TOKEN), round + 1);
    }
    provider.twist_tokens(|tokens| tokens["refresh_token"] = json!("new"));
    bench.wait(3600);
    bench.pass(&provider).access_token().unwrap();
    assert_eq!(stored_refresh_token(&bench), "new");
}

#[test]
fn n82_invalid_grant_ends_the_session_whatever_its_status_and_nobody_asks_again() {
    for status in [400, 401, 403, 200] {
        let (bench, provider) = expired();
        provider.always(TOKEN, Answer::oauth_error(status, "invalid_grant"));
        for _ in 0..2 {
            let error = bench.pass(&provider).access_token().unwrap_err();
            let Error::LoginRequired(LoginRequired::Ended(Some(error))) = error else { panic!("{error:?}") };
            assert_eq!(error.to_string(), "invalid_grant (invalid_grant it is)", "{status}");
        }
        assert_eq!(provider.count(TOKEN), 1, "{status}");
        let record = bench.record();
        assert_eq!(record["tombstone"]["error"], "invalid_grant");
        assert_eq!(record["user"]["email"], EMAIL);
        assert!(matches!(bench.pass(&provider).status().state, State::LoginRequired(_)));
    }
}

#[test]
fn p66_an_ended_session_hands_out_no_token_that_only_looks_alive() {
    let (bench, provider) = clerk();
    provider.end_sessions();
    let pass = bench.pass(&provider);
    assert!(matches!(pass.force_refresh(), Err(Error::LoginRequired(LoginRequired::Ended(_)))));
    assert!(matches!(pass.access_token(), Err(Error::LoginRequired(LoginRequired::Ended(_)))));
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_new_login_lifts_the_tombstone() {
    let (bench, provider) = expired();
    provider.end_sessions();
    bench.pass(&provider).access_token().unwrap_err();
    login(bench.at(&provider), visitor().0).unwrap();
    assert!(bench.record().get("tombstone").is_none());
    bench.pass(&provider).access_token().unwrap();
}

/// While a refresh is under way, somebody writes the record without minding the lock.
fn replaced_during_refresh(bench: &Bench, provider: &Provider, answer: Option<Answer>, left: u64) {
    let path = bench.path();
    let mut record = bench.record();
    record["access"][0]["expires_at"] = json!(rfc3339(unix_now() + DAY + left));
    record["secret"]["refresh_token"] = json!("newer");
    record["secret"]["access_tokens"][0] = json!("newer");
    provider.on(TOKEN, move |_| {
        std::fs::write(&path, record.to_string()).unwrap();
        answer.clone()
    });
}

#[test]
fn n112_a_refusal_or_a_grant_for_a_token_that_was_replaced_meanwhile_changes_nothing() {
    for answer in [None, Some(Answer::oauth_error(400, "invalid_grant"))] {
        let (bench, provider) = expired();
        replaced_during_refresh(&bench, &provider, answer.clone(), 3600);
        assert_eq!(bench.pass(&provider).access_token().unwrap().expose(), "newer");
        assert_eq!(stored_refresh_token(&bench), "newer");

        let (bench, provider) = expired();
        replaced_during_refresh(&bench, &provider, answer, 0);
        assert!(bench.pass(&provider).access_token().unwrap_err().is_retryable());
        assert_eq!(stored_refresh_token(&bench), "newer");
        assert!(bench.record().get("tombstone").is_none());
    }
}

#[test]
fn a_refresh_that_ends_after_a_logout_does_not_bring_the_session_back() {
    let (bench, provider) = expired();
    let path = bench.path();
    provider.on(TOKEN, move |_| {
        std::fs::remove_file(&path).unwrap();
        None
    });
    let error = bench.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    assert!(!bench.is_signed_in());
}

/// Answers that say nothing about the session.
fn passing_answers() -> Vec<(&'static str, Answer, NetworkErrorKind)> {
    use NetworkErrorKind::{Broken, InvalidResponse, Status, TimedOut};
    let grant = json!({ "access_token": "x", "token_type": "Bearer" });
    vec![
        ("429", Answer::empty(429).header("Retry-After", "7"), Status(429)),
        ("503", Answer::empty(503), Status(503)),
        ("500 HTML", Answer::html(500, "<h1>invalid_grant</h1>"), Status(500)),
        ("500 JSON", Answer::oauth_error(500, "server_error"), Status(500)),
        ("403 HTML of a proxy", Answer::html(403, "<h1>Blocked</h1>"), Status(403)),
        ("407", Answer::html(407, "<h1>Proxy</h1>"), Status(407)),
        ("400 without a body", Answer::empty(400), Status(400)),
        ("401 invalid_client", Answer::oauth_error(401, "invalid_client"), Status(401)),
        ("400 invalid_scope", Answer::oauth_error(400, "invalid_scope"), Status(400)),
        ("a redirect", Answer::redirect(302, "http://127.0.0.1:1/portal"), InvalidResponse),
        ("a portal's page", Answer::html(200, "<h1>Welcome to our hotel</h1>"), InvalidResponse),
        ("nothing in 200", Answer::empty(200), InvalidResponse),
        ("no access token", Answer::json(200, &json!({ "refresh_token": "y" })), InvalidResponse),
        (
            "another kind of token",
            Answer::json(200, &json!({ "access_token": "x", "token_type": "mac" })),
            InvalidResponse,
        ),
        ("cut", Answer::json(200, &grant).cut(), Broken),
        ("silence", Answer::never(), TimedOut),
        ("drops", Answer::json(200, &grant).dripping(), TimedOut),
        ("3 MiB", Answer::new(200, "application/json", vec![b' '; 3 << 20]), InvalidResponse),
    ]
}

/// A pass that does not wait long.
fn impatient(bench: &Bench, provider: &Provider) -> Hallpass {
    bench.at(provider).request_timeout(IMPATIENT).build().unwrap()
}

#[test]
fn p31_whatever_says_nothing_about_the_session_keeps_it_byte_for_byte() {
    for (name, answer, kind) in passing_answers() {
        let (bench, provider) = expired();
        provider.always(TOKEN, answer);
        let before = bench.bytes();
        let error = impatient(&bench, &provider).access_token().unwrap_err();
        let Error::Network(error) = error else { panic!("{name}: {error:?}") };
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert_eq!(error.retry_after, (name == "429").then_some(Duration::from_secs(7)), "{name}");
        let is_lost = matches!(kind, NetworkErrorKind::Broken | NetworkErrorKind::TimedOut);
        assert_eq!(provider.count(TOKEN), if is_lost { 2 } else { 1 }, "{name}");
        assert!(bench.bytes() == before, "{name}");
    }
}

#[test]
fn p31_a_token_that_is_still_alive_is_handed_out_with_a_note() {
    for (name, answer, _) in passing_answers() {
        let (bench, provider) = clerk();
        bench.wait(7200 - 20);
        provider.always(TOKEN, answer);
        let before = bench.bytes();
        let token = impatient(&bench, &provider).access_token().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(stored_access_token(&bench), token.expose(), "{name}");
        assert_eq!(token.notes().len(), 1, "{name}");
        assert!(bench.bytes() == before, "{name}");
    }
}

#[test]
fn p31_a_server_that_is_gone_keeps_the_session() {
    let (bench, provider) = expired();
    let pass = bench.pass(&provider);
    drop(provider);
    let before = bench.bytes();
    let Err(Error::Network(error)) = pass.access_token() else { panic!() };
    assert_eq!(error.kind, NetworkErrorKind::Unreachable);
    assert!(error.is_retryable() && bench.bytes() == before);
}

#[test]
fn the_session_works_again_when_the_server_does() {
    let (bench, provider) = expired();
    provider.next(2, TOKEN, Answer::empty(503));
    let pass = bench.pass(&provider);
    assert!(pass.access_token().unwrap_err().is_retryable());
    assert!(pass.access_token().unwrap_err().is_retryable());
    assert!(pass.access_token().is_ok());
}

#[test]
fn a_renewed_id_token_that_cannot_be_confirmed_costs_a_note_and_no_claim() {
    type Spoil = fn(&Provider);
    let spoilt: [(&str, Spoil); 4] = [
        ("keys are down", |provider| provider.always(JWKS, Answer::empty(503))),
        ("a forged signature", |provider| {
            provider.sign_by(|claims| with_foreign_signature(&RS256, claims));
        }),
        ("alg none", |provider| {
            provider.sign_by(|claims| format!("{}.", jose::unsigned(&json!({ "alg": "none" }), claims)));
        }),
        ("expired", |_| {}),
    ];
    for (name, spoil) in spoilt {
        let (bench, provider) = expired();
        let before = bench.record();
        spoil(&provider);
        provider.twist_claims(move |claims| {
            claims["email"] = json!("mallory@example.com");
            if name == "expired" {
                claims["exp"] = json!(1_000_000_000);
            }
        });
        let token = bench.pass(&provider).access_token().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(token.notes().len(), 1, "{name}: {:?}", token.notes());
        assert_eq!(stored_access_token(&bench), token.expose());
        assert_eq!(
            (&bench.record()["claims"], &bench.record()["user"]),
            (&before["claims"], &before["user"])
        );
    }
}

#[test]
fn a_confirmed_id_token_brings_new_claims() {
    let (bench, provider) = expired();
    provider.twist_claims(|claims| claims["email"] = json!("ada@new.example"));
    let pass = bench.pass(&provider);
    assert_eq!(pass.access_token().unwrap().notes(), [""; 0]);
    assert_eq!(pass.whoami().unwrap().email.as_deref(), Some("ada@new.example"));
}

#[test]
fn p37_a_refresh_asks_no_metadata_and_so_cannot_be_repointed() {
    let (bench, provider) = expired();
    let elsewhere = Scripted::start();
    let repointed = elsewhere.origin();
    provider.twist_metadata(move |document| document["token_endpoint"] = json!(format!("{repointed}/token")));
    bench.pass(&provider).access_token().unwrap();
    for path in [OPENID_CONFIGURATION, OAUTH_METADATA] {
        provider.always(path, Answer::empty(503));
    }
    bench.wait(DAY);
    bench.pass(&provider).access_token().unwrap();
    assert_eq!(provider.count(OPENID_CONFIGURATION) + provider.count(OAUTH_METADATA), 0);
    assert_eq!((provider.count(TOKEN), elsewhere.connections()), (2, 0));
}

/// Access tokens of twenty threads that start at once.
fn at_once(passes: impl Fn() -> Hallpass) -> Vec<Result<AccessToken>> {
    const THREADS: usize = 20;
    let barrier = Arc::new(Barrier::new(THREADS));
    let start = |pass: Hallpass| {
        let barrier = barrier.clone();
        thread::spawn(move || {
            barrier.wait();
            pass.access_token()
        })
    };
    let threads: Vec<_> = (0..THREADS).map(|_| start(passes())).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn all_got_the_same(tokens: Vec<Result<AccessToken>>) -> String {
    let texts: Vec<String> = tokens.into_iter().map(|token| token.unwrap().expose().to_owned()).collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    texts[0].clone()
}

#[test]
fn p27_twenty_at_once_over_one_expired_session_make_one_refresh() {
    let (bench, provider) = expired();
    provider.slow(TOKEN, Duration::from_millis(50));
    let token = all_got_the_same(at_once(|| bench.pass(&provider)));
    assert_eq!((stored_access_token(&bench), provider.count(TOKEN)), (json!(token), 1));
}

#[test]
fn p27_twenty_threads_over_one_session_in_memory_make_one_refresh() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let pass = bench.at(&provider).storage(Storage::Memory).browser(visitor().0).build().unwrap();
    pass.login(&mut bench::Recorder::default()).unwrap();
    provider.forget();
    bench.wait(DAY);
    provider.slow(TOKEN, Duration::from_millis(50));
    all_got_the_same(at_once(|| pass.clone()));
    assert_eq!(provider.count(TOKEN), 1);
    assert!(bench.files().is_empty());
}

#[test]
fn a_record_in_memory_is_gone_with_the_pass_and_erased_by_logout() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let build = || bench.at(&provider).storage(Storage::Memory).browser(visitor().0).build().unwrap();
    let pass = build();
    pass.login(&mut bench::Recorder::default()).unwrap();
    assert_eq!(pass.whoami().unwrap().label(), EMAIL);
    assert_eq!(pass.profiles().unwrap(), ["default"]);
    assert!(matches!(build().access_token(), Err(Error::LoginRequired(LoginRequired::NotSignedIn { .. }))));
    assert!(pass.logout().unwrap().erased);
    assert!(pass.access_token().is_err());
}

#[test]
fn p27_whoever_has_a_token_that_still_works_does_not_wait_for_the_lock() {
    let (bench, provider) = clerk();
    bench.wait(7200 - 20);
    let (arrived, here) = std::sync::mpsc::channel();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    provider.on(TOKEN, move |_| {
        arrived.send(()).unwrap();
        let _ = gate.lock().unwrap().recv_timeout(bench::PATIENCE);
        None
    });
    let first = bench.pass(&provider);
    let first = thread::spawn(move || first.access_token());
    here.recv_timeout(bench::PATIENCE).unwrap();
    let (second, took) = bench::timed(|| bench.pass(&provider).access_token().unwrap());
    assert_eq!((second.notes().len(), stored_access_token(&bench)), (1, json!(second.expose())));
    assert!(took < bench::AT_ONCE, "{took:?}");
    drop(release);
    assert_ne!(first.join().unwrap().unwrap().expose(), second.expose());
}

#[test]
fn p35_a_forced_refresh_renews_a_fresh_token_and_insists() {
    let (bench, provider) = clerk();
    let pass = bench.pass(&provider);
    let old = pass.access_token().unwrap();
    assert_ne!(pass.force_refresh().unwrap().expose(), old.expose());
    provider.always(TOKEN, Answer::empty(503));
    assert!(pass.force_refresh().unwrap_err().is_retryable());
}

#[test]
fn p29_a_forced_refresh_takes_the_token_that_another_one_just_got() {
    let (bench, provider) = clerk();
    provider.slow(TOKEN, Duration::from_millis(100));
    let start = || {
        let pass = bench.pass(&provider);
        thread::spawn(move || pass.force_refresh().unwrap().expose().to_owned())
    };
    let threads: Vec<_> = (0..4).map(|_| start()).collect();
    let tokens: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_wished_life_renews_earlier_or_not_at_all() {
    let wish = |seconds| TokenWish::default().min_ttl(Duration::from_secs(seconds));
    for (passed, asked, renewals) in [(0, 3600, 0), (5400, 3600, 1), (7190, 1, 0), (7199, 5, 1)] {
        let (bench, provider) = clerk();
        bench.wait(passed);
        bench.pass(&provider).access_token_with(&wish(asked)).unwrap();
        assert_eq!(provider.count(TOKEN), renewals, "{passed} passed, {asked} asked");
    }
}

#[test]
fn a_wished_life_that_cannot_be_had_is_an_error_and_not_a_shorter_one() {
    let wish = |seconds| TokenWish::default().min_ttl(Duration::from_secs(seconds));
    let (bench, provider) = clerk();
    let pass = bench.pass(&provider);
    assert!(matches!(pass.access_token_with(&wish(8000)), Err(Error::Network(_))), "longer than any lives");
    provider.always(TOKEN, Answer::empty(503));
    bench.wait(7000);
    assert!(pass.access_token_with(&wish(600)).unwrap_err().is_retryable(), "not to be had just now");
}

const API: &str = "https://api.example.com";

#[test]
fn n90_n91_a_token_for_another_resource_is_asked_for_once_and_kept_beside_the_first() {
    let (bench, provider) = clerk();
    let pass = bench.pass(&provider);
    let own = pass.access_token().unwrap();
    let wish = TokenWish::default().resource(API);
    let api = pass.access_token_with(&wish).unwrap();
    assert_eq!(provider.requests_to(TOKEN)[0].param("resource"), Some(API));
    assert_ne!(api.expose(), own.expose());
    assert_eq!(pass.access_token_with(&wish).unwrap().expose(), api.expose());
    assert_eq!(pass.access_token().unwrap().expose(), own.expose());
    assert_eq!(provider.count(TOKEN), 1);
    assert_eq!(bench.record()["access"][1]["resource"], API);
}

#[test]
fn n91_the_resource_of_the_login_goes_with_code_and_refresh() {
    let (bench, provider) = (Bench::new(), bench::paylent());
    let builder = || bench.at(&provider).resource(API).scopes(["openid", "offline_access", "pay:read"]);
    login(builder(), visitor().0).unwrap();
    bench.wait(DAY);
    builder().build().unwrap().access_token().unwrap();
    let requests = provider.requests_to(TOKEN);
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.param("resource") == Some(API)), "{requests:?}");
}

#[test]
fn a_session_without_a_refresh_token_ends_with_its_access_token() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    let session = login(bench.at(&provider).scopes(["openid", "email"]), visitor().0).unwrap();
    assert!(!session.renewable());
    let pass = bench.pass(&provider);
    assert_eq!(pass.force_refresh().unwrap_err(), LoginRequired::NoRefreshToken.into());
    bench.wait(7200 - 20);
    assert_eq!(pass.access_token().unwrap().notes().len(), 1);
    bench.wait(20);
    assert_eq!(pass.access_token().unwrap_err(), LoginRequired::Expired.into());
}

#[test]
fn n45_a_token_without_a_lifetime_is_handed_out_until_told_otherwise() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    provider.twist_tokens(|tokens| drop(tokens.as_object_mut().unwrap().remove("expires_in")));
    assert_eq!(bench.signed_in(&provider).expires_at(), None);
    bench.wait(DAY);
    let pass = bench.pass(&provider);
    let old = pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 0);
    assert_ne!(pass.force_refresh().unwrap().expose(), old.expose());
}

#[test]
fn the_id_token_is_handed_out_and_renewed_by_its_own_end() {
    let (bench, provider) = (Bench::new(), Provider::clerk());
    bench.signed_in(&provider);
    let pass = bench.pass(&provider);
    let first = pass.id_token().unwrap();
    assert_eq!(bench.record()["secret"]["id_token"], first.expose());
    assert_eq!(provider.count(TOKEN), 0);
    bench.wait(25 * 3600);
    let end = unix_now() + 48 * 3600;
    provider.twist_claims(move |claims| claims["exp"] = json!(end));
    assert_ne!(pass.id_token().unwrap().expose(), first.expose());
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn p40_a_corrupt_record_is_a_store_error_and_set_aside_by_the_next_login() {
    let (bench, provider) = clerk();
    bench.write(b"{\"version\":1,");
    let error = bench.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Corrupt { .. })), "{error:?}");
    assert!(matches!(bench.pass(&provider).status().state, State::Unavailable(_)));
    assert_eq!(bench.bytes(), b"{\"version\":1,");
    let session = login(bench.at(&provider), visitor().0).unwrap();
    assert!(session.notes()[0].contains("kept as"), "{:?}", session.notes());
    bench.pass(&provider).access_token().unwrap();
    assert!(bench.files().values().any(|bytes| bytes == b"{\"version\":1,"));
    assert_eq!(bench.pass(&provider).profiles().unwrap(), ["default"]);
}

#[test]
fn p45_a_record_of_a_newer_version_is_never_touched() {
    let (bench, provider) = clerk();
    bench.edit(|record| record["version"] = json!(2));
    let before = bench.bytes();
    let is_newer = |error: Error| matches!(error, Error::Store(StoreError::Newer { version: 2, .. }));
    let pass = bench.pass(&provider);
    assert!(pass.whoami().is_ok());
    assert!(pass.access_token().unwrap().notes()[0].contains("newer version"));
    assert!(is_newer(pass.force_refresh().unwrap_err()));
    assert!(is_newer(login(bench.at(&provider), unopened).unwrap_err()));
    bench.wait(9999);
    assert!(is_newer(pass.access_token().unwrap_err()));
    assert_eq!(provider.count(TOKEN), 0);
    assert!(bench.bytes() == before);
}

#[test]
fn p45_members_of_a_later_version_survive_a_refresh() {
    let (bench, provider) = expired();
    bench.edit(|record| {
        record["later"] = json!({ "a": [1] });
        record["access"][0]["later"] = json!(2);
        record["secret"]["later"] = json!("three");
        record["user"]["later"] = json!(4);
    });
    bench.pass(&provider).access_token().unwrap();
    let record = bench.record();
    assert_eq!(record["later"], json!({ "a": [1] }));
    assert_eq!(record["access"][0]["later"], 2);
    assert_eq!(record["secret"]["later"], "three");
}

#[test]
fn n90_p64_a_session_of_another_issuer_or_client_is_not_handed_out() {
    let (bench, provider) = clerk();
    let other_client = bench.builder(provider.issuer(), "other");
    let other_issuer = bench.builder("https://login.example.com", "cli");
    for builder in [other_client, other_issuer] {
        let error = builder.build().unwrap().access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::OtherServer { .. })), "{error:?}");
    }
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn a_pass_that_knows_no_server_refreshes_from_the_record_alone() {
    let (bench, provider) = expired();
    let token = bench.stored().build().unwrap().access_token().unwrap();
    assert_eq!((token.issuer(), provider.count(TOKEN)), (provider.issuer(), 1));
}

#[test]
fn the_state_folder_may_come_from_the_environment() {
    let (bench, provider) = clerk();
    let dir = bench.state_dir();
    let environment = Environment::from_variables([("HALLPASS_STATE_DIR", dir.to_str().unwrap())]);
    let pass = Hallpass::stored(bench::SERVICE).environment(environment).build().unwrap();
    assert_eq!(stored_access_token(&bench), pass.access_token().unwrap().expose());
    assert_eq!(provider.requests().len(), 0);
}
