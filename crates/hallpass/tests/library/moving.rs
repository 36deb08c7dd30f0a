//! Moving a sign-in into the keychain and out of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use hallpass::error::KeychainError;
use hallpass::error::{LoginRequired, Misuse, StoreError};
use hallpass::{Error, Storage, StoreKind};
use hallpass_test::library::{Behavior, Call, DAY, KeychainSetup, RecordingUi, login, visitor};
use hallpass_test::provider::CANARY;

/// Signed in by a file, with a keychain that is willing.
fn plain() -> KeychainSetup {
    let setup = KeychainSetup::new();
    login(setup.builder().storage(Storage::File), visitor().0).unwrap();
    setup.forget();
    setup
}

/// Works, now and after a refresh.
fn works(setup: &KeychainSetup) {
    assert_eq!(setup.pass().access_token().unwrap().expose(), setup.stored_access_token());
    setup.sandbox.wait(DAY);
    setup.pass().access_token().unwrap();
}

#[test]
fn moved_into_the_keychain_no_file_has_a_secret_any_more() {
    let setup = plain();
    let secrets = setup.secrets();
    assert_eq!(setup.pass().move_to(Storage::Keychain).unwrap(), StoreKind::Keychain);
    assert_eq!(setup.pass().status().store, StoreKind::Keychain);
    assert_eq!(setup.secrets(), secrets);
    setup.assert_nothing_in_clear(&secrets);
    assert_eq!(setup.keychain.key_ids(), [setup.key_id()]);
    assert_eq!(setup.provider.requests().len(), 0);
    works(&setup);
}

#[test]
fn moved_out_of_the_keychain_no_key_is_left_there() {
    let setup = KeychainSetup::sealed();
    let secrets = setup.secrets();
    assert_eq!(setup.pass().move_to(Storage::File).unwrap(), StoreKind::File);
    assert_eq!((setup.is_sealed(), setup.secrets()), (false, secrets));
    assert_eq!(setup.keychain.key_ids(), [""; 0]);
    setup.forget();
    works(&setup);
    assert_eq!(setup.keychain.calls(), []);
}

#[test]
fn what_a_killed_process_left_in_clear_goes_when_the_record_is_sealed() {
    let setup = plain();
    let left_over = setup.sandbox.folder().join(".default-aB3xYz.tmp");
    fs::copy(setup.sandbox.path(), &left_over).unwrap();
    setup.pass().move_to(Storage::Keychain).unwrap();
    setup.assert_nothing_in_clear(&setup.secrets());

    let setup = plain();
    let left_over = setup.sandbox.folder().join(".default-aB3xYz.tmp");
    fs::copy(setup.sandbox.path(), &left_over).unwrap();
    setup.login().unwrap();
    setup.assert_nothing_in_clear(&setup.secrets());
}

#[test]
fn where_it_is_already_nothing_is_written() {
    for (setup, storage, kind) in [
        (plain(), Storage::File, StoreKind::File),
        (plain(), Storage::Auto, StoreKind::File),
        (KeychainSetup::sealed(), Storage::Keychain, StoreKind::Keychain),
        (KeychainSetup::sealed(), Storage::Auto, StoreKind::Keychain),
    ] {
        let before = setup.sandbox.bytes();
        assert_eq!(setup.pass().move_to(storage).unwrap(), kind);
        assert!(setup.sandbox.bytes() == before);
        assert_eq!(setup.keychain.calls(), []);
    }
}

#[test]
fn a_keychain_that_takes_no_key_leaves_the_sign_in_where_it_is() {
    for mood in [
        Behavior::Absent,
        Behavior::Locked,
        Behavior::Forgetful,
        Behavior::Truncating,
        Behavior::Full,
        Behavior::WriteOnly,
    ] {
        let setup = plain();
        let before = setup.sandbox.bytes();
        setup.keychain.set_behavior(mood);
        let error = setup.pass().move_to(Storage::Keychain).unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::NoKeychain(_))), "{mood:?}: {error:?}");
        assert!(setup.sandbox.bytes() == before, "{mood:?}");
        assert_eq!(setup.keychain.key_ids(), [""; 0], "{mood:?}");
        works(&setup);
    }
}

