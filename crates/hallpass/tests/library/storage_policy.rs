//! The choice of the store, made and reported before the browser opens, and the effect of a keychain that becomes
//! unavailable later.

use std::time::Duration;

use hallpass::error::KeychainError;
use hallpass::error::{LoginRequired, StoreError};
use hallpass::{Error, LoginEvent, LoginUi, Revocation, State, Storage, StoreKind};
use hallpass_test::library::{
    Behavior, Call, DAY, KeychainSetup, RecordingUi, login, timed, unopened, visitor,
};
use hallpass_test::provider::{EMAIL, TOKEN};

/// Time limit of a command with a keychain that does not respond within its three seconds (P47), on a busy machine.
const IN_TIME: Duration = Duration::from_secs(5);
/// Less than what waiting for it takes.
const WITHOUT_WAITING: Duration = Duration::from_secs(2);

fn failed(cause: &KeychainError) -> bool {
    matches!(cause, KeychainError::Failed(_))
}

type IsRight = fn(&KeychainError) -> bool;

/// Keychains that cannot keep a key, and what is said of them.
fn unusable() -> Vec<(Behavior, IsRight)> {
    vec![
        (Behavior::Absent, |cause| matches!(cause, KeychainError::Absent(why) if why == "no bus")),
        (Behavior::Locked, |cause| *cause == KeychainError::Locked),
        (Behavior::Silent, |cause| *cause == KeychainError::TimedOut),
        (Behavior::Forgetful, |cause| *cause == KeychainError::NoItem),
        (Behavior::Truncating, failed),
        (Behavior::Lying, failed),
        (Behavior::Full, failed),
        (Behavior::WriteOnly, failed),
        (Behavior::Panicking, failed),
    ]
}

