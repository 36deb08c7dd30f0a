//! Signing out: what is sent, what is erased, what is said.

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, thread};

use hallpass::error::LoginRequired;
use hallpass::{Error, Hallpass, LogoutReport, Revocation};
use hallpass_test::library::{self, IMPATIENT, LibrarySandbox, login, timed, visitor};
use hallpass_test::provider::{self, CLIENT, Kind, Provider, TOKEN, providers};
use hallpass_test::scripted_server::Response;
use serde_json::{Value, json};

fn clerk() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    (sandbox, provider)
}

fn paylent() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    sandbox.signed_in(&provider);
    (sandbox, provider)
}

fn logout(sandbox: &LibrarySandbox, provider: &Provider) -> LogoutReport {
    let pass = sandbox.at(provider).request_timeout(IMPATIENT).build().unwrap();
    pass.logout().unwrap()
}

fn is_failed(outcome: &Revocation) -> bool {
    matches!(outcome, Revocation::Failed(_))
}

#[test]
fn n100_the_refresh_token_goes_first_then_the_access_token_each_with_hint_and_client() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        sandbox.signed_in(&provider);
        let secret = sandbox.record()["secret"].clone();
        logout(&sandbox, &provider);
        let requests = provider.requests();
        let sent: Vec<_> =
            requests.iter().map(|request| (request.path.as_str(), request.form.clone())).collect();
        let form = |token: &Value, hint: &str| {
            [("token", token.as_str().unwrap()), ("token_type_hint", hint), ("client_id", CLIENT)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec()
        };
        let path = provider.revoke_path();
        let refresh = (path, form(&secret["refresh_token"], "refresh_token"));
        let access = (path, form(&secret["access_tokens"][0], "access_token"));
        assert_eq!(sent, [refresh, access], "{:?}", provider.kind());
        assert!(requests.iter().all(|request| request.header("authorization").is_none()));
    }
}

#[test]
fn the_report_says_what_was_revoked_and_what_cannot_be() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        sandbox.signed_in(&provider);
        let report = logout(&sandbox, &provider);
        let access = match provider.kind() {
            Kind::Clerk => Revocation::Unsupported,
            Kind::Paylent => Revocation::Revoked,
        };
        assert_eq!((report.erased, report.is_unconfirmed()), (true, false));
        assert_eq!((report.refresh_token, report.access_token), (Revocation::Revoked, access));
        assert_eq!((report.profile.as_str(), report.shared_with), ("default", Vec::new()));
        assert!(!sandbox.is_signed_in());
    }
}

#[test]
fn after_a_logout_nobody_is_signed_in_and_nothing_is_left_but_locks_and_journal() {
    let (sandbox, provider) = paylent();
    logout(&sandbox, &provider);
    let error = sandbox.pass(&provider).access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    let is_either = |path: &PathBuf| ["lock", "refresh"].iter().any(|end| path.extension().unwrap() == *end);
    assert!(sandbox.files().keys().all(is_either), "{:?}", sandbox.files().keys());
}

#[test]
fn p70_a_server_that_fails_is_reported_and_keeps_nobody_signed_in() {
    let answers = [
        ("400", Response::oauth_error(400, "invalid_request"), "invalid_request"),
        ("401", Response::empty(401), "401"),
        ("404", Response::html(404, "<h1>Not found</h1>"), "404"),
        ("500", Response::html(500, "<h1>Oops</h1>"), "500"),
        ("503", Response::empty(503), "503"),
        ("a redirect", Response::redirect(302, "http://127.0.0.1:1/"), "redirect"),
        ("cut", Response::html(200, "half").cut(), "was lost"),
        ("silence", Response::never(), "in time"),
    ];
    for (name, answer, word) in answers {
        let (sandbox, provider) = paylent();
        provider.always(provider.revoke_path(), answer);
        let report = logout(&sandbox, &provider);
        for outcome in [&report.refresh_token, &report.access_token] {
            assert!(matches!(outcome, Revocation::Failed(why) if why.contains(word)), "{name}: {report:?}");
        }
        assert!(report.erased && report.is_unconfirmed(), "{name}");
        assert!(!sandbox.is_signed_in(), "{name}");
        assert_eq!(provider.count(provider.revoke_path()), 2, "{name}");
    }
}