#[test]
fn a_keychain_that_gives_no_key_leaves_the_sign_in_where_it_is() {
    let setup = KeychainSetup::sealed();
    let before = setup.sandbox.bytes();
    setup.keychain.set_behavior(Behavior::Locked);
    let error = setup.pass().move_to(Storage::File).unwrap_err();
    assert!(
        matches!(error, Error::Store(StoreError::Keychain { cause: KeychainError::Locked, .. })),
        "{error:?}"
    );
    assert!(setup.sandbox.bytes() == before);
    setup.keychain.set_behavior(Behavior::Working);
    works(&setup);
}

#[test]
fn a_record_that_cannot_be_written_leaves_the_old_key_or_none() {
    for (setup, storage) in [(plain(), Storage::Keychain), (KeychainSetup::sealed(), Storage::File)] {
        let (before, keys) = (setup.sandbox.bytes(), setup.keychain.key_ids());
        let folder = setup.sandbox.folder();
        let mode = move |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let close = mode.clone();
        setup.keychain.before_each(move |call| {
            if matches!(call, Call::Get(_)) {
                close(0o777);
            }
        });
        let error = setup.pass().move_to(storage).unwrap_err();
        mode(0o700);
        setup.keychain.before_each(|_| ());
        assert!(matches!(error, Error::Store(StoreError::Unsafe { .. })), "{error:?}");
        assert!(setup.sandbox.bytes() == before);
        assert_eq!(setup.keychain.key_ids(), keys);
        works(&setup);
    }
}

#[test]
fn a_key_that_stays_after_a_move_does_not_undo_it() {
    let setup = KeychainSetup::sealed();
    let keychain = setup.keychain.clone();
    setup.keychain.before_each(move |call| {
        if matches!(call, Call::Delete(_)) {
            keychain.set_behavior(Behavior::Locked);
        }
    });
    assert_eq!(setup.pass().move_to(Storage::File).unwrap(), StoreKind::File);
    works(&setup);
}

/// Reads the record, and asks for its key when another process has replaced both.
#[test]
fn whoever_read_the_record_before_it_moved_reads_it_again() {
    type Action = fn(&KeychainSetup);
    let acts: [Action; 2] = [
        |setup| assert!(setup.pass().move_to(Storage::File).is_ok()),
        |setup| assert!(setup.login().is_ok()),
    ];
    for act in acts {
        let setup = std::sync::Arc::new(KeychainSetup::sealed());
        let (other, act) = (std::sync::Arc::downgrade(&setup), Mutex::new(Some(act)));
        setup.keychain.before_each(move |call| {
            let act = if matches!(call, Call::Get(_)) { act.lock().unwrap().take() } else { None };
            if let Some((act, setup)) = act.zip(other.upgrade()) {
                act(&setup);
            }
        });
        let token = setup.pass().access_token().unwrap();
        assert_eq!(token.expose(), setup.stored_access_token());
    }
}

#[test]
fn a_sign_in_that_ended_moves_too() {
    let setup = KeychainSetup::expired();
    setup.provider.end_sessions();
    setup.pass().access_token().unwrap_err();
    assert_eq!(setup.pass().move_to(Storage::File).unwrap(), StoreKind::File);
    let error = setup.pass().access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(_))), "{error:?}");
}

#[test]
fn what_cannot_be_moved_is_said() {
    let setup = KeychainSetup::new();
    let error = setup.pass().move_to(Storage::Keychain).unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    let setup = plain();
    let error = setup.pass().move_to(Storage::Memory).unwrap_err();
    assert!(matches!(error, Error::Misuse(Misuse::Setting { setting: "storage", .. })), "{error:?}");
    let pass = setup.builder().storage(Storage::Memory).browser(visitor().0).build().unwrap();
    pass.login(&mut RecordingUi::default()).unwrap();
    let error = pass.move_to(Storage::Keychain).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::NoKeychain(_))), "{error:?}");
}

#[test]
fn p40_an_unreadable_record_is_not_moved() {
    let setup = plain();
    setup.sandbox.write(CANARY.as_bytes());
    let error = setup.pass().move_to(Storage::Keychain).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Corrupt { .. })), "{error:?}");
    assert_eq!((setup.sandbox.bytes(), setup.keychain.key_ids()), (CANARY.as_bytes().to_vec(), vec![]));
}
