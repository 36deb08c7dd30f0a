//! A sign-in whose secrets are sealed under a key in the keychain, from login to logout.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use hallpass::error::{LoginRequired, StoreError};
use hallpass::{
    Builder, Error, Hallpass, LoginEvent, Revocation, Secret, State, Storage, StoreKind, TokenRequest,
};
use hallpass_test::jose;
use hallpass_test::library::{
    self, Behavior, Call, DAY, IMPATIENT, KeychainSetup, RecordingUi, callback, get, login, playing, visitor,
};
use hallpass_test::provider::{EMAIL, JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, TOKEN};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::{Value, json};

#[test]
fn p49_a_sealed_record_holds_no_secret_in_clear() {
    for storage in [Storage::Auto, Storage::Keychain] {
        let setup = KeychainSetup::new();
        setup.provider.twist_metadata(|document| {
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        });
        let secret = Secret::new("the CANARY client's".to_owned());
        let builder = setup.builder().storage(storage).client_secret(secret);
        let session = login(builder, visitor().0).unwrap();
        assert_eq!(
            (session.store(), session.path()),
            (StoreKind::Keychain, Some(setup.sandbox.path().as_path()))
        );
        let secrets = setup.secrets();
        assert_eq!(secrets["client_secret"], "the CANARY client's");
        assert!(secrets["refresh_token"].as_str().unwrap().contains("CANARY"));
        setup.assert_nothing_in_clear(&secrets);
        assert_eq!(setup.sandbox.record()["user"]["email"], EMAIL);
    }
}

#[test]
fn p51_a_login_makes_one_key_and_looks_at_it_once() {
    let setup = KeychainSetup::new();
    let session = setup.login().unwrap();
    assert_eq!(session.notes(), [""; 0]);
    let key_id = setup.key_id();
    assert_eq!(setup.keychain.calls(), [Call::Set(key_id.clone()), Call::Get(key_id)]);
}

#[test]
fn p51_who_and_how_it_stands_are_told_without_the_keychain() {
    let setup = KeychainSetup::expired();
    let pass = setup.pass();
    assert_eq!(pass.whoami().unwrap().email.as_deref(), Some(EMAIL));
    let status = pass.status();
    assert!(matches!(status.state, State::Unverified), "{status:?}");
    assert_eq!(
        (status.store, status.path.as_deref()),
        (StoreKind::Keychain, Some(setup.sandbox.path().as_path()))
    );
    assert_eq!(pass.profiles().unwrap(), ["default"]);
    assert_eq!(setup.keychain.calls(), []);
}

#[test]
fn p51_a_pass_reads_its_key_once_however_many_tokens_it_hands_out() {
    let setup = KeychainSetup::sealed();
    let pass = setup.pass();
    for pass in [&pass, &pass.clone(), &pass] {
        assert_eq!(pass.access_token().unwrap().expose(), setup.stored_access_token());
    }
    setup.sandbox.wait(DAY);
    pass.access_token().unwrap();
    pass.token_source().access_token().unwrap();
    assert_eq!(setup.keychain.calls(), [Call::Get(setup.key_id())]);
}

#[test]
fn a_refresh_seals_anew_under_the_same_key() {
    let setup = KeychainSetup::expired();
    let (before, secrets) = (setup.sandbox.record(), setup.secrets());
    let token = setup.pass().access_token().unwrap();
    let after = setup.sandbox.record();
    assert_eq!(setup.keychain.calls(), [Call::Get(setup.key_id())]);
    assert_eq!(after["seal"]["key_id"], before["seal"]["key_id"]);
    assert_ne!(after["seal"]["nonce"], before["seal"]["nonce"]);
    assert_eq!(setup.stored_access_token(), token.expose());
    assert_ne!(setup.secrets()["refresh_token"], secrets["refresh_token"]);
    setup.assert_nothing_in_clear(&setup.secrets());
}

