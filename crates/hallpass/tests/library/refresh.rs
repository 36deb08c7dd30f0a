//! Handing out access tokens: when they are renewed, how often, and what survives when they are not.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use hallpass::error::{LoginRequired, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Environment, Error, Hallpass, Result, State, Storage, TokenRequest};
use hallpass_test::jose::{self, RS256};
use hallpass_test::library::{self, IMPATIENT, LibrarySandbox, login, unopened, visitor};
use hallpass_test::provider::{self, EMAIL, JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, Provider, TOKEN};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::{Value, json};

use crate::conformance::with_foreign_signature;

/// Later than the end of every access token here.
const DAY: u64 = 24 * 3600 - 60;

/// A signed-in sandbox with its provider, whose access token lives for 7200 s.
fn clerk() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    (sandbox, provider)
}

/// The same when the access token has expired.
fn expired() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = clerk();
    sandbox.wait(DAY);
    (sandbox, provider)
}

fn stored_access_token(sandbox: &LibrarySandbox) -> Value {
    sandbox.record()["secret"]["access_tokens"][0].clone()
}

fn stored_refresh_token(sandbox: &LibrarySandbox) -> Value {
    sandbox.record()["secret"]["refresh_token"].clone()
}

#[test]
fn a_fresh_token_costs_no_request_and_no_write() {
    let (sandbox, provider) = clerk();
    let before = sandbox.files();
    sandbox.wait(7200 - 31 - 5);
    let token = sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(stored_access_token(&sandbox), token.expose());
    assert_eq!(token.scopes(), ["openid", "profile", "email", "offline_access"]);
    assert_eq!((token.profile(), token.issuer()), ("default", provider.issuer()));
    assert_eq!(token.notes(), [""; 0]);
    assert!(sandbox.files() == before);
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn less_than_30_seconds_before_its_end_a_token_is_renewed() {
    let now = unix_now();
    for (left, renewals) in [(60, 0), (33, 0), (29, 1), (1, 1), (0, 1)] {
        let (sandbox, provider) = clerk();
        sandbox.edit(|record| {
            record["obtained_at"] = json!(rfc3339(now - 3600));
            record["access"][0]["expires_at"] = json!(rfc3339(now + left));
        });
        sandbox.pass(&provider).access_token().unwrap();
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
    let (sandbox, provider) = expired();
    let refresh_token = stored_refresh_token(&sandbox);
    sandbox.pass(&provider).access_token().unwrap();
    let [request] = provider.requests_to(TOKEN).try_into().unwrap();
    assert_eq!(request.fields(), ["grant_type", "refresh_token", "client_id"]);
    assert_eq!(request.param("refresh_token"), refresh_token.as_str());
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn n79_the_rotated_token_is_in_the_record_when_the_access_token_is_handed_out() {
    let (sandbox, provider) = expired();
    let old = stored_refresh_token(&sandbox);
    let token = sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(stored_access_token(&sandbox), token.expose());
    assert!(!String::from_utf8(sandbox.bytes()).unwrap().contains(old.as_str().unwrap()));
    sandbox.wait(DAY);
    sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 2);
}

#[test]
fn n80_the_rotated_token_is_saved_before_anything_else_is_sent() {
    let (sandbox, provider) = expired();
    let (path, before) = (sandbox.path(), sandbox.bytes());
    let seen = Arc::new(Mutex::new(None));
    let saved = seen.clone();
    provider.on(JWKS, move |_| {
        *saved.lock().unwrap() = Some(std::fs::read(&path).unwrap());
        None
    });
    sandbox.pass(&provider).access_token().unwrap();
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
        let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
        sandbox.signed_in(&provider);
        let old = stored_refresh_token(&sandbox);
        provider.twist_tokens(twist);
        for _ in 0..2 {
            sandbox.wait(3600);
            sandbox.pass(&provider).access_token().unwrap();
        }
        assert_eq!((stored_refresh_token(&sandbox), provider.count(TOKEN)), (old, 2));
    }
}

#[test]
fn p33_whatever_an_answer_says_of_the_refresh_token_the_next_refresh_works() {
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    sandbox.signed_in(&provider);
    let same = stored_refresh_token(&sandbox);
    let answers = [None, Some(Value::Null), Some(json!("")), Some(same), None];
    for (round, answer) in answers.into_iter().enumerate() {
        provider.twist_tokens(move |tokens| {
            tokens.as_object_mut().unwrap().remove("refresh_token");
            tokens
                .as_object_mut()
                .unwrap()
                .extend(answer.clone().map(|answer| ("refresh_token".to_owned(), answer)));
        });
        sandbox.wait(3600);
        sandbox.pass(&provider).access_token().unwrap();
        assert_eq!(provider.count(TOKEN), round + 1);
    }
    provider.twist_tokens(|tokens| tokens["refresh_token"] = json!("new"));
    sandbox.wait(3600);
    sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(stored_refresh_token(&sandbox), "new");
}

#[test]
fn n82_invalid_grant_ends_the_session_whatever_its_status_and_nobody_asks_again() {
    for status in [400, 401, 403, 200] {
        let (sandbox, provider) = expired();
        provider.always(TOKEN, Response::oauth_error(status, "invalid_grant"));
        for _ in 0..2 {
            let error = sandbox.pass(&provider).access_token().unwrap_err();
            let Error::LoginRequired(LoginRequired::Ended(Some(error))) = error else { panic!("{error:?}") };
            assert_eq!(error.to_string(), "invalid_grant (invalid_grant it is)", "{status}");
        }
        assert_eq!(provider.count(TOKEN), 1, "{status}");
        let record = sandbox.record();
        assert_eq!(record["tombstone"]["error"], "invalid_grant");
        assert_eq!(record["user"]["email"], EMAIL);
        assert!(matches!(sandbox.pass(&provider).status().state, State::LoginRequired(_)));
    }
}

#[test]
fn p66_an_ended_session_hands_out_no_token_that_only_looks_alive() {
    let (sandbox, provider) = clerk();
    provider.end_sessions();
    let pass = sandbox.pass(&provider);
    assert!(matches!(pass.force_refresh(), Err(Error::LoginRequired(LoginRequired::Ended(_)))));
    assert!(matches!(pass.access_token(), Err(Error::LoginRequired(LoginRequired::Ended(_)))));
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_new_login_lifts_the_tombstone() {
    let (sandbox, provider) = expired();
    provider.end_sessions();
    sandbox.pass(&provider).access_token().unwrap_err();
    login(sandbox.at(&provider), visitor().0).unwrap();
    assert!(sandbox.record().get("tombstone").is_none());
    sandbox.pass(&provider).access_token().unwrap();
}

/// While a refresh is under way, somebody writes the record without minding the lock.
fn replaced_during_refresh(
    sandbox: &LibrarySandbox,
    provider: &Provider,
    answer: Option<Response>,
    left: u64,
) {
    let path = sandbox.path();
    let mut record = sandbox.record();
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
    for answer in [None, Some(Response::oauth_error(400, "invalid_grant"))] {
        let (sandbox, provider) = expired();
        replaced_during_refresh(&sandbox, &provider, answer.clone(), 3600);
        assert_eq!(sandbox.pass(&provider).access_token().unwrap().expose(), "newer");
        assert_eq!(stored_refresh_token(&sandbox), "newer");

        let (sandbox, provider) = expired();
        replaced_during_refresh(&sandbox, &provider, answer, 0);
        assert!(sandbox.pass(&provider).access_token().unwrap_err().is_retryable());
        assert_eq!(stored_refresh_token(&sandbox), "newer");
        assert!(sandbox.record().get("tombstone").is_none());
    }
}

#[test]
fn a_refresh_that_ends_after_a_logout_does_not_bring_the_session_back() {
    let (sandbox, provider) = expired();
    let path = sandbox.path();
    provider.on(TOKEN, move |_| {
        std::fs::remove_file(&path).unwrap();
        None
    });
    let error = sandbox.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    assert!(!sandbox.is_signed_in());
}

/// Answers that say nothing about the session.
fn passing_answers() -> Vec<(&'static str, Response, NetworkErrorKind)> {
    use NetworkErrorKind::{Broken, InvalidResponse, Status, TimedOut};
    let grant = json!({ "access_token": "x", "token_type": "Bearer" });
    vec![
        ("429", Response::empty(429).header("Retry-After", "7"), Status(429)),
        ("503", Response::empty(503), Status(503)),
        ("500 HTML", Response::html(500, "<h1>invalid_grant</h1>"), Status(500)),
        ("500 JSON", Response::oauth_error(500, "server_error"), Status(500)),
        ("403 HTML of a proxy", Response::html(403, "<h1>Blocked</h1>"), Status(403)),
        ("407", Response::html(407, "<h1>Proxy</h1>"), Status(407)),
        ("400 without a body", Response::empty(400), Status(400)),
        ("401 invalid_client", Response::oauth_error(401, "invalid_client"), Status(401)),
        ("400 invalid_scope", Response::oauth_error(400, "invalid_scope"), Status(400)),
        ("a redirect", Response::redirect(302, "http://127.0.0.1:1/portal"), InvalidResponse),
        ("a portal's page", Response::html(200, "<h1>Welcome to our hotel</h1>"), InvalidResponse),
        ("nothing in 200", Response::empty(200), InvalidResponse),
        ("no access token", Response::json(200, &json!({ "refresh_token": "y" })), InvalidResponse),
        (
            "another kind of token",
            Response::json(200, &json!({ "access_token": "x", "token_type": "mac" })),
            InvalidResponse,
        ),
        ("cut", Response::json(200, &grant).cut(), Broken),
        ("silence", Response::never(), TimedOut),
        ("drops", Response::json(200, &grant).dripping(), TimedOut),
        ("3 MiB", Response::new(200, "application/json", vec![b' '; 3 << 20]), InvalidResponse),
    ]
}

/// A pass that does not wait long.
fn impatient(sandbox: &LibrarySandbox, provider: &Provider) -> Hallpass {
    sandbox.at(provider).request_timeout(IMPATIENT).build().unwrap()
}

#[test]
fn p31_whatever_says_nothing_about_the_session_keeps_it_byte_for_byte() {
    for (name, answer, kind) in passing_answers() {
        let (sandbox, provider) = expired();
        provider.always(TOKEN, answer);
        let before = sandbox.bytes();
        let error = impatient(&sandbox, &provider).access_token().unwrap_err();
        let Error::Network(error) = error else { panic!("{name}: {error:?}") };
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert_eq!(error.retry_after, (name == "429").then_some(Duration::from_secs(7)), "{name}");
        let is_lost = matches!(kind, NetworkErrorKind::Broken | NetworkErrorKind::TimedOut);
        assert_eq!(provider.count(TOKEN), if is_lost { 2 } else { 1 }, "{name}");
        assert!(sandbox.bytes() == before, "{name}");
    }
}

#[test]
fn p31_a_token_that_is_still_alive_is_handed_out_with_a_note() {
    for (name, answer, _) in passing_answers() {
        let (sandbox, provider) = clerk();
        sandbox.wait(7200 - 20);
        provider.always(TOKEN, answer);
        let before = sandbox.bytes();
        let token = impatient(&sandbox, &provider).access_token().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(stored_access_token(&sandbox), token.expose(), "{name}");
        assert_eq!(token.notes().len(), 1, "{name}");
        assert!(sandbox.bytes() == before, "{name}");
    }
}

#[test]
fn p31_a_server_that_is_gone_keeps_the_session() {
    let (sandbox, provider) = expired();
    let pass = sandbox.pass(&provider);
    drop(provider);
    let before = sandbox.bytes();
    let Err(Error::Network(error)) = pass.access_token() else { panic!() };
    assert_eq!(error.kind, NetworkErrorKind::Unreachable);
    assert!(error.is_retryable() && sandbox.bytes() == before);
}

#[test]
fn the_session_works_again_when_the_server_does() {
    let (sandbox, provider) = expired();
    provider.next(2, TOKEN, Response::empty(503));
    let pass = sandbox.pass(&provider);
    assert!(pass.access_token().unwrap_err().is_retryable());
    assert!(pass.access_token().unwrap_err().is_retryable());
    assert!(pass.access_token().is_ok());
}

#[test]
fn a_renewed_id_token_that_cannot_be_confirmed_costs_a_note_and_no_claim() {
    type Spoil = fn(&Provider);
    let spoilt: [(&str, Spoil); 4] = [
        ("keys are down", |provider| provider.always(JWKS, Response::empty(503))),
        ("a forged signature", |provider| {
            provider.sign_by(|claims| with_foreign_signature(&RS256, claims));
        }),
        ("alg none", |provider| {
            provider.sign_by(|claims| format!("{}.", jose::unsigned(&json!({ "alg": "none" }), claims)));
        }),
        ("expired", |_| {}),
    ];
    for (name, spoil) in spoilt {
        let (sandbox, provider) = expired();
        let before = sandbox.record();
        spoil(&provider);
        provider.twist_claims(move |claims| {
            claims["email"] = json!("mallory@example.com");
            if name == "expired" {
                claims["exp"] = json!(1_000_000_000);
            }
        });
        let token = sandbox.pass(&provider).access_token().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(token.notes().len(), 1, "{name}: {:?}", token.notes());
        assert_eq!(stored_access_token(&sandbox), token.expose());
        assert_eq!(
            (&sandbox.record()["claims"], &sandbox.record()["user"]),
            (&before["claims"], &before["user"])
        );
    }
}

#[test]
fn a_confirmed_id_token_brings_new_claims() {
    let (sandbox, provider) = expired();
    provider.twist_claims(|claims| claims["email"] = json!("ada@new.example"));
    let pass = sandbox.pass(&provider);
    assert_eq!(pass.access_token().unwrap().notes(), [""; 0]);
    assert_eq!(pass.whoami().unwrap().email.as_deref(), Some("ada@new.example"));
}

#[test]
fn p37_a_refresh_asks_no_metadata_and_so_cannot_be_repointed() {
    let (sandbox, provider) = expired();
    let elsewhere = ScriptedServer::start();
    let repointed = elsewhere.origin();
    provider.twist_metadata(move |document| document["token_endpoint"] = json!(format!("{repointed}/token")));
    sandbox.pass(&provider).access_token().unwrap();
    for path in [OPENID_CONFIGURATION, OAUTH_METADATA] {
        provider.always(path, Response::empty(503));
    }
    sandbox.wait(DAY);
    sandbox.pass(&provider).access_token().unwrap();
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
    let (sandbox, provider) = expired();
    provider.slow(TOKEN, Duration::from_millis(50));
    let token = all_got_the_same(at_once(|| sandbox.pass(&provider)));
    assert_eq!((stored_access_token(&sandbox), provider.count(TOKEN)), (json!(token), 1));
}

#[test]
fn p27_twenty_threads_over_one_session_in_memory_make_one_refresh() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let pass = sandbox.at(&provider).storage(Storage::Memory).browser(visitor().0).build().unwrap();
    pass.login(&mut library::RecordingUi::default()).unwrap();
    provider.forget();
    sandbox.wait(DAY);
    provider.slow(TOKEN, Duration::from_millis(50));
    all_got_the_same(at_once(|| pass.clone()));
    assert_eq!(provider.count(TOKEN), 1);
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_record_in_memory_is_gone_with_the_pass_and_erased_by_logout() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let build = || sandbox.at(&provider).storage(Storage::Memory).browser(visitor().0).build().unwrap();
    let pass = build();
    pass.login(&mut library::RecordingUi::default()).unwrap();
    assert_eq!(pass.whoami().unwrap().label(), EMAIL);
    assert_eq!(pass.profiles().unwrap(), ["default"]);
    assert!(matches!(build().access_token(), Err(Error::LoginRequired(LoginRequired::NotSignedIn { .. }))));
    assert!(pass.logout().unwrap().erased);
    assert!(pass.access_token().is_err());
}

#[test]
fn p27_whoever_has_a_token_that_still_works_does_not_wait_for_the_lock() {
    let (sandbox, provider) = clerk();
    sandbox.wait(7200 - 20);
    let (arrived, here) = std::sync::mpsc::channel();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    provider.on(TOKEN, move |_| {
        arrived.send(()).unwrap();
        let _ = gate.lock().unwrap().recv_timeout(library::PATIENCE);
        None
    });
    let first = sandbox.pass(&provider);
    let first = thread::spawn(move || first.access_token());
    here.recv_timeout(library::PATIENCE).unwrap();
    let (second, took) = library::timed(|| sandbox.pass(&provider).access_token().unwrap());
    assert_eq!((second.notes().len(), stored_access_token(&sandbox)), (1, json!(second.expose())));
    assert!(took < library::AT_ONCE, "{took:?}");
    drop(release);
    assert_ne!(first.join().unwrap().unwrap().expose(), second.expose());
}

#[test]
fn p35_a_forced_refresh_renews_a_fresh_token_and_insists() {
    let (sandbox, provider) = clerk();
    let pass = sandbox.pass(&provider);
    let old = pass.access_token().unwrap();
    assert_ne!(pass.force_refresh().unwrap().expose(), old.expose());
    provider.always(TOKEN, Response::empty(503));
    assert!(pass.force_refresh().unwrap_err().is_retryable());
}

#[test]
fn p29_a_forced_refresh_takes_the_token_that_another_one_just_got() {
    let (sandbox, provider) = clerk();
    provider.slow(TOKEN, Duration::from_millis(100));
    let start = || {
        let pass = sandbox.pass(&provider);
        thread::spawn(move || pass.force_refresh().unwrap().expose().to_owned())
    };
    let threads: Vec<_> = (0..4).map(|_| start()).collect();
    let tokens: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_wished_life_renews_earlier_or_not_at_all() {
    let request = |seconds| TokenRequest::default().min_ttl(Duration::from_secs(seconds));
    for (passed, asked, renewals) in [(0, 3600, 0), (5400, 3600, 1), (7190, 1, 0), (7199, 5, 1)] {
        let (sandbox, provider) = clerk();
        sandbox.wait(passed);
        sandbox.pass(&provider).access_token_for(&request(asked)).unwrap();
        assert_eq!(provider.count(TOKEN), renewals, "{passed} passed, {asked} asked");
    }
}

#[test]
fn a_wished_life_that_cannot_be_had_is_an_error_and_not_a_shorter_one() {
    let request = |seconds| TokenRequest::default().min_ttl(Duration::from_secs(seconds));
    let (sandbox, provider) = clerk();
    let pass = sandbox.pass(&provider);
    assert!(matches!(pass.access_token_for(&request(8000)), Err(Error::Network(_))), "longer than any lives");
    provider.always(TOKEN, Response::empty(503));
    sandbox.wait(7000);
    assert!(pass.access_token_for(&request(600)).unwrap_err().is_retryable(), "not to be had just now");
}

const API: &str = "https://api.example.com";

#[test]
fn n90_n91_a_token_for_another_resource_is_asked_for_once_and_kept_beside_the_first() {
    let (sandbox, provider) = clerk();
    let pass = sandbox.pass(&provider);
    let own = pass.access_token().unwrap();
    let request = TokenRequest::default().resource(API);
    let api = pass.access_token_for(&request).unwrap();
    assert_eq!(provider.requests_to(TOKEN)[0].param("resource"), Some(API));
    assert_ne!(api.expose(), own.expose());
    assert_eq!(pass.access_token_for(&request).unwrap().expose(), api.expose());
    assert_eq!(pass.access_token().unwrap().expose(), own.expose());
    assert_eq!(provider.count(TOKEN), 1);
    assert_eq!(sandbox.record()["access"][1]["resource"], API);
}

#[test]
fn n91_the_resource_of_the_login_goes_with_code_and_refresh() {
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    let builder = || sandbox.at(&provider).resource(API).scopes(["openid", "offline_access", "pay:read"]);
    login(builder(), visitor().0).unwrap();
    sandbox.wait(DAY);
    builder().build().unwrap().access_token().unwrap();
    let requests = provider.requests_to(TOKEN);
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.param("resource") == Some(API)), "{requests:?}");
}