fn no_keychain(error: Error) -> KeychainError {
    match error {
        Error::Store(StoreError::NoKeychain(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

/// A person who answers the keychain's question.
#[derive(Default)]
struct Person(RecordingUi);

impl LoginUi for Person {
    fn event(&mut self, event: LoginEvent) {
        self.0.event(event);
    }

    fn can_unlock(&self) -> bool {
        true
    }
}

/// Why the first of these events says that there is no keychain; the address comes after it. Before it may stand that
/// the keychain is waited for.
fn said_first(events: &[LoginEvent]) -> &KeychainError {
    match events {
        [LoginEvent::SlowKeychain, rest @ ..] => said_first(rest),
        [
            LoginEvent::Store { kind: StoreKind::File, no_keychain: Some(why), .. },
            LoginEvent::Discovering { .. },
            LoginEvent::Url(_),
            ..,
        ] => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn n86_p49_without_a_usable_keychain_it_is_the_file_and_that_is_said_before_the_browser_opens() {
    for (mood, is_right) in unusable() {
        let setup = KeychainSetup::with(mood);
        let pass = setup.builder().browser(visitor().0).build().unwrap();
        let mut ui = RecordingUi::default();
        let session = pass.login(&mut ui).unwrap_or_else(|e| panic!("{mood:?}: {e}"));
        assert!(is_right(said_first(&ui.events)), "{mood:?}: {:?}", ui.events);
        assert_eq!((session.store(), setup.is_sealed()), (StoreKind::File, false), "{mood:?}");
        assert_eq!(setup.keychain.key_ids(), [""; 0], "{mood:?}");
        setup.keychain.calls();
        assert_eq!(pass.access_token().unwrap().expose(), setup.stored_access_token());
        assert_eq!(setup.keychain.calls(), [], "{mood:?}: a plain record needs none");
    }
}

#[test]
fn n86_p49_who_insists_on_the_keychain_gets_it_or_nothing() {
    for (mood, is_right) in unusable() {
        let setup = KeychainSetup::with(mood);
        let (result, took) = timed(|| login(setup.builder().storage(Storage::Keychain), unopened));
        assert!(is_right(&no_keychain(result.unwrap_err())), "{mood:?}");
        assert!(took < IN_TIME, "{mood:?}: {took:?}");
        assert_eq!(setup.provider.requests().len(), 0, "{mood:?}");
        assert!(!setup.sandbox.is_signed_in() && setup.keychain.key_ids().is_empty(), "{mood:?}");
    }
}

#[test]
fn p49_an_older_sign_in_survives_that_there_is_no_keychain_any_more() {
    let setup = KeychainSetup::sealed();
    let before = setup.sandbox.bytes();
    setup.keychain.set_behavior(Behavior::Absent);
    no_keychain(login(setup.builder().storage(Storage::Keychain), unopened).unwrap_err());
    assert!(setup.sandbox.bytes() == before && setup.provider.requests().is_empty());
    setup.keychain.set_behavior(Behavior::Working);
    setup.pass().access_token().unwrap();
}

#[test]
fn p47_a_silent_keychain_costs_a_login_three_seconds_once() {
    let setup = KeychainSetup::with(Behavior::Silent);
    let pass = setup.builder().browser(visitor().0).build().unwrap();
    let (session, took) = timed(|| pass.login(&mut RecordingUi::default()).unwrap());
    assert_eq!(session.store(), StoreKind::File);
    assert!(took < IN_TIME, "{took:?}");
    assert_eq!(setup.keychain.calls().len(), 1);
}

#[test]
fn a_person_is_asked_to_unlock_only_where_there_is_one() {
    let setup = KeychainSetup::with(Behavior::Locked);
    let pass = setup.builder().browser(visitor().0).build().unwrap();
    pass.login(&mut RecordingUi::default()).unwrap();
    assert!(!setup.keychain.calls().contains(&Call::Unlock));

    let mut person = Person::default();
    assert_eq!(pass.login(&mut person).unwrap().store(), StoreKind::Keychain);
    let [
        LoginEvent::Unlocking,
        LoginEvent::Store { kind, no_keychain, .. },
        LoginEvent::Discovering { .. },
        LoginEvent::Url(_),
        ..,
    ] = person.0.events.as_slice()
    else {
        panic!("{:?}", person.0.events)
    };
    assert_eq!((*kind, no_keychain), (StoreKind::Keychain, &None));
    assert!(setup.is_sealed());
}

#[test]
fn p49_a_question_that_was_dismissed_is_a_no_to_the_keychain() {
    let setup = KeychainSetup::with(Behavior::Refusing);
    let pass = setup.builder().browser(visitor().0).build().unwrap();
    let mut person = Person::default();
    assert_eq!(pass.login(&mut person).unwrap().store(), StoreKind::File);
    assert_eq!(person.0.events[0], LoginEvent::Unlocking);
    assert_eq!(*said_first(&person.0.events[1..]), KeychainError::Refused);

    let setup = KeychainSetup::with(Behavior::Refusing);
    let pass = setup.builder().storage(Storage::Keychain).browser(unopened).build().unwrap();
    assert_eq!(no_keychain(pass.login(&mut Person::default()).unwrap_err()), KeychainError::Refused);
    assert_eq!(setup.provider.requests().len(), 0);
    assert!(!setup.sandbox.is_signed_in());
}

#[test]
fn a_login_that_is_cancelled_at_the_keychains_question_opens_no_browser() {
    let setup = KeychainSetup::with(Behavior::Locked);
    let pass = setup.builder().browser(unopened).build().unwrap();
    struct Cancelling(hallpass::Canceller);
    impl LoginUi for Cancelling {
        fn event(&mut self, event: LoginEvent) {
            if event == LoginEvent::Unlocking {
                self.0.cancel();
            }
        }
        fn can_unlock(&self) -> bool {
            true
        }
    }
    assert_eq!(pass.login(&mut Cancelling(pass.canceller())).unwrap_err(), Error::Cancelled);
    assert_eq!((setup.provider.requests().len(), setup.sandbox.is_signed_in()), (0, false));
}

#[test]
fn n86_a_sealed_record_is_never_written_plain_by_a_refresh() {
    let setup = KeychainSetup::expired();
    setup.builder().storage(Storage::File).build().unwrap().access_token().unwrap();
    assert!(setup.is_sealed());
    setup.assert_nothing_in_clear(&setup.secrets());
    setup.sandbox.wait(DAY);
    for mood in [Behavior::Locked, Behavior::Absent, Behavior::Full] {
        setup.keychain.set_behavior(mood);
        let _ = setup.builder().storage(Storage::Auto).build().unwrap().force_refresh();
        assert!(setup.is_sealed(), "{mood:?}");
    }
    setup.keychain.set_behavior(Behavior::Working);
    setup.assert_nothing_in_clear(&setup.secrets());
}

#[test]
fn a_plain_record_is_not_sealed_by_a_refresh() {
    let setup = KeychainSetup::with(Behavior::Absent);
    setup.login().unwrap();
    setup.keychain.set_behavior(Behavior::Working);
    setup.sandbox.wait(DAY);
    setup.forget();
    setup.pass().access_token().unwrap();
    assert_eq!((setup.is_sealed(), setup.keychain.calls()), (false, vec![]));
}

fn cause(error: Error) -> KeychainError {
    match error {
        Error::Store(StoreError::Keychain { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

/// Keychains that had the key, and what is said when it is asked for.
fn unavailable() -> [(Behavior, KeychainError); 3] {
    [
        (Behavior::Locked, KeychainError::Locked),
        (Behavior::Absent, KeychainError::Absent("no bus".to_owned())),
        (Behavior::WriteOnly, KeychainError::Failed("it fails".to_owned())),
    ]
}

#[test]
fn p52_a_key_that_cannot_be_had_is_no_missing_sign_in() {
    for (mood, expected) in unavailable() {
        for age in [0, DAY] {
            let setup = KeychainSetup::sealed();
            setup.sandbox.wait(age);
            let before = setup.sandbox.bytes();
            setup.keychain.set_behavior(mood);
            let pass = setup.pass();
            let ((), took) = timed(|| {
                assert_eq!(cause(pass.access_token().unwrap_err()), expected);
                assert_eq!(cause(pass.force_refresh().unwrap_err()), expected);
                assert!(
                    matches!(pass.check().state, State::Unavailable(error) if cause(error.clone()) == expected)
                );
            });
            assert!(took < IN_TIME, "{mood:?}: {took:?}");
            assert!(matches!(pass.status().state, State::Unverified));
            assert_eq!(pass.whoami().unwrap().email.as_deref(), Some(EMAIL));
            assert!(setup.sandbox.bytes() == before && setup.provider.requests().is_empty(), "{mood:?}");
            setup.keychain.set_behavior(Behavior::Working);
            setup.pass().access_token().unwrap();
        }
    }
}

#[test]
fn p52_a_key_that_is_gone_keeps_the_record_and_is_asked_for_once() {
    let setup = KeychainSetup::expired();
    let before = setup.sandbox.bytes();
    setup.keychain.lose_all();
    assert_eq!(cause(setup.pass().access_token().unwrap_err()), KeychainError::NoItem);
    assert_eq!(setup.reads(), 1);
    assert!(setup.sandbox.bytes() == before && setup.provider.requests().is_empty());
    assert!(matches!(setup.pass().check().state, State::Unavailable(_)));
    assert_eq!(setup.pass().status().store, StoreKind::Keychain);
    setup.login().unwrap();
    setup.pass().access_token().unwrap();
}

#[test]
fn a_logout_erases_what_it_cannot_unseal_and_says_that_nothing_was_revoked() {
    for mood in [Behavior::Locked, Behavior::Absent, Behavior::Silent, Behavior::Working] {
        let setup = KeychainSetup::sealed();
        setup.keychain.set_behavior(mood);
        if mood == Behavior::Working {
            setup.keychain.lose_all();
        }
        let (report, took) = timed(|| setup.pass().logout().unwrap());
        assert!(report.erased && report.is_unconfirmed(), "{mood:?}");
        assert!(matches!(report.refresh_token, Revocation::Failed(_)), "{mood:?}");
        assert!(took < IN_TIME && !setup.sandbox.is_signed_in(), "{mood:?}: {took:?}");
        assert_eq!(setup.provider.requests().len(), 0, "{mood:?}");
        let error = setup.pass().access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    }
}

#[test]
fn p47_a_keychain_that_falls_silent_after_the_login_holds_up_no_cached_key() {
    let setup = KeychainSetup::sealed();
    let pass = setup.pass();
    pass.access_token().unwrap();
    setup.keychain.set_behavior(Behavior::Silent);
    let (token, took) = timed(|| pass.access_token().unwrap());
    assert_eq!(
        (token.expose(), took < WITHOUT_WAITING),
        (setup.stored_access_token().as_str().unwrap(), true)
    );
    setup.sandbox.wait(DAY);
    pass.access_token().unwrap();
    assert_eq!(setup.provider.count(TOKEN), 1);
}

#[test]
fn p48_a_silent_keychain_is_left_behind_on_a_thread_of_its_own() {
    let setup = KeychainSetup::sealed();
    setup.keychain.set_behavior(Behavior::Silent);
    let pass = setup.pass();
    let (first, took) = timed(|| pass.access_token().unwrap_err());
    assert_eq!(cause(first), KeychainError::TimedOut);
    assert!(took < IN_TIME, "{took:?}");
    let (second, took) = timed(|| pass.access_token().unwrap_err());
    assert_eq!(cause(second), KeychainError::TimedOut);
    assert!(took < WITHOUT_WAITING, "it is not waited for again: {took:?}");
}