#[test]
fn new_claims_are_sealed_in_as_well() {
    let setup = KeychainSetup::expired();
    setup.provider.twist_claims(|claims| claims["email"] = json!("ada@new.example"));
    let token = setup.pass().access_token().unwrap();
    assert_eq!(token.notes(), [""; 0]);
    assert_eq!(setup.reads(), 1);
    assert_eq!(setup.sandbox.record()["user"]["email"], "ada@new.example");
    assert_eq!(setup.stored_access_token(), token.expose());
    assert_eq!(setup.pass().fetch_user().unwrap().email.as_deref(), Some(EMAIL), "the userinfo endpoint's");
    assert_eq!(setup.stored_access_token(), token.expose());
}

/// Claims about a user can be numbers, which a careless parser changes.
#[test]
fn claims_of_any_kind_do_not_break_the_seal() {
    let setup = KeychainSetup::new();
    setup.provider.twist_claims(|claims| {
        let fractions: Vec<f64> =
            (1..=2000).map(|i| f64::from(i) / 7919.0 * 10f64.powi(i % 40 - 20)).collect();
        claims["fractions"] = json!(fractions);
        claims["more"] =
            json!({ "z": [null, true, 1.0, -0.0, 1e300, u64::MAX, i64::MIN], "a": "\u{2028}\u{e9}\"\\" });
    });
    setup.login().unwrap();
    let pass = setup.pass();
    assert_eq!(pass.access_token().unwrap().expose(), setup.stored_access_token());
    assert_eq!(pass.whoami().unwrap().claims["fractions"][0], json!(1.0 / 7919.0 * 10f64.powi(-19)));
    setup.sandbox.wait(DAY);
    pass.access_token().unwrap();
    assert_eq!(setup.pass().access_token().unwrap().expose(), setup.stored_access_token());
}

#[test]
fn p32_a_session_that_ended_is_told_without_keychain_and_network() {
    let setup = KeychainSetup::expired();
    let refresh_token = setup.secrets()["refresh_token"].clone();
    setup.provider.end_sessions();
    setup.pass().access_token().unwrap_err();
    assert_eq!((setup.reads(), setup.provider.count(TOKEN)), (1, 1));
    assert!(setup.sandbox.record()["tombstone"].is_object());
    assert_eq!(setup.secrets()["refresh_token"], refresh_token);
    setup.forget();
    for _ in 0..100 {
        let error = setup.pass().access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(Some(_)))), "{error:?}");
    }
    assert!(matches!(setup.pass().check().state, State::LoginRequired(_)));
    assert_eq!((setup.keychain.calls(), setup.provider.requests().len()), (vec![], 0));
}

#[test]
fn a_logout_revokes_with_what_it_unseals_and_removes_record_and_key() {
    let setup = KeychainSetup::sealed();
    let (secrets, key_id) = (setup.secrets(), setup.key_id());
    let report = setup.pass().logout().unwrap();
    assert_eq!((report.erased, report.refresh_token), (true, Revocation::Revoked));
    let sent: Vec<Value> =
        setup.provider.requests().iter().map(|request| json!(request.param("token"))).collect();
    assert_eq!(sent, [secrets["refresh_token"].clone(), secrets["access_tokens"][0].clone()]);
    assert_eq!(setup.keychain.calls(), [Call::Get(key_id.clone()), Call::Delete(key_id)]);
    assert!(setup.keychain.key_ids().is_empty() && !setup.sandbox.is_signed_in());
}

/// Calls of the keychain, each with the key that the record on the disk named then.
type Seen = Vec<(Call, Option<String>)>;

fn key_in_record(setup: &KeychainSetup) -> Arc<Mutex<Seen>> {
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let (log, path) = (seen.clone(), setup.sandbox.path());
    setup.keychain.before_each(move |call| {
        let record: Option<Value> = fs::read(&path).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap());
        let key_id = record.and_then(|record| Some(record["seal"]["key_id"].as_str()?.to_owned()));
        log.lock().unwrap().push((call.clone(), key_id));
    });
    seen
}

#[test]
fn a_new_sign_in_has_a_new_key_and_the_old_one_goes_when_the_new_record_is_there() {
    let setup = KeychainSetup::sealed();
    let old = setup.key_id();
    let seen = key_in_record(&setup);
    setup.login().unwrap();
    let new = setup.key_id();
    assert_ne!(new, old);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (Call::Set(new.clone()), Some(old.clone())),
            (Call::Get(new.clone()), Some(old.clone())),
            (Call::Delete(old), Some(new.clone())),
        ]
    );
    assert_eq!(setup.keychain.key_ids(), [new]);
    setup.pass().access_token().unwrap();
}