#[test]
fn a_session_without_a_refresh_token_ends_with_its_access_token() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let session = login(sandbox.at(&provider).scopes(["openid", "email"]), visitor().0).unwrap();
    assert!(!session.renewable());
    let pass = sandbox.pass(&provider);
    assert_eq!(pass.force_refresh().unwrap_err(), LoginRequired::NoRefreshToken.into());
    sandbox.wait(7200 - 20);
    assert_eq!(pass.access_token().unwrap().notes().len(), 1);
    sandbox.wait(20);
    assert_eq!(pass.access_token().unwrap_err(), LoginRequired::Expired.into());
}

#[test]
fn n45_a_token_without_a_lifetime_is_handed_out_until_told_otherwise() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.twist_tokens(|tokens| drop(tokens.as_object_mut().unwrap().remove("expires_in")));
    assert_eq!(sandbox.signed_in(&provider).expires_at(), None);
    sandbox.wait(DAY);
    let pass = sandbox.pass(&provider);
    let old = pass.access_token().unwrap();
    assert_eq!(provider.count(TOKEN), 0);
    assert_ne!(pass.force_refresh().unwrap().expose(), old.expose());
}

#[test]
fn the_id_token_is_handed_out_and_renewed_by_its_own_end() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let pass = sandbox.pass(&provider);
    let first = pass.id_token().unwrap();
    assert_eq!(sandbox.record()["secret"]["id_token"], first.expose());
    assert_eq!(provider.count(TOKEN), 0);
    sandbox.wait(25 * 3600);
    let end = unix_now() + 48 * 3600;
    provider.twist_claims(move |claims| claims["exp"] = json!(end));
    assert_ne!(pass.id_token().unwrap().expose(), first.expose());
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn p40_a_corrupt_record_is_a_store_error_and_set_aside_by_the_next_login() {
    let (sandbox, provider) = clerk();
    sandbox.write(b"{\"version\":1,");
    let error = sandbox.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Corrupt { .. })), "{error:?}");
    assert!(matches!(sandbox.pass(&provider).status().state, State::Unavailable(_)));
    assert_eq!(sandbox.bytes(), b"{\"version\":1,");
    let session = login(sandbox.at(&provider), visitor().0).unwrap();
    assert!(session.notes()[0].contains("was moved to"), "{:?}", session.notes());
    sandbox.pass(&provider).access_token().unwrap();
    assert!(sandbox.files().values().any(|bytes| bytes == b"{\"version\":1,"));
    assert_eq!(sandbox.pass(&provider).profiles().unwrap(), ["default"]);
}

