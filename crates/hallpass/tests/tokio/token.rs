use std::collections::HashSet;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, SystemTime};

use hallpass::error::{LoginRequired, NetworkError};
use hallpass::world::http::{Http, HttpRequest, HttpResponse};
use hallpass::{AccessToken, Error, Result, TokenSource};
use hallpass_test::library::{self, DAY, KeychainSetup, LibrarySandbox, RecordingUi, visitor};
use hallpass_test::provider::{Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::runtimes::{at_first_sight, both};

fn signed_in() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    (sandbox, provider)
}

fn expired() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = signed_in();
    sandbox.wait(DAY);
    (sandbox, provider)
}

fn text(token: Result<AccessToken>) -> String {
    token.unwrap().expose().to_owned()
}

/// Nothing may be sent.
struct Forbidden;

impl Http for Forbidden {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        panic!("sent: {request:?}")
    }
}

/// So many tasks, each of which asks for a token.
fn tasks<F>(runtime: &Runtime, count: usize, ask: impl Fn() -> F) -> Vec<JoinHandle<F::Output>>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    (0..count).map(|_| runtime.spawn(ask())).collect()
}

fn outcomes<T>(runtime: &Runtime, tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    runtime.block_on(async {
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    })
}

fn token(tokens: &TokenSource) -> impl Future<Output = Result<AccessToken>> + Send + 'static {
    let tokens = tokens.clone();
    async move { tokens.access_token_async().await }
}

fn refreshed(
    tokens: &TokenSource,
    refused: &AccessToken,
) -> impl Future<Output = Result<AccessToken>> + Send + 'static {
    let (tokens, refused) = (tokens.clone(), refused.clone());
    async move { tokens.refresh_async(&refused).await }
}

#[test]
fn a_fresh_token_is_answered_on_the_spot() {
    let (sandbox, provider) = signed_in();
    let before = sandbox.files();
    let tokens = sandbox.at(&provider).http(Forbidden).build().unwrap().token_source();
    let token = at_first_sight(tokens.access_token_async()).expect("not a moment later").unwrap();
    assert_eq!(sandbox.record()["secret"]["access_tokens"][0], token.expose());
    assert!(sandbox.files() == before);
}

#[test]
fn of_a_sealed_sign_in_too_once_the_key_is_known() {
    let setup = KeychainSetup::sealed();
    let tokens = setup.builder().http(Forbidden).build().unwrap().token_source();
    assert!(at_first_sight(tokens.access_token_async()).is_none(), "a keychain may take its time");
    for runtime in both() {
        runtime.block_on(tokens.access_token_async()).unwrap();
    }
    assert!(at_first_sight(tokens.access_token_async()).is_some());
}

#[test]
fn an_expired_token_is_renewed_once_for_all_tasks_and_not_on_a_thread_for_each() {
    for runtime in both() {
        let (sandbox, provider) = signed_in();
        let seen = Arc::new(Mutex::new(HashSet::<ThreadId>::new()));
        let threads = seen.clone();
        let clock = move || {
            threads.lock().unwrap().insert(thread::current().id());
            SystemTime::now() + Duration::from_secs(DAY)
        };
        let tokens = sandbox.at(&provider).clock(clock).build().unwrap().token_source();
        provider.slow(TOKEN, Duration::from_millis(200));
        let found = outcomes(&runtime, tasks(&runtime, 200, || token(&tokens)));
        let found: Vec<String> = found.into_iter().map(text).collect();
        assert!(found.iter().all(|token| *token == found[0]));
        assert_eq!(provider.count(TOKEN), 1);
        let threads = seen.lock().unwrap().len();
        assert!(threads < 10, "{threads} threads looked at the clock");
    }
}

#[test]
fn tasks_that_were_refused_the_same_token_make_one_refresh() {
    for runtime in both() {
        let (sandbox, provider) = signed_in();
        let tokens = sandbox.pass(&provider).token_source();
        let refused = runtime.block_on(tokens.access_token_async()).unwrap();
        let found = outcomes(&runtime, tasks(&runtime, 50, || refreshed(&tokens, &refused)));
        let found: Vec<String> = found.into_iter().map(text).collect();
        assert!(found.iter().all(|token| *token == found[0] && *token != refused.expose()));
        assert_eq!(provider.count(TOKEN), 1);
        assert_eq!(text(at_first_sight(tokens.refresh_async(&refused)).unwrap()), found[0]);
    }
}

