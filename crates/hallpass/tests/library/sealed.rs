//! A sign-in whose secrets are sealed under a key in the keychain, from login to logout.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use hallpass::error::{LoginRequired, StoreError};
use hallpass::{
    Builder, Error, Hallpass, LoginEvent, Revocation, Secret, State, Storage, StoreKind, TokenWish,
};
use serde_json::{Value, json};

use crate::bench::{self, IMPATIENT, Recorder, callback, get, login, playing, visitor};
use crate::desk::{DAY, Desk};
use crate::jose;
use crate::keychains::{Call, Mood};
use crate::provider::{EMAIL, JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, TOKEN};
use crate::scripted::{Answer, Scripted};

#[test]
fn p49_a_sealed_record_holds_no_secret_in_clear() {
    for storage in [Storage::Auto, Storage::Keychain] {
        let desk = Desk::new();
        desk.provider.twist_metadata(|document| {
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        });
        let secret = Secret::new("the CANARY client's".to_owned());
        let builder = desk.builder().storage(storage).client_secret(secret);
        let session = login(builder, visitor().0).unwrap();
        assert_eq!(
            (session.store(), session.path()),
            (StoreKind::Keychain, Some(desk.bench.path().as_path()))
        );
        let secrets = desk.secrets();
        assert_eq!(secrets["client_secret"], "the CANARY client's");
        assert!(secrets["refresh_token"].as_str().unwrap().contains("CANARY"));
        desk.holds_nothing_in_clear(&secrets);
        assert_eq!(desk.bench.record()["user"]["email"], EMAIL);
    }
}

#[test]
fn p51_a_login_makes_one_key_and_looks_at_it_once() {
    let desk = Desk::new();
    let session = desk.login().unwrap();
    assert_eq!(session.notes(), [""; 0]);
    let key_id = desk.key_id();
    assert_eq!(desk.keychain.calls(), [Call::Set(key_id.clone()), Call::Get(key_id)]);
}

#[test]
fn p51_who_and_how_it_stands_are_told_without_the_keychain() {
    let desk = Desk::expired();
    let pass = desk.pass();
    assert_eq!(pass.whoami().unwrap().email.as_deref(), Some(EMAIL));
    let status = pass.status();
    assert!(matches!(status.state, State::Unverified), "{status:?}");
    assert_eq!(
        (status.store, status.path.as_deref()),
        (StoreKind::Keychain, Some(desk.bench.path().as_path()))
    );
    assert_eq!(pass.profiles().unwrap(), ["default"]);
    assert_eq!(desk.keychain.calls(), []);
}

#[test]
fn p51_a_pass_reads_its_key_once_however_many_tokens_it_hands_out() {
    let desk = Desk::sealed();
    let pass = desk.pass();
    for pass in [&pass, &pass.clone(), &pass] {
        assert_eq!(pass.access_token().unwrap().expose(), desk.stored_access_token());
    }
    desk.bench.wait(DAY);
    pass.access_token().unwrap();
    pass.token_source().access_token().unwrap();
    assert_eq!(desk.keychain.calls(), [Call::Get(desk.key_id())]);
}

#[test]
fn a_refresh_seals_anew_under_the_same_key() {
    let desk = Desk::expired();
    let (before, secrets) = (desk.bench.record(), desk.secrets());
    let token = desk.pass().access_token().unwrap();
    let after = desk.bench.record();
    assert_eq!(desk.keychain.calls(), [Call::Get(desk.key_id())]);
    assert_eq!(after["seal"]["key_id"], before["seal"]["key_id"]);
    assert_ne!(after["seal"]["nonce"], before["seal"]["nonce"]);
    assert_eq!(desk.stored_access_token(), token.expose());
    assert_ne!(desk.secrets()["refresh_token"], secrets["refresh_token"]);
    desk.holds_nothing_in_clear(&desk.secrets());
}

#[test]
fn new_claims_are_sealed_in_as_well() {
    let desk = Desk::expired();
    desk.provider.twist_claims(|claims| claims["email"] = json!("ada@new.example"));
    let token = desk.pass().access_token().unwrap();
    assert_eq!(token.notes(), [""; 0]);
    assert_eq!(desk.reads(), 1);
    assert_eq!(desk.bench.record()["user"]["email"], "ada@new.example");
    assert_eq!(desk.stored_access_token(), token.expose());
    assert_eq!(desk.pass().fetch_user().unwrap().email.as_deref(), Some(EMAIL), "the userinfo endpoint's");
    assert_eq!(desk.stored_access_token(), token.expose());
}