#[test]
fn p70_a_server_that_revokes_for_no_client_without_a_secret_is_told_as_such_with_what_lives_on() {
    let expires_at =
        |sandbox: &LibrarySandbox| sandbox.record()["access"][0]["expires_at"].as_str().unwrap().to_owned();
    for with_refresh_token in [true, false] {
        let (sandbox, provider) = paylent();
        if !with_refresh_token {
            sandbox.edit(|record| record["secret"]["refresh_token"] = Value::Null);
        }
        provider.always(provider.revoke_path(), Response::oauth_error(401, "invalid_client"));
        let until = expires_at(&sandbox);
        let report = logout(&sandbox, &provider);
        assert!(report.erased && report.is_unconfirmed() && !sandbox.is_signed_in());
        assert!(matches!(report.access_token, Revocation::ClientRefused(_)), "{report:?}");
        let left = match with_refresh_token {
            true => format!(
                "The refresh token stays valid until the server ends the session, the access token until {until}."
            ),
            false => format!("The access token stays valid until {until}."),
        };
        let refused = "the server does not revoke tokens for a client without a secret: invalid_client (invalid_client it is)";
        assert_eq!(report.to_string(), format!("Logged out here, but {refused}. {left}"));
    }
}

#[test]
fn p70_a_server_that_is_gone_keeps_nobody_signed_in() {
    let (sandbox, provider) = paylent();
    let pass = sandbox.pass(&provider);
    drop(provider);
    let report = pass.logout().unwrap();
    assert!(report.erased && is_failed(&report.refresh_token));
}

#[test]
fn n101_any_success_counts_whatever_its_body() {
    for answer in [Response::html(200, "<h1>Bye</h1>"), Response::empty(204)] {
        let (sandbox, provider) = clerk();
        provider.always(provider.revoke_path(), answer);
        let report = logout(&sandbox, &provider);
        assert_eq!([report.refresh_token, report.access_token], [Revocation::Revoked, Revocation::Revoked]);
    }
}

#[test]
fn nobody_signed_in_is_a_success_without_a_request_or_a_file() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let report = logout(&sandbox, &provider);
    assert!(!report.erased);
    assert_eq!([&report.refresh_token, &report.access_token], [&Revocation::None, &Revocation::None]);
    assert_eq!(provider.requests().len(), 0);
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_second_logout_is_a_success_too() {
    let (sandbox, provider) = clerk();
    assert!(logout(&sandbox, &provider).erased);
    provider.forget();
    assert!(!logout(&sandbox, &provider).erased);
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn n103_without_a_revocation_endpoint_the_report_says_unsupported() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.twist_metadata(|document| drop(document.as_object_mut().unwrap().remove("revocation_endpoint")));
    sandbox.signed_in(&provider);
    let report = logout(&sandbox, &provider);
    let unsupported = [&Revocation::Unsupported, &Revocation::Unsupported];
    assert_eq!([&report.refresh_token, &report.access_token], unsupported);
    assert!(report.erased && !report.is_unconfirmed());
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn a_session_that_the_server_ended_has_no_refresh_token_to_revoke() {
    let (sandbox, provider) = clerk();
    provider.end_sessions();
    sandbox.pass(&provider).force_refresh().unwrap_err();
    let report = logout(&sandbox, &provider);
    assert_eq!((report.erased, report.refresh_token), (true, Revocation::None));
}

#[test]
fn p40_a_record_that_cannot_be_read_is_erased_and_its_token_called_unknown() {
    let unreadable: [&[u8]; 3] = [b"", b"{\"version\":1", b"{\"version\":9}"];
    for bytes in unreadable {
        let (sandbox, provider) = clerk();
        sandbox.write(bytes);
        let report = logout(&sandbox, &provider);
        assert!(report.erased && is_failed(&report.refresh_token), "{report:?}");
        assert!(!sandbox.is_signed_in());
        assert_eq!(provider.requests().len(), 0);
    }
}

#[test]
fn every_access_token_is_revoked_and_the_worst_outcome_told() {
    let (sandbox, provider) = paylent();
    let request = hallpass::TokenRequest::default().resource("https://api.example.com");
    sandbox.pass(&provider).access_token_for(&request).unwrap();
    provider.next(1, provider.revoke_path(), Response::empty(200));
    let api = sandbox.record()["secret"]["access_tokens"][1].clone();
    provider.on(provider.revoke_path(), move |request| {
        (request.param("token") == api.as_str()).then(|| Response::empty(500))
    });
    let report = logout(&sandbox, &provider);
    assert_eq!(report.refresh_token, Revocation::Revoked);
    assert!(is_failed(&report.access_token));
    assert_eq!(provider.count(provider.revoke_path()), 3);
}

/// A pass for a profile of the sandbox's program, signed in.
fn profile(sandbox: &LibrarySandbox, provider: &Provider, name: &str) -> Hallpass {
    let builder = || sandbox.at(provider).profile(name);
    login(builder(), visitor().0).unwrap();
    builder().build().unwrap()
}

#[test]
fn another_profile_of_the_same_user_is_named_and_stays() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (work, home) = (profile(&sandbox, &provider, "work"), profile(&sandbox, &provider, "home"));
    assert_eq!(work.logout().unwrap().shared_with, ["home"]);
    assert!(home.access_token().is_ok());
    assert_eq!(home.logout().unwrap().shared_with, [""; 0]);
}

