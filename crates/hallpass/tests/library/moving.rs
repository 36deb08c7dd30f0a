//! Moving a sign-in into the keychain and out of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use hallpass::error::KeychainError;
use hallpass::error::{LoginRequired, Misuse, StoreError};
use hallpass::{Error, Storage, StoreKind};

use crate::bench::{Recorder, login, visitor};
use crate::desk::{DAY, Desk};
use crate::keychains::{Call, Mood};
use crate::provider::CANARY;

/// Signed in by a file, with a keychain that is willing.
fn plain() -> Desk {
    let desk = Desk::new();
    login(desk.builder().storage(Storage::File), visitor().0).unwrap();
    desk.forget();
    desk
}

/// Works, now and after a refresh.
fn works(desk: &Desk) {
    assert_eq!(desk.pass().access_token().unwrap().expose(), desk.stored_access_token());
    desk.bench.wait(DAY);
    desk.pass().access_token().unwrap();
}

#[test]
fn moved_into_the_keychain_no_file_has_a_secret_any_more() {
    let desk = plain();
    let secrets = desk.secrets();
    assert_eq!(desk.pass().move_to(Storage::Keychain).unwrap(), StoreKind::Keychain);
    assert_eq!(desk.pass().status().store, StoreKind::Keychain);
    assert_eq!(desk.secrets(), secrets);
    desk.holds_nothing_in_clear(&secrets);
    assert_eq!(desk.keychain.key_ids(), [desk.key_id()]);
    assert_eq!(desk.provider.requests().len(), 0);
    works(&desk);
}

#[test]
fn moved_out_of_the_keychain_no_key_is_left_there() {
    let desk = Desk::sealed();
    let secrets = desk.secrets();
    assert_eq!(desk.pass().move_to(Storage::File).unwrap(), StoreKind::File);
    assert_eq!((desk.is_sealed(), desk.secrets()), (false, secrets));
    assert_eq!(desk.keychain.key_ids(), [""; 0]);
    desk.forget();
    works(&desk);
    assert_eq!(desk.keychain.calls(), []);
}

#[test]
fn what_a_killed_process_left_in_clear_goes_when_the_record_is_sealed() {
    let desk = plain();
    let left_over = desk.bench.folder().join(".default-aB3xYz.tmp");
    fs::copy(desk.bench.path(), &left_over).unwrap();
    desk.pass().move_to(Storage::Keychain).unwrap();
    desk.holds_nothing_in_clear(&desk.secrets());

    let desk = plain();
    let left_over = desk.bench.folder().join(".default-aB3xYz.tmp");
    fs::copy(desk.bench.path(), &left_over).unwrap();
    desk.login().unwrap();
    desk.holds_nothing_in_clear(&desk.secrets());
}

#[test]
fn where_it_is_already_nothing_is_written() {
    for (desk, storage, kind) in [
        (plain(), Storage::File, StoreKind::File),
        (plain(), Storage::Auto, StoreKind::File),
        (Desk::sealed(), Storage::Keychain, StoreKind::Keychain),
        (Desk::sealed(), Storage::Auto, StoreKind::Keychain),
    ] {
        let before = desk.bench.bytes();
        assert_eq!(desk.pass().move_to(storage).unwrap(), kind);
        assert!(desk.bench.bytes() == before);
        assert_eq!(desk.keychain.calls(), []);
    }
}

#[test]
fn a_keychain_that_takes_no_key_leaves_the_sign_in_where_it_is() {
    for mood in [Mood::Absent, Mood::Locked, Mood::Forgetful, Mood::Truncating, Mood::Full, Mood::WriteOnly] {
        let desk = plain();
        let before = desk.bench.bytes();
        desk.keychain.becomes(mood);
        let error = desk.pass().move_to(Storage::Keychain).unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::NoKeychain(_))), "{mood:?}: {error:?}");
        assert!(desk.bench.bytes() == before, "{mood:?}");
        assert_eq!(desk.keychain.key_ids(), [""; 0], "{mood:?}");
        works(&desk);
    }
}