#[test]
fn p45_a_record_of_a_newer_version_is_never_touched() {
    let (sandbox, provider) = clerk();
    sandbox.edit(|record| record["version"] = json!(2));
    let before = sandbox.bytes();
    let is_newer = |error: Error| matches!(error, Error::Store(StoreError::Newer { version: 2, .. }));
    let pass = sandbox.pass(&provider);
    assert!(pass.whoami().is_ok());
    assert!(pass.access_token().unwrap().notes()[0].contains("newer version"));
    assert!(is_newer(pass.force_refresh().unwrap_err()));
    assert!(is_newer(login(sandbox.at(&provider), unopened).unwrap_err()));
    sandbox.wait(9999);
    assert!(is_newer(pass.access_token().unwrap_err()));
    assert_eq!(provider.count(TOKEN), 0);
    assert!(sandbox.bytes() == before);
}

#[test]
fn p45_members_of_a_later_version_survive_a_refresh() {
    let (sandbox, provider) = expired();
    sandbox.edit(|record| {
        record["later"] = json!({ "a": [1] });
        record["access"][0]["later"] = json!(2);
        record["secret"]["later"] = json!("three");
        record["user"]["later"] = json!(4);
    });
    sandbox.pass(&provider).access_token().unwrap();
    let record = sandbox.record();
    assert_eq!(record["later"], json!({ "a": [1] }));
    assert_eq!(record["access"][0]["later"], 2);
    assert_eq!(record["secret"]["later"], "three");
}

#[test]
fn n90_p64_a_session_of_another_issuer_or_client_is_not_handed_out() {
    let (sandbox, provider) = clerk();
    let other_client = sandbox.builder(provider.issuer(), "other");
    let other_issuer = sandbox.builder("https://login.example.com", "cli");
    for builder in [other_client, other_issuer] {
        let error = builder.build().unwrap().access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::OtherServer { .. })), "{error:?}");
    }
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn a_pass_that_knows_no_server_refreshes_from_the_record_alone() {
    let (sandbox, provider) = expired();
    let token = sandbox.stored().build().unwrap().access_token().unwrap();
    assert_eq!((token.issuer(), provider.count(TOKEN)), (provider.issuer(), 1));
}

#[test]
fn the_state_folder_may_come_from_the_environment() {
    let (sandbox, provider) = clerk();
    let dir = sandbox.state_dir();
    let environment = Environment::from_variables([("HALLPASS_STATE_DIR", dir.to_str().unwrap())]);
    let pass = Hallpass::stored(library::SERVICE).environment(environment).build().unwrap();
    assert_eq!(stored_access_token(&sandbox), pass.access_token().unwrap().expose());
    assert_eq!(provider.requests().len(), 0);
}