#[test]
fn all_who_wait_are_told_why_there_is_none_and_the_next_one_asks_anew() {
    for runtime in both() {
        let (sandbox, provider) = expired();
        provider.next(1, TOKEN, Response::empty(503));
        provider.slow(TOKEN, Duration::from_millis(200));
        let tokens = sandbox.pass(&provider).token_source();
        let found = outcomes(&runtime, tasks(&runtime, 50, || token(&tokens)));
        assert!(found.iter().all(|error| matches!(error, Err(error) if error.is_retryable())), "{found:?}");
        assert_eq!(provider.count(TOKEN), 1);
        runtime.block_on(tokens.access_token_async()).unwrap();
    }
}

#[test]
fn nobody_signed_in_is_an_error_and_no_wait() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let pass = sandbox.pass(&provider);
    for runtime in both() {
        let error = runtime.block_on(pass.token_source().access_token_async()).unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
        assert_eq!(runtime.block_on(pass.whoami_async()).unwrap_err(), error);
    }
}

#[test]
fn p30_a_dropped_future_does_not_end_the_refresh() {
    for runtime in both() {
        let (sandbox, provider) = expired();
        let before = sandbox.bytes();
        let (arrived, here) = mpsc::channel();
        provider.slow(TOKEN, Duration::from_millis(200));
        provider.on(TOKEN, move |_| {
            let _ = arrived.send(());
            None
        });
        let pass = sandbox.pass(&provider);
        let task = runtime.spawn(token(&pass.token_source()));
        runtime.block_on(async {
            while here.try_recv().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert!(sandbox.bytes() == before, "nothing came yet");
        assert!(pass.finish_saving(library::PATIENCE));
        assert!(sandbox.bytes() != before);
        let saved = sandbox.record()["secret"]["access_tokens"][0].clone();
        assert_eq!(
            saved,
            text(runtime.block_on(sandbox.pass(&provider).token_source().access_token_async()))
        );
        assert_eq!(provider.count(TOKEN), 1);
    }
}

#[test]
fn a_future_that_is_dropped_leaves_the_others_waiting_for_the_same() {
    for runtime in both() {
        let (sandbox, provider) = expired();
        provider.slow(TOKEN, Duration::from_millis(200));
        let tokens = sandbox.pass(&provider).token_source();
        let (first, second) = (runtime.spawn(token(&tokens)), runtime.spawn(token(&tokens)));
        runtime.block_on(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            first.abort();
            second.await.unwrap().unwrap();
        });
        assert_eq!(provider.count(TOKEN), 1);
    }
}

#[test]
fn after_a_panic_nobody_waits_for_ever() {
    for runtime in both() {
        let (sandbox, provider) = expired();
        let tokens = sandbox.at(&provider).http(Forbidden).build().unwrap().token_source();
        for _ in 0..2 {
            let tasks = tasks(&runtime, 5, || token(&tokens));
            runtime.block_on(async {
                for task in tasks {
                    assert!(task.await.unwrap_err().is_panic());
                }
            });
        }
    }
}

#[test]
fn p48_the_blocking_verbs_work_in_async_code_and_on_the_pool() {
    for runtime in both() {
        let (sandbox, provider) = expired();
        let pass = sandbox.pass(&provider);
        runtime.block_on(async { pass.access_token() }).unwrap();
        let (on_the_pool, in_a_task) = (pass.clone(), pass.clone());
        let forced = runtime.spawn_blocking(move || on_the_pool.force_refresh());
        runtime.block_on(forced).unwrap().unwrap();
        let forced = runtime.spawn(async move { in_a_task.force_refresh() });
        runtime.block_on(forced).unwrap().unwrap();
        let login = sandbox.at(&provider).browser(visitor().0).build().unwrap();
        runtime.block_on(async { login.login(&mut RecordingUi::default()) }).unwrap();
        assert!(runtime.block_on(async { pass.logout() }).unwrap().erased);
    }
}
