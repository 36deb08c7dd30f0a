//! One sign-in at a time: whoever wants the same one waits for it, and whoever wants another one has it afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hallpass::browser::Browser;
use hallpass::error::Denied;
use hallpass::{Builder, Error, Hallpass, LoginEvent, LoginUi, Result, Session, Storage, StoreKind};
use hallpass_test::library::{
    self, AT_ONCE, Call, KeychainSetup, LibrarySandbox, RecordingUi, callback, get, login, playing, sign_in,
    timed, unopened, visitor,
};
use hallpass_test::provider::{AUTHORIZE, EMAIL, Provider, TOKEN};
use url::Url;

const MANY: usize = 10;

/// A user who takes a moment, and how often the browser was opened.
fn slow_visitor(pause: Duration) -> (impl Browser + Clone, Arc<AtomicUsize>) {
    let opened = Arc::<AtomicUsize>::default();
    let count = opened.clone();
    let browser = move |url: &str| {
        count.fetch_add(1, Ordering::SeqCst);
        thread::sleep(pause);
        get(&sign_in(&Url::parse(url).unwrap()));
        Ok(())
    };
    (browser, opened)
}

/// Logins of as many processes that start at once.
fn at_once(passes: impl IntoIterator<Item = Hallpass>) -> Vec<(Result<Session>, RecordingUi)> {
    let passes: Vec<Hallpass> = passes.into_iter().collect();
    let barrier = Arc::new(Barrier::new(passes.len()));
    let start = |pass: Hallpass| {
        let barrier = barrier.clone();
        thread::spawn(move || {
            let mut ui = RecordingUi::default();
            barrier.wait();
            (pass.login(&mut ui), ui)
        })
    };
    let threads: Vec<_> = passes.into_iter().map(start).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn p38_ten_processes_without_a_sign_in_open_one_browser_and_all_succeed() {
    let setup = KeychainSetup::new();
    let (browser, opened) = slow_visitor(Duration::from_millis(300));
    let outcomes = at_once((0..MANY).map(|_| setup.builder().browser(browser.clone()).build().unwrap()));
    let mut waited = 0;
    for (session, ui) in outcomes {
        let session = session.unwrap();
        assert_eq!(session.user().unwrap().label(), EMAIL);
        assert_eq!(session.store(), StoreKind::Keychain);
        let others = ui.count(|event| matches!(event, LoginEvent::OtherLogin { process } if *process == std::process::id().to_string()));
        waited += others;
        assert_eq!(ui.count(|event| matches!(event, LoginEvent::Url(_))), 1 - others);
        assert_eq!(session.notes().len(), others, "{:?}", session.notes());
    }
    assert_eq!((opened.load(Ordering::SeqCst), waited), (1, MANY - 1));
    assert_eq!((setup.provider.count(AUTHORIZE), setup.provider.count(TOKEN)), (1, 1));
    assert!(
        matches!(setup.keychain.calls().as_slice(), [Call::Set(_), Call::Get(_)]),
        "nobody else asked it"
    );
}

/// The moments between looking at the record and taking the turn are many.
#[test]
fn p38_a_sign_in_that_was_finished_while_another_one_began_is_not_asked_for_again() {
    for _ in 0..5 {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        let (browser, opened) = slow_visitor(Duration::ZERO);
        for (session, _) in
            at_once((0..MANY).map(|_| sandbox.at(&provider).browser(browser.clone()).build().unwrap()))
        {
            session.unwrap();
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn p38_threads_of_one_pass_in_memory_open_one_browser() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, opened) = slow_visitor(Duration::from_millis(200));
    let pass = sandbox.at(&provider).storage(Storage::Memory).browser(browser).build().unwrap();
    for (session, _) in at_once((0..MANY).map(|_| pass.clone())) {
        assert_eq!(session.unwrap().user().unwrap().label(), EMAIL);
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

/// A login under way, whose user does nothing until told.
struct Underway {
    url: Url,
    pass: Hallpass,
    thread: JoinHandle<Result<Session>>,
}

impl Underway {
    fn of(builder: Builder) -> Underway {
        let (browser, urls) = playing(Url::clone);
        let pass = builder.browser(browser).build().unwrap();
        let thread = thread::spawn({
            let pass = pass.clone();
            move || pass.login(&mut RecordingUi::default())
        });
        Underway { url: urls.recv_timeout(library::PATIENCE).unwrap(), pass, thread }
    }

    fn finish(self) -> Session {
        get(&sign_in(&self.url));
        self.thread.join().unwrap().unwrap()
    }

    fn refuse(self) -> Error {
        get(&callback(&self.url, "error=access_denied&state={state}"));
        self.thread.join().unwrap().unwrap_err()
    }

    fn cancel(self) -> Error {
        self.pass.canceller().cancel();
        self.thread.join().unwrap().unwrap_err()
    }
}

/// Says when it begins to wait for another process.
struct Queueing(Sender<()>);

impl LoginUi for Queueing {
    fn event(&mut self, event: LoginEvent) {
        if matches!(event, LoginEvent::OtherLogin { .. }) {
            self.0.send(()).unwrap();
        }
    }
}

/// A login that waits for its turn.
fn queue(pass: Hallpass) -> JoinHandle<Result<Session>> {
    let (waits, waiting) = mpsc::channel();
    let thread = thread::spawn(move || pass.login(&mut Queueing(waits)));
    waiting.recv_timeout(library::PATIENCE).unwrap();
    thread
}

#[test]
fn p38_a_holder_that_fails_or_gives_up_makes_room_for_the_next() {
    type End = (fn(Underway) -> Error, fn(&Error) -> bool);
    let ends: [End; 2] = [
        (Underway::refuse, |error| matches!(error, Error::Denied(Denied::ByServer(_)))),
        (Underway::cancel, |error| *error == Error::Cancelled),
    ];
    for (end, is_right) in ends {
        let setup = KeychainSetup::new();
        let holder = Underway::of(setup.builder());
        let next = queue(setup.builder().browser(visitor().0).build().unwrap());
        assert!(is_right(&end(holder)));
        assert_eq!(next.join().unwrap().unwrap().notes(), [""; 0]);
        assert_eq!(setup.keychain.key_ids(), [setup.key_id()]);
    }
}

#[test]
fn p38_another_sign_in_than_the_holders_is_asked_for_afterwards() {
    type Other = fn(Builder) -> Builder;
    let others: [(&str, Other); 5] = [
        ("scopes", |builder| builder.scopes(["openid", "offline_access", "pay:read"])),
        ("resource", |builder| builder.resource("https://api.example.com")),
        ("store", |builder| builder.storage(Storage::File)),
        ("another store", |builder| builder.storage(Storage::Keychain)),
        ("account", |builder| builder.account("grace@example.com")),
    ];
    for (name, other) in others {
        let setup = KeychainSetup::new();
        let holder = match name {
            "another store" => Underway::of(setup.builder().storage(Storage::File)),
            _ => Underway::of(setup.builder()),
        };
        let (browser, opened) = slow_visitor(Duration::ZERO);
        let next = queue(other(setup.builder()).browser(browser).build().unwrap());
        holder.finish();
        let outcome = next.join().unwrap();
        assert_eq!(opened.load(Ordering::SeqCst), 1, "{name}");
        assert_eq!(outcome.is_ok(), name != "account", "{name}: {outcome:?}");
    }
}

#[test]
fn p38_a_sign_in_at_another_server_is_asked_for_afterwards() {
    let (sandbox, provider, other) = (LibrarySandbox::new(), Provider::clerk(), Provider::clerk());
    let holder = Underway::of(sandbox.at(&provider));
    let next = queue(sandbox.at(&other).browser(visitor().0).build().unwrap());
    holder.finish();
    assert_eq!(next.join().unwrap().unwrap().issuer(), other.issuer());
}

#[test]
fn p38_a_holder_that_never_finishes_costs_the_others_their_time_and_no_browser() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let holder = Underway::of(sandbox.at(&provider));
    let limit = Duration::from_millis(300);
    let passes =
        (0..3).map(|_| sandbox.at(&provider).login_timeout(limit).browser(unopened).build().unwrap());
    let (outcomes, took) = timed(|| at_once(passes));
    for (outcome, ui) in outcomes {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::TimedOut { waited, ignored: 0, .. } if waited == limit), "{error:?}");
        assert_eq!(ui.count(|event| matches!(event, LoginEvent::Url(_))), 0);
    }
    assert!(took < limit + library::PATIENCE / 2, "{took:?}");
    holder.finish();
}

/// The remaining time is too short for a login.
#[test]
fn p38_whose_turn_comes_too_late_opens_no_browser() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let holder = Underway::of(sandbox.at(&provider));
    let limit = Duration::from_secs(1);
    let next = queue(sandbox.at(&provider).login_timeout(limit).browser(unopened).build().unwrap());
    thread::sleep(limit * 6 / 10);
    holder.cancel();
    assert!(matches!(next.join().unwrap(), Err(Error::TimedOut { .. })));
}