#[test]
fn p65_the_grant_of_another_user_is_revoked_before_the_key_that_opens_it_goes() {
    let setup = KeychainSetup::sealed();
    let (old_key, old) = (setup.key_id(), setup.secrets());
    setup.provider.twist_claims(|claims| claims["sub"] = json!("somebody else"));
    let has_key = Arc::<Mutex<Vec<(Value, bool)>>>::default();
    let (log, keychain, key_id) = (has_key.clone(), setup.keychain.clone(), old_key.clone());
    setup.provider.on(setup.provider.revoke_path(), move |request| {
        log.lock().unwrap().push((json!(request.param("token")), keychain.has(&key_id)));
        None
    });
    setup.login().unwrap();
    let revoked = [(old["refresh_token"].clone(), true), (old["access_tokens"][0].clone(), true)];
    assert_eq!(*has_key.lock().unwrap(), revoked);
    assert_eq!(setup.keychain.key_ids(), [setup.key_id()]);
}

#[test]
fn p65_the_same_users_grant_is_replaced_without_opening_it() {
    let setup = KeychainSetup::sealed();
    setup.login().unwrap();
    assert_eq!(setup.provider.count(setup.provider.revoke_path()), 0);
    assert_eq!(setup.reads(), 1, "of the new key");
}

type Fail = fn(&KeychainSetup) -> Builder;

/// Sign-ins that come to nothing, whatever is tried.
fn failures() -> Vec<(&'static str, Fail)> {
    vec![
        ("the metadata cannot be had", |setup| {
            for path in [OPENID_CONFIGURATION, OAUTH_METADATA] {
                setup.provider.always(path, Response::empty(503));
            }
            setup.builder().browser(visitor().0)
        }),
        ("the user refuses", |setup| {
            let refusing = playing(|url| get(&callback(url, "error=access_denied&state={state}")));
            setup.builder().browser(refusing.0)
        }),
        ("the code is refused", |setup| {
            setup.provider.always(TOKEN, Response::oauth_error(400, "invalid_grant"));
            setup.builder().browser(visitor().0)
        }),
        ("the tokens do not come", |setup| {
            setup.provider.always(TOKEN, Response::never());
            setup.builder().browser(visitor().0).request_timeout(IMPATIENT)
        }),
        ("the ID token is forged", |setup| {
            setup
                .provider
                .sign_by(|claims| format!("{}.", jose::unsigned(&json!({ "alg": "none" }), claims)));
            setup.builder().browser(visitor().0)
        }),
        ("nobody comes", |setup| {
            setup.builder().browser(|_: &str| Ok(())).login_timeout(Duration::from_millis(200))
        }),
        ("the keychain takes nothing", |setup| {
            setup.keychain.set_behavior(Behavior::Full);
            setup.builder().storage(Storage::Keychain).browser(library::unopened)
        }),
        ("the keychain does not give back", |setup| {
            setup.keychain.set_behavior(Behavior::WriteOnly);
            setup.builder().storage(Storage::Keychain).browser(library::unopened)
        }),
        ("the keychain gives back something else", |setup| {
            setup.keychain.set_behavior(Behavior::Truncating);
            setup.builder().storage(Storage::Keychain).browser(library::unopened)
        }),
    ]
}

#[test]
fn p53_a_sign_in_that_fails_leaves_neither_a_key_nor_a_trace_on_the_old_one() {
    for (name, fail) in failures() {
        let setup = KeychainSetup::sealed();
        let (before, keys) = (setup.sandbox.bytes(), setup.keychain.key_ids());
        let builder = fail(&setup);
        builder.build().unwrap().login(&mut RecordingUi::default()).map(drop).expect_err(name);
        assert!(setup.sandbox.bytes() == before, "{name}");
        assert_eq!(setup.keychain.key_ids(), keys, "{name}");
        setup.keychain.set_behavior(Behavior::Working);
        assert_eq!(setup.pass().access_token().unwrap().expose(), setup.stored_access_token(), "{name}");
    }
}