#[test]
fn n70_another_profile_of_another_user_or_server_is_not_named() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let work = profile(&sandbox, &provider, "work");
    provider.twist_claims(|claims| claims["sub"] = json!("bob"));
    profile(&sandbox, &provider, "bob");
    let elsewhere = Provider::clerk();
    profile(&sandbox, &elsewhere, "elsewhere");
    assert_eq!(work.logout().unwrap().shared_with, [""; 0]);
    assert_eq!(work.profiles().unwrap(), ["bob", "elsewhere"]);
}

#[test]
fn a_program_that_moved_to_another_server_still_signs_out_of_the_old_one() {
    let (sandbox, provider) = clerk();
    let moved = sandbox.builder("https://login.example.com", CLIENT).build().unwrap();
    let report = moved.logout().unwrap();
    assert_eq!((report.erased, report.refresh_token), (true, Revocation::Revoked));
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn a_logout_needs_no_server_settings_and_no_metadata() {
    let (sandbox, provider) = clerk();
    let report = sandbox.stored().build().unwrap().logout().unwrap();
    assert_eq!((report.erased, report.refresh_token), (true, Revocation::Revoked));
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn a_logout_waits_for_a_refresh_and_revokes_the_token_that_came_of_it() {
    let (sandbox, provider) = clerk();
    let (arrived, here) = std::sync::mpsc::channel();
    provider.on(TOKEN, move |_| {
        arrived.send(()).unwrap();
        thread::sleep(Duration::from_millis(200));
        None
    });
    let pass = sandbox.pass(&provider);
    let refresh = thread::spawn(move || pass.force_refresh());
    here.recv_timeout(library::PATIENCE).unwrap();
    let (report, took) = timed(|| logout(&sandbox, &provider));
    assert!(report.erased && took > Duration::from_millis(100), "{took:?}");
    refresh.join().unwrap().unwrap();
    let spent = provider.requests_to(TOKEN)[0].param("refresh_token").unwrap().to_owned();
    let revoked = provider.requests_to(provider.revoke_path())[0].param("token").unwrap().to_owned();
    assert_ne!(revoked, spent);
    assert!(!sandbox.is_signed_in());
}

#[test]
fn p43_a_linked_record_is_erased_and_written_anew_where_it_lies() {
    let (sandbox, provider) = clerk();
    let real = sandbox.state_dir().join("real.json");
    fs::rename(sandbox.path(), &real).unwrap();
    std::os::unix::fs::symlink(&real, sandbox.path()).unwrap();
    assert!(logout(&sandbox, &provider).erased);
    assert!(!real.exists());
    assert!(matches!(sandbox.pass(&provider).access_token(), Err(Error::LoginRequired(_))));
    assert!(!logout(&sandbox, &provider).erased);
    sandbox.signed_in(&provider);
    assert!(real.exists() && sandbox.path().is_symlink());
}

#[test]
fn a_silent_revocation_endpoint_costs_its_limit_and_no_more() {
    let (sandbox, provider) = paylent();
    provider.always(provider.revoke_path(), Response::never());
    let (_, took) = timed(|| logout(&sandbox, &provider));
    assert!(took < 2 * IMPATIENT + Duration::from_secs(1), "{took:?}");
}