/// What a server may say about a user is numbers too, and these do not survive a careless reader.
#[test]
fn claims_of_any_kind_do_not_break_the_seal() {
    let desk = Desk::new();
    desk.provider.twist_claims(|claims| {
        let fractions: Vec<f64> =
            (1..=2000).map(|i| f64::from(i) / 7919.0 * 10f64.powi(i % 40 - 20)).collect();
        claims["fractions"] = json!(fractions);
        claims["more"] =
            json!({ "z": [null, true, 1.0, -0.0, 1e300, u64::MAX, i64::MIN], "a": "\u{2028}\u{e9}\"\\" });
    });
    desk.login().unwrap();
    let pass = desk.pass();
    assert_eq!(pass.access_token().unwrap().expose(), desk.stored_access_token());
    assert_eq!(pass.whoami().unwrap().claims["fractions"][0], json!(1.0 / 7919.0 * 10f64.powi(-19)));
    desk.bench.wait(DAY);
    pass.access_token().unwrap();
    assert_eq!(desk.pass().access_token().unwrap().expose(), desk.stored_access_token());
}

#[test]
fn p32_a_session_that_ended_is_told_without_keychain_and_network() {
    let desk = Desk::expired();
    let refresh_token = desk.secrets()["refresh_token"].clone();
    desk.provider.end_sessions();
    desk.pass().access_token().unwrap_err();
    assert_eq!((desk.reads(), desk.provider.count(TOKEN)), (1, 1));
    assert!(desk.bench.record()["tombstone"].is_object());
    assert_eq!(desk.secrets()["refresh_token"], refresh_token);
    desk.forget();
    for _ in 0..100 {
        let error = desk.pass().access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(Some(_)))), "{error:?}");
    }
    assert!(matches!(desk.pass().check().state, State::LoginRequired(_)));
    assert_eq!((desk.keychain.calls(), desk.provider.requests().len()), (vec![], 0));
}

#[test]
fn a_logout_revokes_with_what_it_unseals_and_removes_record_and_key() {
    let desk = Desk::sealed();
    let (secrets, key_id) = (desk.secrets(), desk.key_id());
    let report = desk.pass().logout().unwrap();
    assert_eq!((report.erased, report.refresh_token), (true, Revocation::Revoked));
    let sent: Vec<Value> =
        desk.provider.requests().iter().map(|request| json!(request.param("token"))).collect();
    assert_eq!(sent, [secrets["refresh_token"].clone(), secrets["access_tokens"][0].clone()]);
    assert_eq!(desk.keychain.calls(), [Call::Get(key_id.clone()), Call::Delete(key_id)]);
    assert!(desk.keychain.key_ids().is_empty() && !desk.bench.is_signed_in());
}

/// Calls of the keychain, each with the key that the record on the disk named then.
type Seen = Vec<(Call, Option<String>)>;

fn key_in_record(desk: &Desk) -> Arc<Mutex<Seen>> {
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let (log, path) = (seen.clone(), desk.bench.path());
    desk.keychain.before_each(move |call| {
        let record: Option<Value> = fs::read(&path).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap());
        let key_id = record.and_then(|record| Some(record["seal"]["key_id"].as_str()?.to_owned()));
        log.lock().unwrap().push((call.clone(), key_id));
    });
    seen
}

#[test]
fn a_new_sign_in_has_a_new_key_and_the_old_one_goes_when_the_new_record_is_there() {
    let desk = Desk::sealed();
    let old = desk.key_id();
    let seen = key_in_record(&desk);
    desk.login().unwrap();
    let new = desk.key_id();
    assert_ne!(new, old);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (Call::Set(new.clone()), Some(old.clone())),
            (Call::Get(new.clone()), Some(old.clone())),
            (Call::Delete(old), Some(new.clone())),
        ]
    );
    assert_eq!(desk.keychain.key_ids(), [new]);
    desk.pass().access_token().unwrap();
}

