//! The diagnosis checks everything that a login needs, and changes nothing.

use std::time::{Duration, SystemTime};

use hallpass::error::{NetworkErrorKind, ServerIncompatible, ServerMisbehaved, StoreError};
use hallpass::{Builder, DeviceGrant, Diagnosis, Error, Storage, Subject, Verdict};
use hallpass_test::library::{Behavior, KeychainSetup, LibrarySandbox};
use hallpass_test::provider::{OPENID_CONFIGURATION, Provider};
use hallpass_test::scripted_server::Response;
use serde_json::json;

fn diagnosed(builder: Builder) -> Diagnosis {
    builder.build().unwrap().diagnose()
}

/// Subject and verdict of each finding.
fn told(diagnosis: &Diagnosis) -> Vec<(Subject, &str)> {
    diagnosis.findings.iter().map(|finding| (finding.subject, finding.verdict.as_str())).collect()
}

#[track_caller]
fn text(diagnosis: &Diagnosis, subject: Subject) -> &str {
    let found = diagnosis.findings.iter().find(|finding| finding.subject == subject);
    &found.unwrap_or_else(|| panic!("no {subject:?} in {diagnosis:#?}")).text
}

#[test]
fn p21_all_is_looked_at_in_the_order_of_a_login_and_nothing_is_left() {
    let setup = KeychainSetup::new();
    let diagnosis = setup.pass().diagnose();
    use Subject::{Clock, Features, Keychain, Proxy, Server, Store};
    let expected = [Store, Keychain, Proxy, Server, Features].map(|subject| (subject, "good"));
    let without_clock: Vec<_> =
        told(&diagnosis).into_iter().filter(|(subject, _)| *subject != Clock).collect();
    assert_eq!(without_clock, expected, "{diagnosis:#?}");
    assert!(diagnosis.trouble().is_none());
    assert!(text(&diagnosis, Store).ends_with("default.json is writable and has no session yet"));
    assert_eq!(text(&diagnosis, Keychain), "available to encrypt credentials");
    assert!(text(&diagnosis, Proxy).starts_with("none for 127.0.0.1"));
    assert_eq!((setup.keychain.key_ids(), setup.sandbox.files().len()), (Vec::new(), 0), "something is left");
    let asked = setup.provider.requests();
    assert!(asked.iter().all(|request| request.path.starts_with("/.well-known/")), "{asked:#?}");
}

#[test]
fn a_sign_in_that_is_there_stays_and_stray_keys_are_counted_and_stay() {
    let setup = KeychainSetup::sealed();
    setup.keychain.put("0123456789abcdef0123456789abcdef", [7; 32]);
    let (before, keys) = (setup.sandbox.bytes(), setup.keychain.key_ids());
    let diagnosis = setup.pass().diagnose();
    assert!(text(&diagnosis, Subject::Store).ends_with("has a session"));
    let expected = "available to encrypt credentials; keys without a file in this directory: 1";
    assert_eq!(text(&diagnosis, Subject::Keychain), expected);
    assert_eq!((setup.sandbox.bytes(), setup.keychain.key_ids()), (before, keys));
}

#[test]
fn p47_a_keychain_that_cannot_be_used_is_told_as_a_login_takes_it() {
    for (mood, told) in [
        (Behavior::Absent, "no keychain available"),
        (Behavior::Locked, "the keychain is locked; a login in a terminal asks to unlock it"),
    ] {
        let setup = KeychainSetup::with(mood);
        let diagnosis = diagnosed(setup.builder().storage(Storage::Auto));
        assert!(text(&diagnosis, Subject::Keychain).starts_with(told), "{diagnosis:#?}");
        assert!(diagnosis.trouble().is_none());
        let insisting = diagnosed(setup.builder().storage(Storage::Keychain));
        assert!(
            matches!(insisting.trouble(), Some(Error::Store(StoreError::NoKeychain(_)))),
            "{insisting:#?}"
        );
        assert!(!setup.keychain.calls().is_empty());
        let unused = diagnosed(setup.builder().storage(Storage::File));
        assert_eq!(text(&unused, Subject::Keychain), "not used (see the storage setting)");
        assert!(setup.keychain.calls().is_empty(), "it was asked");
    }
}