/// Cancels when the keychain is asked this.
fn cancelled_at(setup: &KeychainSetup, is_it: fn(&Call) -> bool) -> hallpass::Error {
    let pass = setup.builder().browser(|_: &str| Ok(())).build().unwrap();
    let canceller = pass.canceller();
    setup.keychain.after_each(move |call| {
        if is_it(call) {
            canceller.cancel();
        }
    });
    pass.login(&mut RecordingUi::default()).unwrap_err()
}

#[test]
fn a_sign_in_that_is_cancelled_at_any_moment_leaves_no_key_behind() {
    let moments: [fn(&Call) -> bool; 2] =
        [|call| matches!(call, Call::Set(_)), |call| matches!(call, Call::Get(_))];
    for is_it in moments {
        let setup = KeychainSetup::new();
        assert_eq!(cancelled_at(&setup, is_it), Error::Cancelled);
        assert_eq!(setup.keychain.key_ids(), [""; 0]);
    }
    let setup = KeychainSetup::new();
    let (arrived, here) = std::sync::mpsc::channel();
    setup.provider.on(TOKEN, move |_| {
        arrived.send(()).unwrap();
        thread::sleep(Duration::from_millis(300));
        None
    });
    let pass = setup.builder().browser(visitor().0).build().unwrap();
    let canceller = pass.canceller();
    thread::spawn(move || {
        here.recv_timeout(library::PATIENCE).unwrap();
        canceller.cancel();
    });
    assert_eq!(pass.login(&mut RecordingUi::default()).unwrap_err(), Error::Cancelled);
    assert!(pass.finish_saving(library::PATIENCE));
    assert_eq!((setup.keychain.key_ids(), setup.sandbox.is_signed_in()), (vec![], false));
}

#[test]
fn a_panic_in_the_programs_own_code_leaves_no_key_behind() {
    struct Panicking;
    impl hallpass::LoginUi for Panicking {
        fn event(&mut self, event: LoginEvent) {
            assert!(!matches!(event, LoginEvent::Store { .. }), "as told");
        }
    }
    let setup = KeychainSetup::new();
    let pass = setup.pass();
    let login = move || pass.login(&mut Panicking).map(drop);
    thread::spawn(login).join().unwrap_err();
    assert_eq!(setup.keychain.key_ids(), [""; 0]);
}

/// At every call of the keychain and at every request: were the process killed here, would the record still open?
fn opens_at_every_moment(setup: &KeychainSetup) -> Arc<Mutex<Vec<String>>> {
    let broken = Arc::<Mutex<Vec<String>>>::default();
    let look = {
        let (broken, path, keychain) = (broken.clone(), setup.sandbox.path(), setup.keychain.clone());
        Arc::new(move |moment: String| {
            let Ok(bytes) = fs::read(&path) else { return };
            let record: Value = serde_json::from_slice(&bytes).unwrap();
            if keychain.secrets(&record).is_none() {
                broken.lock().unwrap().push(moment);
            }
        })
    };
    for path in [TOKEN, JWKS, setup.provider.revoke_path()] {
        let look = look.clone();
        setup.provider.on(path, move |_| {
            look(path.to_owned());
            None
        });
    }
    let before = look.clone();
    setup.keychain.before_each(move |call| before(format!("before {call:?}")));
    setup.keychain.after_each(move |call| look(format!("after {call:?}")));
    broken
}

/// Windows keeps 2,560 bytes, which is 1,280 characters in UTF-16; the keychain never sees more than a key.
#[test]
fn n113_p50_tokens_of_any_size_come_back_and_the_keychain_keeps_one_key() {
    for size in [1, 1279, 1280, 1281, 5 * 1024, 64 * 1024] {
        let setup = KeychainSetup::new();
        setup.provider.twist_tokens(move |tokens| {
            for name in ["access_token", "refresh_token"] {
                tokens[name] = json!("x".repeat(size));
            }
        });
        setup.provider.twist_claims(|claims| drop(claims.as_object_mut().unwrap().remove("at_hash")));
        setup.login().unwrap();
        assert_eq!(setup.pass().access_token().unwrap().expose().len(), size);
        assert_eq!(setup.secrets()["refresh_token"].as_str().unwrap().len(), size);
        assert_eq!(setup.keychain.key_ids(), [setup.key_id()], "{size}");
    }
}

