use std::time::Duration;

use hallpass::{Error, Hallpass};
use hallpass_test::library::{
    self, LibrarySandbox, RecordingUi, get, is_open, playing, redirect_uri, sign_in, visitor,
};
use hallpass_test::provider::{EMAIL, Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use url::Url;

use crate::runtimes::both;

/// Waits for what other threads do.
async fn until(is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < library::PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn from_login_to_logout() {
    for runtime in both() {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        let pass = sandbox.at(&provider).browser(visitor().0).build().unwrap();
        runtime.block_on(async {
            let session = pass.login_async(RecordingUi::default()).await.unwrap();
            assert_eq!(session.user().unwrap().label(), EMAIL);
            assert_eq!(pass.whoami_async().await.unwrap().label(), EMAIL);
            pass.token_source().access_token_async().await.unwrap();
            assert!(pass.logout_async().await.unwrap().erased);
            assert!(matches!(pass.whoami_async().await, Err(Error::LoginRequired(_))));
        });
    }
}

#[test]
fn other_tasks_go_on_while_a_login_waits() {
    for runtime in both() {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        let (browser, urls) = playing(Url::clone);
        let pass = sandbox.at(&provider).browser(browser).build().unwrap();
        runtime.block_on(async {
            let person = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let url = urls.recv_timeout(library::PATIENCE).unwrap();
                tokio::task::spawn_blocking(move || get(&sign_in(&url))).await.unwrap()
            };
            let (session, page) = tokio::join!(pass.login_async(RecordingUi::default()), person);
            assert_eq!((session.unwrap().user().unwrap().label(), page.status), (EMAIL.to_owned(), 200));
        });
    }
}

/// A login that its user does not finish, dropped once the browser was opened; where its port was.
async fn begun_and_dropped(pass: &Hallpass, urls: &std::sync::mpsc::Receiver<Url>) -> Url {
    let login = pass.login_async(RecordingUi::default());
    let opened = async {
        loop {
            match urls.try_recv() {
                Ok(url) => return redirect_uri(&url),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::select! {
        outcome = login => panic!("{outcome:?}"),
        port = opened => port,
    }
}

#[test]
fn a_dropped_login_frees_its_port_stores_nothing_and_cancels_nothing_else() {
    for runtime in both() {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        let (browser, urls) = playing(Url::clone);
        let pass = sandbox.at(&provider).browser(browser).build().unwrap();
        let sibling = pass.clone();
        runtime.block_on(async {
            for _ in 0..2 {
                let port = begun_and_dropped(&pass, &urls).await;
                until(|| !is_open(&port)).await;
                assert!(!sandbox.is_signed_in());
                assert!(!sibling.canceller().is_cancelled() && !pass.canceller().is_cancelled());
            }
        });
    }
}

#[test]
fn one_that_is_dropped_after_its_code_was_sent_keeps_the_old_sign_in() {
    for runtime in both() {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        sandbox.signed_in(&provider);
        let before = sandbox.bytes();
        provider.next(1, TOKEN, Response::never());
        let pass = sandbox.at(&provider).browser(visitor().0).build().unwrap();
        runtime.block_on(async {
            tokio::select! {
                outcome = pass.login_async(RecordingUi::default()) => panic!("{outcome:?}"),
                () = until(|| provider.count(TOKEN) == 1) => {}
            }
        });
        assert!(pass.finish_saving(library::PATIENCE));
        assert!(sandbox.bytes() == before);
    }
}