#[test]
fn p36_a_clock_that_is_wrong_is_told_and_against_whose() {
    let provider = Provider::clerk();
    let metadata = json!({
        "issuer": provider.issuer(), "authorization_endpoint": format!("{}/a", provider.origin()),
        "token_endpoint": format!("{}/t", provider.origin()),
    });
    provider.on(OPENID_CONFIGURATION, move |_| {
        Some(Response::json(200, &metadata).header("Date", &httpdate::fmt_http_date(SystemTime::now())))
    });
    let at = |ahead: u64| {
        let clock = move || SystemTime::now() + Duration::from_secs(ahead);
        diagnosed(LibrarySandbox::new().at(&provider).clock(clock))
    };
    assert_eq!(text(&at(5), Subject::Clock), "agrees with 127.0.0.1's");
    let wrong = at(3 * 3600);
    assert!(text(&wrong, Subject::Clock).starts_with("3h ahead of 127.0.0.1's: "), "{wrong:#?}");
    assert!(told(&wrong).contains(&(Subject::Clock, "remark")));
}

#[test]
fn what_the_server_has_and_does_not_name() {
    let provider = Provider::clerk();
    provider.twist_metadata(|metadata| {
        *metadata = json!({
            "issuer": metadata["issuer"], "authorization_endpoint": metadata["authorization_endpoint"],
            "token_endpoint": metadata["token_endpoint"], "scopes_supported": ["openid"],
            "code_challenge_methods_supported": ["S256"],
        });
    });
    let bare = diagnosed(LibrarySandbox::new().at(&provider));
    assert_eq!(
        text(&bare, Subject::Features),
        "lists PKCE; does not list userinfo, revocation, device grant, iss in responses, offline_access, so \
         offline_access is not requested"
    );
    let insisting = diagnosed(LibrarySandbox::new().at(&provider).scopes(["openid", "offline_access"]));
    assert!(!text(&insisting, Subject::Features).contains("not requested"));
}

#[test]
fn a_server_that_a_login_would_fail_at_is_trouble_with_the_same_error() {
    let provider = Provider::clerk();
    provider.twist_metadata(|metadata| metadata["code_challenge_methods_supported"] = json!(["plain"]));
    let trouble = |builder: Builder| diagnosed(builder).trouble().cloned().unwrap();
    let error = trouble(LibrarySandbox::new().at(&provider));
    assert_eq!(error, ServerIncompatible::NoS256.into());
    let provider = Provider::clerk();
    provider.twist_metadata(|metadata| metadata["issuer"] = json!("https://evil.example"));
    let error = trouble(LibrarySandbox::new().at(&provider));
    assert!(matches!(error, Error::ServerMisbehaved(ServerMisbehaved::MetadataIssuer { .. })), "{error:?}");
    let error = trouble(LibrarySandbox::new().builder("http://127.0.0.1:1", "x"));
    assert!(
        matches!(&error, Error::Network(error) if error.kind == NetworkErrorKind::Unreachable),
        "{error:?}"
    );
}

#[test]
fn a_file_of_authorities_that_cannot_be_read_is_told_once() {
    let builder = LibrarySandbox::new().builder("https://127.0.0.1:1", "x").ca_cert("/nonexistent.pem");
    let diagnosis = diagnosed(builder);
    let of_network: Vec<_> = told(&diagnosis).into_iter().skip(2).collect();
    assert_eq!(of_network, [(Subject::Trust, "trouble")], "{diagnosis:#?}");
    assert!(text(&diagnosis, Subject::Trust).contains("/nonexistent.pem"));
}

#[test]
fn a_server_described_by_hand_or_not_at_all_is_not_asked() {
    let provider = Provider::clerk();
    let url = |path: &str| format!("{}{path}", provider.origin());
    let by_hand = LibrarySandbox::new().at(&provider).device_grant(DeviceGrant::Off);
    let by_hand = by_hand.endpoint("authorization", &url("/a")).endpoint("token", &url("/t"));
    let by_hand = diagnosed(by_hand);
    assert!(text(&by_hand, Subject::Server).ends_with("was not contacted: its endpoints are set by hand"));
    let unnamed = diagnosed(LibrarySandbox::new().stored());
    assert_eq!(text(&unnamed, Subject::Server), "no issuer is set, so no server was checked");
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn p55_a_proxy_is_named_without_its_credentials() {
    let settings = [("HTTPS_PROXY", "http://ada:s3cret@127.0.0.1:9")];
    let environment = hallpass::Environment::from_variables(settings);
    let diagnosis =
        diagnosed(LibrarySandbox::new().builder("https://login.example", "x").environment(environment));
    assert_eq!(text(&diagnosis, Subject::Proxy), "requests to login.example go through http://127.0.0.1:9");
    assert!(!format!("{diagnosis:?}").contains("s3cret"));
    let Some(finding) = diagnosis.findings.iter().find(|finding| finding.subject == Subject::Server) else {
        panic!("{diagnosis:#?}")
    };
    assert!(
        matches!(&finding.verdict, Verdict::Trouble(Error::Network(error)) if error.kind == NetworkErrorKind::Proxy)
    );
}