#[test]
fn p38_four_that_wait_for_nobody_succeed_in_any_order() {
    let setup = KeychainSetup::new();
    let logins: Vec<Underway> =
        (0..4).map(|_| Underway::of(setup.builder().allow_concurrent_login())).collect();
    for login in logins.into_iter().rev() {
        let session = login.finish();
        assert_eq!((session.user().unwrap().label().as_str(), session.store()), (EMAIL, StoreKind::Keychain));
        setup.pass().access_token().unwrap();
    }
    assert_eq!(setup.keychain.key_ids(), [setup.key_id()]);
    assert_eq!(setup.provider.count(TOKEN), 4);
}

#[test]
fn p38_the_wait_for_another_process_ends_at_once_when_cancelled() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let holder = Underway::of(sandbox.at(&provider));
    let pass = sandbox.at(&provider).browser(unopened).build().unwrap();
    let next = queue(pass.clone());
    let (outcome, took) = timed(|| {
        pass.canceller().cancel();
        next.join().unwrap()
    });
    assert_eq!(outcome.unwrap_err(), Error::Cancelled);
    assert!(took < AT_ONCE, "{took:?}");
    holder.finish();
}

#[test]
fn p38_tokens_are_renewed_while_somebody_signs_in() {
    let setup = KeychainSetup::expired();
    let holder = Underway::of(setup.builder());
    let (token, took) = timed(|| setup.pass().access_token().unwrap());
    assert_eq!((token.notes().len(), setup.stored_access_token()), (0, token.expose().into()));
    assert!(took < library::PATIENCE / 2, "{took:?}");
    holder.finish();
    assert_ne!(setup.stored_access_token(), token.expose());
    setup.pass().access_token().unwrap();
}

#[test]
fn p38_a_renewed_record_is_no_new_sign_in() {
    let setup = KeychainSetup::expired();
    let holder = Underway::of(setup.builder());
    let next = queue(setup.builder().browser(visitor().0).build().unwrap());
    setup.pass().access_token().unwrap();
    holder.cancel();
    assert_eq!(next.join().unwrap().unwrap().notes(), [""; 0]);
}

#[test]
fn p40_a_record_that_became_unreadable_meanwhile_is_set_aside_as_ever() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let holder = Underway::of(sandbox.at(&provider));
    let next = queue(sandbox.at(&provider).browser(visitor().0).build().unwrap());
    sandbox.write(b"{");
    holder.cancel();
    let session = next.join().unwrap().unwrap();
    assert!(session.notes()[0].contains("was moved to"), "{:?}", session.notes());
}

#[test]
fn profiles_do_not_wait_for_each_other() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let holder = Underway::of(sandbox.at(&provider));
    let session = login(sandbox.at(&provider).profile("work"), visitor().0).unwrap();
    assert_eq!(session.profile(), "work");
    holder.finish();
}