#[test]
fn p65_the_grant_of_another_user_is_revoked_before_the_key_that_opens_it_goes() {
    let desk = Desk::sealed();
    let (old_key, old) = (desk.key_id(), desk.secrets());
    desk.provider.twist_claims(|claims| claims["sub"] = json!("somebody else"));
    let has_key = Arc::<Mutex<Vec<(Value, bool)>>>::default();
    let (log, keychain, key_id) = (has_key.clone(), desk.keychain.clone(), old_key.clone());
    desk.provider.on(desk.provider.revoke_path(), move |request| {
        log.lock().unwrap().push((json!(request.param("token")), keychain.has(&key_id)));
        None
    });
    desk.login().unwrap();
    let revoked = [(old["refresh_token"].clone(), true), (old["access_tokens"][0].clone(), true)];
    assert_eq!(*has_key.lock().unwrap(), revoked);
    assert_eq!(desk.keychain.key_ids(), [desk.key_id()]);
}

#[test]
fn p65_the_same_users_grant_is_replaced_without_opening_it() {
    let desk = Desk::sealed();
    desk.login().unwrap();
    assert_eq!(desk.provider.count(desk.provider.revoke_path()), 0);
    assert_eq!(desk.reads(), 1, "of the new key");
}

type Fail = fn(&Desk) -> Builder;

/// Sign-ins that come to nothing, whatever is tried.
fn failures() -> Vec<(&'static str, Fail)> {
    vec![
        ("the metadata cannot be had", |desk| {
            for path in [OPENID_CONFIGURATION, OAUTH_METADATA] {
                desk.provider.always(path, Answer::empty(503));
            }
            desk.builder().browser(visitor().0)
        }),
        ("the user refuses", |desk| {
            let refusing = playing(|url| get(&callback(url, "error=access_denied&state={state}")));
            desk.builder().browser(refusing.0)
        }),
        ("the code is refused", |desk| {
            desk.provider.always(TOKEN, Answer::oauth_error(400, "invalid_grant"));
            desk.builder().browser(visitor().0)
        }),
        ("the tokens do not come", |desk| {
            desk.provider.always(TOKEN, Answer::never());
            desk.builder().browser(visitor().0).request_timeout(IMPATIENT)
        }),
        ("the ID token is forged", |desk| {
            desk.provider.sign_by(|claims| format!("{}.", jose::unsigned(&json!({ "alg": "none" }), claims)));
            desk.builder().browser(visitor().0)
        }),
        ("nobody comes", |desk| {
            desk.builder().browser(|_: &str| Ok(())).login_timeout(Duration::from_millis(200))
        }),
        ("the keychain takes nothing", |desk| {
            desk.keychain.becomes(Mood::Full);
            desk.builder().storage(Storage::Keychain).browser(bench::unopened)
        }),
        ("the keychain does not give back", |desk| {
            desk.keychain.becomes(Mood::WriteOnly);
            desk.builder().storage(Storage::Keychain).browser(bench::unopened)
        }),
        ("the keychain gives back something else", |desk| {
            desk.keychain.becomes(Mood::Truncating);
            desk.builder().storage(Storage::Keychain).browser(bench::unopened)
        }),
    ]
}

#[test]
fn p53_a_sign_in_that_fails_leaves_neither_a_key_nor_a_trace_on_the_old_one() {
    for (name, fail) in failures() {
        let desk = Desk::sealed();
        let (before, keys) = (desk.bench.bytes(), desk.keychain.key_ids());
        let builder = fail(&desk);
        builder.build().unwrap().login(&mut Recorder::default()).map(drop).expect_err(name);
        assert!(desk.bench.bytes() == before, "{name}");
        assert_eq!(desk.keychain.key_ids(), keys, "{name}");
        desk.keychain.becomes(Mood::Willing);
        assert_eq!(desk.pass().access_token().unwrap().expose(), desk.stored_access_token(), "{name}");
    }
}

/// Cancels when the keychain is asked this.
fn cancelled_at(desk: &Desk, is_it: fn(&Call) -> bool) -> hallpass::Error {
    let pass = desk.builder().browser(|_: &str| Ok(())).build().unwrap();
    let canceller = pass.canceller();
    desk.keychain.after_each(move |call| {
        if is_it(call) {
            canceller.cancel();
        }
    });
    pass.login(&mut Recorder::default()).unwrap_err()
}