#[test]
fn p50_whenever_a_process_is_killed_the_record_opens_with_a_key_that_is_there() {
    for mood in
        [Behavior::Working, Behavior::Full, Behavior::WriteOnly, Behavior::Truncating, Behavior::Forgetful]
    {
        let setup = KeychainSetup::sealed();
        let broken = opens_at_every_moment(&setup);
        let pass = setup.pass();
        let story: [&dyn Fn() -> bool; 6] = [
            &|| pass.force_refresh().is_ok(),
            &|| setup.login().is_ok(),
            &|| pass.move_to(Storage::File).is_ok(),
            &|| pass.move_to(Storage::Keychain).is_ok(),
            &|| setup.login().is_ok(),
            &|| pass.logout().is_ok(),
        ];
        for (chapter, act) in story.iter().enumerate() {
            setup.keychain.set_behavior(mood);
            let worked = act();
            setup.keychain.set_behavior(Behavior::Working);
            assert!(worked || mood != Behavior::Working, "{chapter}");
            assert!(chapter == 5 || setup.pass().access_token().is_ok(), "{mood:?} {chapter}");
        }
        assert_eq!(*broken.lock().unwrap(), [""; 0], "{mood:?}");
    }
}

#[test]
fn p54_keys_that_no_record_names_change_nothing_and_go_one_by_one() {
    let setup = KeychainSetup::sealed();
    setup.keychain.put("stray", [9; 32]);
    setup.pass().access_token().unwrap();
    setup.sandbox.wait(DAY);
    setup.pass().access_token().unwrap();
    assert!(setup.keychain.calls().iter().all(|call| *call == Call::Get(setup.key_id())));
    setup.login().unwrap();
    assert_eq!(setup.keychain.key_ids().len(), 2, "the stray one and the new one");
}

#[test]
fn p54_a_key_that_could_not_be_removed_does_not_hide_what_is_newer() {
    let setup = KeychainSetup::sealed();
    let old_key = setup.key_id();
    let keychain = setup.keychain.clone();
    setup.keychain.before_each(move |call| {
        let mood = if matches!(call, Call::Delete(_)) { Behavior::Locked } else { Behavior::Working };
        keychain.set_behavior(mood);
    });
    let session = setup.login().unwrap();
    assert_eq!(session.notes(), [""; 0]);
    assert!(setup.keychain.has(&old_key));
    assert_eq!(setup.pass().access_token().unwrap().expose(), setup.stored_access_token());
    assert!(setup.pass().logout().unwrap().erased);
    assert!(!setup.sandbox.is_signed_in());
    setup.login().unwrap();
    setup.pass().access_token().unwrap();
}

#[test]
fn p54_a_file_from_before_the_keychain_and_its_stale_key_do_not_meet() {
    let setup = KeychainSetup::sealed();
    let stale_key = setup.key_id();
    login(setup.builder().storage(Storage::File), visitor().0).unwrap();
    setup.keychain.put(&stale_key, [3; 32]);
    setup.forget();
    assert_eq!(setup.pass().access_token().unwrap().expose(), setup.stored_access_token());
    assert!(setup.pass().logout().unwrap().erased);
    assert_eq!(setup.keychain.calls(), []);
}

#[test]
fn p54_a_blanked_key_is_said_as_such_and_a_login_heals_it() {
    let setup = KeychainSetup::sealed();
    let before = setup.sandbox.bytes();
    setup.keychain.put(&setup.key_id(), [0; 32]);
    let error = setup.pass().access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::SealBroken { .. })), "{error:?}");
    assert!(setup.sandbox.bytes() == before && setup.provider.requests().is_empty());
    setup.login().unwrap();
    assert_eq!(setup.pass().access_token().unwrap().expose(), setup.stored_access_token());
    assert_eq!(setup.keychain.key_ids(), [setup.key_id()]);
}

