//! A program that runs for long: what it does with a token that ends, is refused, or becomes another's meanwhile.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use hallpass::error::LoginRequired;
use hallpass::{AccessToken, Error, Result, Storage, TokenSource};
use hallpass_dev::DevServer;
use hallpass_test::library::{self, DAY, KeychainSetup, LibrarySandbox, login, visitor};
use hallpass_test::provider::{Provider, TOKEN, USERINFO};
use hallpass_test::scripted_server::Response;
use serde_json::json;

fn signed_in() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    (sandbox, provider)
}

/// Runs it on so many threads at the same moment.
fn at_once<T: Send + 'static>(count: usize, work: impl Fn() -> T + Send + Clone + 'static) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(count));
    let start = |_| {
        let (work, barrier) = (work.clone(), barrier.clone());
        thread::spawn(move || {
            barrier.wait();
            work()
        })
    };
    let threads: Vec<_> = (0..count).map(start).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn text(token: Result<AccessToken>) -> String {
    token.unwrap().expose().to_owned()
}

/// Calls an API as a program does, and retries once after a 401.
fn with_one_replay(tokens: &TokenSource, call: impl Fn(&AccessToken) -> u16) -> Result<u16> {
    let token = tokens.access_token()?;
    match call(&token) {
        401 => Ok(call(&tokens.refresh(&token)?)),
        status => Ok(status),
    }
}

/// Asks the userinfo endpoint, which plays the API.
fn call(url: &str, token: &AccessToken) -> u16 {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    let request = config.build().new_agent().get(url);
    request.header("Authorization", token.authorization_header().expose()).call().unwrap().status().as_u16()
}

#[test]
fn the_header_is_the_one_of_rfc_6750() {
    let (sandbox, provider) = signed_in();
    let token = sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(token.authorization_header().expose(), format!("Bearer {}", token.expose()));
}

#[test]
fn a_hundred_threads_that_find_the_token_expired_make_one_request() {
    let (sandbox, provider) = signed_in();
    sandbox.wait(DAY);
    provider.slow(TOKEN, Duration::from_millis(300));
    let tokens = sandbox.pass(&provider).token_source();
    let found = at_once(100, move || text(tokens.access_token()));
    assert!(found.iter().all(|token| *token == found[0]));
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn the_same_with_a_sign_in_that_is_kept_in_memory() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let builder = sandbox.at(&provider).storage(Storage::Memory).browser(visitor().0);
    let pass = builder.build().unwrap();
    pass.login(&mut library::RecordingUi::default()).unwrap();
    provider.forget();
    sandbox.wait(DAY);
    provider.slow(TOKEN, Duration::from_millis(100));
    let tokens = pass.token_source();
    let found = at_once(100, move || text(tokens.access_token()));
    assert!(found.iter().all(|token| *token == found[0]));
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn fifty_threads_that_were_refused_the_same_token_make_one_refresh() {
    let (sandbox, provider) = signed_in();
    let tokens = sandbox.pass(&provider).token_source();
    let refused = tokens.access_token().unwrap();
    let (source, token) = (tokens.clone(), refused.clone());
    let renewed = at_once(50, move || text(source.refresh(&token)));
    assert!(renewed.iter().all(|token| *token == renewed[0] && *token != refused.expose()));
    assert_eq!(provider.count(TOKEN), 1);
    assert_eq!(text(tokens.refresh(&refused)), renewed[0]);
    assert_eq!(provider.count(TOKEN), 1, "whoever comes late takes what is there");
}

#[test]
fn p35_a_token_that_was_revoked_costs_one_refresh_and_one_replay() {
    let (sandbox, provider) = signed_in();
    let tokens = sandbox.pass(&provider).token_source();
    provider.end_access_tokens();
    let url = format!("{}{USERINFO}", provider.issuer());
    assert_eq!(with_one_replay(&tokens, |token| call(&url, token)).unwrap(), 200);
    assert_eq!((provider.count(TOKEN), provider.count(USERINFO)), (1, 2));
    assert_eq!(with_one_replay(&tokens, |token| call(&url, token)).unwrap(), 200);
    assert_eq!((provider.count(TOKEN), provider.count(USERINFO)), (1, 3));
}

#[test]
fn p35_a_second_refusal_is_told_and_nothing_goes_round_in_circles() {
    let (sandbox, provider) = signed_in();
    provider.always(USERINFO, Response::empty(401));
    let url = format!("{}{USERINFO}", provider.issuer());
    let tokens = sandbox.pass(&provider).token_source();
    assert_eq!(with_one_replay(&tokens, |token| call(&url, token)).unwrap(), 401);
    assert_eq!((provider.count(TOKEN), provider.count(USERINFO)), (1, 2));
}

#[test]
fn a_refused_token_of_a_session_that_is_over_is_told_as_such() {
    let (sandbox, provider) = signed_in();
    let tokens = sandbox.pass(&provider).token_source();
    let token = tokens.access_token().unwrap();
    provider.end_sessions();
    let renewed = at_once(10, move || tokens.refresh(&token));
    assert!(renewed.iter().all(|error| matches!(error, Err(Error::LoginRequired(LoginRequired::Ended(_))))));
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn a_refused_token_is_not_handed_out_again_when_it_cannot_be_renewed() {
    let (sandbox, provider) = signed_in();
    let tokens = sandbox.pass(&provider).token_source();
    let token = tokens.access_token().unwrap();
    provider.always(TOKEN, Response::empty(503));
    assert!(tokens.refresh(&token).unwrap_err().is_retryable());
    assert_eq!(text(tokens.access_token()), token.expose(), "nobody else was told that it was refused");
}

#[test]
fn p35_a_long_job_with_short_tokens_never_gets_to_see_a_401() {
    let server = DevServer::builder().token_ttl(Duration::from_secs(3)).start().unwrap();
    let sandbox = LibrarySandbox::new();
    let builder = || sandbox.builder(server.issuer(), "demo").browser(server.robot().opener());
    login(builder(), server.robot().opener()).unwrap();
    let tokens = builder().build().unwrap().token_source();
    let url = format!("{}/userinfo", server.issuer());
    for _ in 0..50 {
        assert_eq!(with_one_replay(&tokens, |token| call(&url, token)).unwrap(), 200);
        thread::sleep(Duration::from_millis(150));
    }
    let renewals = server.journal().count("/token") - 1;
    assert!((2..=8).contains(&renewals), "one for each half of a token's life: {renewals}");
}

#[test]
fn p29_a_sealed_sign_in_too_is_what_others_made_of_it() {
    let setup = KeychainSetup::sealed();
    let long_lived = setup.pass();
    let tokens = long_lived.token_source();
    let first = tokens.access_token().unwrap();

    let rotated = text(setup.pass().force_refresh());
    assert!(rotated != first.expose() && text(tokens.access_token()) == rotated);
    assert_eq!(text(tokens.refresh(&first)), rotated);

    setup.pass().logout().unwrap();
    let error = tokens.access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");

    setup.provider.twist_claims(|claims| {
        claims["sub"] = json!("user-2");
        claims["email"] = json!("grace@example.com");
    });
    setup.login().unwrap();
    assert_eq!(text(tokens.access_token()), text(setup.pass().access_token()));
    assert_eq!(long_lived.whoami().unwrap().label(), "grace@example.com");
    setup.sandbox.wait(DAY);
    assert_eq!(text(tokens.access_token()), text(setup.pass().access_token()));
}