#[test]
fn a_sign_in_that_is_cancelled_at_any_moment_leaves_no_key_behind() {
    let moments: [fn(&Call) -> bool; 2] =
        [|call| matches!(call, Call::Set(_)), |call| matches!(call, Call::Get(_))];
    for is_it in moments {
        let desk = Desk::new();
        assert_eq!(cancelled_at(&desk, is_it), Error::Cancelled);
        assert_eq!(desk.keychain.key_ids(), [""; 0]);
    }
    let desk = Desk::new();
    let (arrived, here) = std::sync::mpsc::channel();
    desk.provider.on(TOKEN, move |_| {
        arrived.send(()).unwrap();
        thread::sleep(Duration::from_millis(300));
        None
    });
    let pass = desk.builder().browser(visitor().0).build().unwrap();
    let canceller = pass.canceller();
    thread::spawn(move || {
        here.recv_timeout(bench::PATIENCE).unwrap();
        canceller.cancel();
    });
    assert_eq!(pass.login(&mut Recorder::default()).unwrap_err(), Error::Cancelled);
    assert!(pass.finish_saving(bench::PATIENCE));
    assert_eq!((desk.keychain.key_ids(), desk.bench.is_signed_in()), (vec![], false));
}

#[test]
fn a_panic_in_the_programs_own_code_leaves_no_key_behind() {
    struct Panicking;
    impl hallpass::LoginUi for Panicking {
        fn event(&mut self, event: LoginEvent) {
            assert!(!matches!(event, LoginEvent::Store { .. }), "as told");
        }
    }
    let desk = Desk::new();
    let pass = desk.pass();
    let login = move || pass.login(&mut Panicking).map(drop);
    thread::spawn(login).join().unwrap_err();
    assert_eq!(desk.keychain.key_ids(), [""; 0]);
}

/// At every call of the keychain and at every request: were the process killed here, would the record still open?
fn opens_at_every_moment(desk: &Desk) -> Arc<Mutex<Vec<String>>> {
    let broken = Arc::<Mutex<Vec<String>>>::default();
    let look = {
        let (broken, path, keychain) = (broken.clone(), desk.bench.path(), desk.keychain.clone());
        Arc::new(move |moment: String| {
            let Ok(bytes) = fs::read(&path) else { return };
            let record: Value = serde_json::from_slice(&bytes).unwrap();
            if keychain.secrets(&record).is_none() {
                broken.lock().unwrap().push(moment);
            }
        })
    };
    for path in [TOKEN, JWKS, desk.provider.revoke_path()] {
        let look = look.clone();
        desk.provider.on(path, move |_| {
            look(path.to_owned());
            None
        });
    }
    let before = look.clone();
    desk.keychain.before_each(move |call| before(format!("before {call:?}")));
    desk.keychain.after_each(move |call| look(format!("after {call:?}")));
    broken
}

/// Windows keeps 2,560 bytes, which is 1,280 characters in UTF-16; the keychain never sees more than a key.
#[test]
fn n113_p50_tokens_of_any_size_come_back_and_the_keychain_keeps_one_key() {
    for size in [1, 1279, 1280, 1281, 5 * 1024, 64 * 1024] {
        let desk = Desk::new();
        desk.provider.twist_tokens(move |tokens| {
            for name in ["access_token", "refresh_token"] {
                tokens[name] = json!("x".repeat(size));
            }
        });
        desk.provider.twist_claims(|claims| drop(claims.as_object_mut().unwrap().remove("at_hash")));
        desk.login().unwrap();
        assert_eq!(desk.pass().access_token().unwrap().expose().len(), size);
        assert_eq!(desk.secrets()["refresh_token"].as_str().unwrap().len(), size);
        assert_eq!(desk.keychain.key_ids(), [desk.key_id()], "{size}");
    }
}

#[test]
fn p50_whenever_a_process_is_killed_the_record_opens_with_a_key_that_is_there() {
    for mood in [Mood::Willing, Mood::Full, Mood::WriteOnly, Mood::Truncating, Mood::Forgetful] {
        let desk = Desk::sealed();
        let broken = opens_at_every_moment(&desk);
        let pass = desk.pass();
        let story: [&dyn Fn() -> bool; 6] = [
            &|| pass.force_refresh().is_ok(),
            &|| desk.login().is_ok(),
            &|| pass.move_to(Storage::File).is_ok(),
            &|| pass.move_to(Storage::Keychain).is_ok(),
            &|| desk.login().is_ok(),
            &|| pass.logout().is_ok(),
        ];
        for (chapter, act) in story.iter().enumerate() {
            desk.keychain.becomes(mood);
            let worked = act();
            desk.keychain.becomes(Mood::Willing);
            assert!(worked || mood != Mood::Willing, "{chapter}");
            assert!(chapter == 5 || desk.pass().access_token().is_ok(), "{mood:?} {chapter}");
        }
        assert_eq!(*broken.lock().unwrap(), [""; 0], "{mood:?}");
    }
}