/// Every verb that could send a secret.
fn refuse_to_send(setup: &KeychainSetup, pass: &Hallpass) {
    let request = TokenRequest::default().resource("https://api.example.com");
    let is_broken = |error: &Error| matches!(error, Error::Store(StoreError::SealBroken { .. }));
    assert!(is_broken(&pass.access_token().unwrap_err()));
    assert!(is_broken(&pass.force_refresh().unwrap_err()));
    assert!(is_broken(&pass.access_token_for(&request).unwrap_err()));
    assert!(is_broken(&pass.id_token().unwrap_err()));
    assert!(is_broken(&pass.fetch_user().unwrap_err()));
    assert!(is_broken(&pass.move_to(Storage::File).unwrap_err()));
    assert!(matches!(pass.check().state, State::Unavailable(error) if is_broken(&error)));
    assert_eq!(setup.provider.requests().len(), 0);
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
        let setup = KeychainSetup::expired();
        let elsewhere = ScriptedServer::start();
        setup.sandbox.edit(|record| tamper(record, &elsewhere.origin()));
        refuse_to_send(&setup, &setup.pass());
        let report = setup.pass().logout().unwrap();
        assert!(report.erased && matches!(report.refresh_token, Revocation::Failed(_)), "{name}: {report:?}");
        assert_eq!((elsewhere.connections(), setup.provider.requests().len()), (0, 0), "{name}");
        assert_eq!(setup.keychain.key_ids(), [""; 0], "{name}");
    }
}

#[test]
fn p37_an_older_copy_of_the_record_does_not_open_after_a_new_sign_in() {
    let setup = KeychainSetup::sealed();
    let old = setup.sandbox.bytes();
    setup.login().unwrap();
    setup.sandbox.write(&old);
    let error = setup.pass().access_token().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Keychain { .. })), "{error:?}");
}

#[test]
fn p45_a_sealed_record_of_a_newer_version_is_called_that_and_left_alone() {
    let setup = KeychainSetup::sealed();
    setup.sandbox.edit(|record| {
        record["version"] = json!(2);
        record["seal"]["alg"] = json!("XC20P");
    });
    let before = setup.sandbox.bytes();
    let pass = setup.pass();
    let is_newer = |error: Error| matches!(error, Error::Store(StoreError::Newer { version: 2, .. }));
    assert!(pass.whoami().is_ok());
    assert!(is_newer(pass.access_token().unwrap_err()));
    assert!(is_newer(pass.move_to(Storage::File).unwrap_err()));
    assert!(is_newer(setup.login().unwrap_err()));
    assert!(setup.sandbox.bytes() == before);
    assert!(pass.logout().unwrap().erased, "but a logout erases what it cannot read");
}

#[test]
fn members_of_a_later_version_are_sealed_in_and_survive() {
    let setup = KeychainSetup::new();
    login(setup.builder().storage(Storage::File), visitor().0).unwrap();
    setup.sandbox.edit(|record| {
        record["later"] = json!({ "z": 1, "a": [1.5, "é"] });
        record["access"][0]["later"] = json!(2);
        record["secret"]["later"] = json!("three");
    });
    setup.pass().move_to(Storage::Keychain).unwrap();
    setup.sandbox.wait(DAY);
    setup.pass().access_token().unwrap();
    let record = setup.sandbox.record();
    assert_eq!((&record["later"]["a"][0], &record["access"][0]["later"]), (&json!(1.5), &json!(2)));
    assert_eq!(setup.secrets()["later"], "three");
}

/// A program that signs in on one thread while another one needs tokens.
#[test]
fn a_token_that_came_is_saved_though_the_keychain_went_away_and_the_pass_saw_another_key_meanwhile() {
    let setup = KeychainSetup::expired();
    let pass = setup.builder().browser(|_: &str| Ok(())).build().unwrap();
    let (other, keychain) = (pass.clone(), setup.keychain.clone());
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
    setup.provider.on(TOKEN, move |_| {
        if let Some(signing_in) = signing_in.lock().unwrap().take() {
            *login.lock().unwrap() = Some(signing_in());
            waiting.lock().unwrap().recv_timeout(library::PATIENCE).unwrap();
            keychain.set_behavior(Behavior::Locked);
        }
        None
    });
    let token = pass.access_token().unwrap();
    pass.canceller().cancel();
    let login = started.lock().unwrap().take().unwrap();
    assert_eq!(login.join().unwrap(), Err(Error::Cancelled));
    assert_eq!(setup.stored_access_token(), token.expose());
}