#[test]
fn a_keychain_that_gives_no_key_leaves_the_sign_in_where_it_is() {
    let desk = Desk::sealed();
    let before = desk.bench.bytes();
    desk.keychain.becomes(Mood::Locked);
    let error = desk.pass().move_to(Storage::File).unwrap_err();
    assert!(
        matches!(error, Error::Store(StoreError::Keychain { cause: KeychainError::Locked, .. })),
        "{error:?}"
    );
    assert!(desk.bench.bytes() == before);
    desk.keychain.becomes(Mood::Willing);
    works(&desk);
}

#[test]
fn a_record_that_cannot_be_written_leaves_the_old_key_or_none() {
    for (desk, storage) in [(plain(), Storage::Keychain), (Desk::sealed(), Storage::File)] {
        let (before, keys) = (desk.bench.bytes(), desk.keychain.key_ids());
        let folder = desk.bench.folder();
        let mode = move |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let close = mode.clone();
        desk.keychain.before_each(move |call| {
            if matches!(call, Call::Get(_)) {
                close(0o777);
            }
        });
        let error = desk.pass().move_to(storage).unwrap_err();
        mode(0o700);
        desk.keychain.before_each(|_| ());
        assert!(matches!(error, Error::Store(StoreError::Unsafe { .. })), "{error:?}");
        assert!(desk.bench.bytes() == before);
        assert_eq!(desk.keychain.key_ids(), keys);
        works(&desk);
    }
}

#[test]
fn a_key_that_stays_after_a_move_does_not_undo_it() {
    let desk = Desk::sealed();
    let keychain = desk.keychain.clone();
    desk.keychain.before_each(move |call| {
        if matches!(call, Call::Delete(_)) {
            keychain.becomes(Mood::Locked);
        }
    });
    assert_eq!(desk.pass().move_to(Storage::File).unwrap(), StoreKind::File);
    works(&desk);
}

/// Reads the record, and asks for its key when another process has replaced both.
#[test]
fn whoever_read_the_record_before_it_moved_reads_it_again() {
    type Act = fn(&Desk);
    let acts: [Act; 2] =
        [|desk| assert!(desk.pass().move_to(Storage::File).is_ok()), |desk| assert!(desk.login().is_ok())];
    for act in acts {
        let desk = std::sync::Arc::new(Desk::sealed());
        let (other, act) = (std::sync::Arc::downgrade(&desk), Mutex::new(Some(act)));
        desk.keychain.before_each(move |call| {
            let act = if matches!(call, Call::Get(_)) { act.lock().unwrap().take() } else { None };
            if let Some((act, desk)) = act.zip(other.upgrade()) {
                act(&desk);
            }
        });
        let token = desk.pass().access_token().unwrap();
        assert_eq!(token.expose(), desk.stored_access_token());
    }
}

#[test]
fn a_sign_in_that_ended_moves_too() {
    let desk = Desk::expired();
    desk.provider.end_sessions();
    desk.pass().access_token().unwrap_err();
    assert_eq!(desk.pass().move_to(Storage::File).unwrap(), StoreKind::File);
    let error = desk.pass().access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(_))), "{error:?}");
}

#[test]
fn what_cannot_be_moved_is_said() {
    let desk = Desk::new();
    let error = desk.pass().move_to(Storage::Keychain).unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    let desk = plain();
    let error = desk.pass().move_to(Storage::Memory).unwrap_err();
    assert!(matches!(error, Error::Misuse(Misuse::Setting { setting: "storage", .. })), "{error:?}");
    let pass = desk.builder().storage(Storage::Memory).browser(visitor().0).build().unwrap();
    pass.login(&mut Recorder::default()).unwrap();
    let error = pass.move_to(Storage::Keychain).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::NoKeychain(_))), "{error:?}");
}

#[test]
fn p40_an_unreadable_record_is_not_moved() {
    let desk = plain();
    desk.bench.write(CANARY.as_bytes());
    let error = desk.pass().move_to(Storage::Keychain).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Corrupt { .. })), "{error:?}");
    assert_eq!((desk.bench.bytes(), desk.keychain.key_ids()), (CANARY.as_bytes().to_vec(), vec![]));
}