#[test]
fn p54_keys_that_no_record_names_change_nothing_and_go_one_by_one() {
    let desk = Desk::sealed();
    desk.keychain.put("stray", [9; 32]);
    desk.pass().access_token().unwrap();
    desk.bench.wait(DAY);
    desk.pass().access_token().unwrap();
    assert!(desk.keychain.calls().iter().all(|call| *call == Call::Get(desk.key_id())));
    desk.login().unwrap();
    assert_eq!(desk.keychain.key_ids().len(), 2, "the stray one and the new one");
}

#[test]
fn p54_a_key_that_could_not_be_removed_does_not_hide_what_is_newer() {
    let desk = Desk::sealed();
    let old_key = desk.key_id();
    let keychain = desk.keychain.clone();
    desk.keychain.before_each(move |call| {
        let mood = if matches!(call, Call::Delete(_)) { Mood::Locked } else { Mood::Willing };
        keychain.becomes(mood);
    });
    let session = desk.login().unwrap();
    assert_eq!(session.notes(), [""; 0]);
    assert!(desk.keychain.has(&old_key));
    assert_eq!(desk.pass().access_token().unwrap().expose(), desk.stored_access_token());
    assert!(desk.pass().logout().unwrap().erased);
    assert!(!desk.bench.is_signed_in());
    desk.login().unwrap();
    desk.pass().access_token().unwrap();
}

#[test]
fn p54_a_file_from_before_the_keychain_and_its_stale_key_do_not_meet() {
    let desk = Desk::sealed();
    let stale_key = desk.key_id();
    login(desk.builder().storage(Storage::File), visitor().0).unwrap();
    desk.keychain.put(&stale_key, [3; 32]);
    desk.forget();
    assert_eq!(desk.pass().access_token().unwrap().expose(), desk.stored_access_token());
    assert!(desk.pass().logout().unwrap().erased);
    assert_eq!(desk.keychain.calls(), []);
}

#[test]
fn p54_a_blanked_key_is_said_as_such_and_a_login_heals_it() {
    let desk = Desk::sealed();
    let before = desk.bench.bytes();
    desk.keychain.put(&desk.key_id(), [0; 32]);
    let error = desk.pass().access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::SealBroken { .. })), "{error:?}");
    assert!(desk.bench.bytes() == before && desk.provider.requests().is_empty());
    desk.login().unwrap();
    assert_eq!(desk.pass().access_token().unwrap().expose(), desk.stored_access_token());
    assert_eq!(desk.keychain.key_ids(), [desk.key_id()]);
}

/// Every verb that could send a secret.
fn refuse_to_send(desk: &Desk, pass: &Hallpass) {
    let wish = TokenWish::default().resource("https://api.example.com");
    let is_broken = |error: &Error| matches!(error, Error::Store(StoreError::SealBroken { .. }));
    assert!(is_broken(&pass.access_token().unwrap_err()));
    assert!(is_broken(&pass.force_refresh().unwrap_err()));
    assert!(is_broken(&pass.access_token_with(&wish).unwrap_err()));
    assert!(is_broken(&pass.id_token().unwrap_err()));
    assert!(is_broken(&pass.fetch_user().unwrap_err()));
    assert!(is_broken(&pass.move_to(Storage::File).unwrap_err()));
    assert!(matches!(pass.check().state, State::Unavailable(error) if is_broken(&error)));
    assert_eq!(desk.provider.requests().len(), 0);
}

type Tamper = fn(&mut Value, &str);

#[test]
fn p37_a_member_that_somebody_changed_breaks_the_seal_and_nothing_is_sent_anywhere() {
    let tampers: [(&str, Tamper); 7] = [
        ("token endpoint", |record, evil| record["endpoints"]["token"] = json!(format!("{evil}/token"))),
        ("userinfo endpoint", |record, evil| record["endpoints"]["userinfo"] = json!(format!("{evil}/me"))),
        ("revocation endpoint", |record, evil| {
            record["endpoints"]["revocation"] = json!(format!("{evil}/r"))
        }),
        ("JWKS", |record, evil| record["endpoints"]["jwks"] = json!(format!("{evil}/jwks"))),
        ("user", |record, _| record["user"]["sub"] = json!("mallory")),
        ("life", |record, _| record["access"][0]["expires_at"] = json!("2099-01-01T00:00:00Z")),
        ("something new", |record, _| record["new"] = json!(1)),
    ];
    for (name, tamper) in tampers {
        let desk = Desk::expired();
        let elsewhere = Scripted::start();
        desk.bench.edit(|record| tamper(record, &elsewhere.origin()));
        refuse_to_send(&desk, &desk.pass());
        let report = desk.pass().logout().unwrap();
        assert!(report.erased && matches!(report.refresh_token, Revocation::Failed(_)), "{name}: {report:?}");
        assert_eq!((elsewhere.connections(), desk.provider.requests().len()), (0, 0), "{name}");
        assert_eq!(desk.keychain.key_ids(), [""; 0], "{name}");
    }
}

#[test]
fn p37_an_older_copy_of_the_record_does_not_open_after_a_new_sign_in() {
    let desk = Desk::sealed();
    let old = desk.bench.bytes();
    desk.login().unwrap();
    desk.bench.write(&old);
    let error = desk.pass().access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Keychain { .. })), "{error:?}");
}

#[test]
fn p45_a_sealed_record_of_a_newer_version_is_called_that_and_left_alone() {
    let desk = Desk::sealed();
    desk.bench.edit(|record| {
        record["version"] = json!(2);
        record["seal"]["alg"] = json!("XC20P");
    });
    let before = desk.bench.bytes();
    let pass = desk.pass();
    let is_newer = |error: Error| matches!(error, Error::Store(StoreError::Newer { version: 2, .. }));
    assert!(pass.whoami().is_ok());
    assert!(is_newer(pass.access_token().unwrap_err()));
    assert!(is_newer(pass.move_to(Storage::File).unwrap_err()));
    assert!(is_newer(desk.login().unwrap_err()));
    assert!(desk.bench.bytes() == before);
    assert!(pass.logout().unwrap().erased, "but a logout erases what it cannot read");
}

#[test]
fn members_of_a_later_version_are_sealed_in_and_survive() {
    let desk = Desk::new();
    login(desk.builder().storage(Storage::File), visitor().0).unwrap();
    desk.bench.edit(|record| {
        record["later"] = json!({ "z": 1, "a": [1.5, "é"] });
        record["access"][0]["later"] = json!(2);
        record["secret"]["later"] = json!("three");
    });
    desk.pass().move_to(Storage::Keychain).unwrap();
    desk.bench.wait(DAY);
    desk.pass().access_token().unwrap();
    let record = desk.bench.record();
    assert_eq!((&record["later"]["a"][0], &record["access"][0]["later"]), (&json!(1.5), &json!(2)));
    assert_eq!(desk.secrets()["later"], "three");
}

/// A program that signs in on one thread while another one needs tokens.
#[test]
fn a_token_that_came_is_saved_though_the_keychain_went_away_and_the_pass_saw_another_key_meanwhile() {
    let desk = Desk::expired();
    let pass = desk.builder().browser(|_: &str| Ok(())).build().unwrap();
    let (other, keychain) = (pass.clone(), desk.keychain.clone());
    let (waits, waiting) = std::sync::mpsc::channel();
    let signing_in = Mutex::new(Some(move || {
        struct Waits(std::sync::mpsc::Sender<()>);
        impl hallpass::LoginUi for Waits {
            fn event(&mut self, event: LoginEvent) {
                if matches!(event, LoginEvent::Waiting { .. }) {
                    let _ = self.0.send(());
                }
            }
        }
        thread::spawn(move || other.login(&mut Waits(waits)).map(drop))
    }));
    let (waiting, started) = (Mutex::new(waiting), Arc::new(Mutex::new(None)));
    let login = started.clone();
    desk.provider.on(TOKEN, move |_| {
        if let Some(signing_in) = signing_in.lock().unwrap().take() {
            *login.lock().unwrap() = Some(signing_in());
            waiting.lock().unwrap().recv_timeout(bench::PATIENCE).unwrap();
            keychain.becomes(Mood::Locked);
        }
        None
    });
    let token = pass.access_token().unwrap();
    pass.canceller().cancel();
    let login = started.lock().unwrap().take().unwrap();
    assert_eq!(login.join().unwrap(), Err(Error::Cancelled));
    assert_eq!(desk.stored_access_token(), token.expose());
}
