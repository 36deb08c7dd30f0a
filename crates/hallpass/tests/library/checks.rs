//! The eleven checks that any client of Clerk or Paylent has to stand, one test each.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use std::{fs, thread};

use hallpass::error::{Denied, LoginRequired, Misuse};
use hallpass::{Error, Revocation};
use hallpass_test::jose::s256;
use hallpass_test::library::{
    self, IMPATIENT, LibrarySandbox, Page, authority, callback, get, get_at, login, playing, sign_in, timed,
    unopened, visitor,
};
use hallpass_test::provider::{
    self, AUTHORIZE, CANARY, CLIENT, EMAIL, Kind, OPENID_CONFIGURATION, Provider, TOKEN, USERINFO,
    clerk_error, providers,
};
use hallpass_test::scripted_server::Response;
use url::Url;

/// A pass that gives up on a silent server soon.
fn impatient(sandbox: &LibrarySandbox, provider: &Provider) -> hallpass::Hallpass {
    sandbox.at(provider).request_timeout(IMPATIENT).build().unwrap()
}

#[test]
fn check_01_the_authorization_url_has_exactly_the_parameters_of_the_contract() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        let (browser, urls) = playing(|url| {
            get(&sign_in(url));
            url.clone()
        });
        login(sandbox.at(&provider), browser).unwrap();
        let url = urls.recv_timeout(library::PATIENCE).unwrap();
        let sent: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(url.query_pairs().count(), sent.len(), "none comes twice");
        assert_eq!(
            sent.keys().map(String::as_str).collect::<Vec<_>>(),
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "nonce",
                "redirect_uri",
                "response_type",
                "scope",
                "state"
            ]
        );
        assert_eq!(sent["scope"], "openid profile email offline_access");
        assert_eq!(
            (sent["response_type"].as_str(), sent["code_challenge_method"].as_str()),
            ("code", "S256")
        );
        assert!(sent["state"].len() >= 8);
        let token = provider.requests_to(TOKEN).remove(0);
        let verifier = token.param("code_verifier").unwrap();
        assert!((43..=128).contains(&verifier.len()));
        assert_eq!(sent["code_challenge"], s256(verifier));
    }
    // RFC 7636 appendix B, by the hash that the provider here judges with.
    let appendix_b =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(s256(appendix_b.0), appendix_b.1);
}

#[test]
fn check_02_the_token_request_repeats_the_redirect_uri_and_carries_no_secret() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        login(sandbox.at(&provider), visitor().0).unwrap();
        let [token] = provider.requests_to(TOKEN).try_into().unwrap();
        let authorize = provider.requests_to(AUTHORIZE).remove(0);
        assert_eq!(token.param("redirect_uri"), authorize.param("redirect_uri"));
        assert_eq!(token.param("client_id"), Some(CLIENT));
        assert_eq!((token.header("authorization"), token.param("client_secret")), (None, None));
        assert_eq!(token.fields(), ["grant_type", "code", "redirect_uri", "code_verifier", "client_id"]);
        if provider.kind() == Kind::Paylent {
            assert_eq!(token.param("redirect_uri"), Some(provider.redirect_uri()));
        }
    }
}

/// Everything that must not end a login.
fn nuisances(url: &Url) -> Vec<u16> {
    let there = library::redirect_uri(url);
    let raw = |line: &str| {
        let head = format!("{line} HTTP/1.1\r\nHost: {}\r\n\r\n", authority(&there));
        library::exchange(Ipv4Addr::LOCALHOST.into(), &there, head.as_bytes()).status
    };
    vec![
        get(&callback(url, "code=x&state=wrong")).status,
        get(&callback(url, "code=x")).status,
        get(&callback(url, "error=access_denied&error_description=x")).status,
        raw("GET /favicon.ico"),
        raw("POST /callback?code=x"),
        raw("HEAD /callback?code=x"),
        raw(&format!("GET /callback?code={}", "x".repeat(1 << 20))),
    ]
}

#[test]
fn check_03_nothing_but_the_genuine_callback_ends_the_login() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        let (browser, seen) = playing(|url| {
            let _half_open =
                library::connect(Ipv4Addr::LOCALHOST.into(), &library::redirect_uri(url)).unwrap();
            (nuisances(url), get(&sign_in(url)).status)
        });
        login(sandbox.at(&provider), browser).unwrap();
        // A request that is too long to be read is not answered at all.
        assert_eq!(
            seen.recv_timeout(library::PATIENCE).unwrap(),
            (vec![400, 400, 400, 404, 405, 405, 0], 200)
        );
        assert_eq!(provider.count(TOKEN), 1);
    }
}

#[test]
fn check_04_access_denied_with_the_right_state_ends_it_at_once() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        let (browser, pages) = playing(|url| {
            get(&callback(url, "error=access_denied&error_description=%3Cb%3Eno%3C/b%3E&state={state}"))
        });
        let (result, took) = timed(|| login(sandbox.at(&provider), browser));
        let Err(Error::Denied(Denied::ByServer(error))) = result else { panic!("{result:?}") };
        assert_eq!(error.to_string(), "access_denied (<b>no</b>)");
        assert!(took < Duration::from_secs(1), "{took:?}");
        let page = pages.recv_timeout(library::PATIENCE).unwrap();
        assert!(page.status == 400 && page.body.contains("&lt;b&gt;no&lt;/b&gt;"), "{page:?}");
    }
}

#[test]
fn check_05_the_page_is_complete_when_login_returns() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        let (browser, pages) = playing(|url| {
            let genuine = sign_in(url);
            let mut stream = library::connect(Ipv4Addr::LOCALHOST.into(), &genuine).unwrap();
            let head = format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n",
                library::target(&genuine),
                authority(&genuine)
            );
            std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
            stream
        });
        login(sandbox.at(&provider), browser).unwrap();
        let mut stream = pages.recv_timeout(library::PATIENCE).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut page = String::new();
        std::io::Read::read_to_string(&mut stream, &mut page).expect("nothing is still on its way");
        let page = Page::parse(&page);
        assert!(page.is_complete() && page.status == 200 && page.body.contains(EMAIL), "{page:?}");
    }
}

#[test]
fn check_06_a_localhost_redirect_works_over_both_families_and_a_taken_port_is_named() {
    for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
        let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
        let (browser, pages) = playing(move |url| get_at(address, &sign_in(url)));
        login(sandbox.at(&provider), browser).unwrap();
        assert_eq!(pages.recv_timeout(library::PATIENCE).unwrap().status, 200, "{address}");
    }
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    let port = Url::parse(provider.redirect_uri()).unwrap().port().unwrap();
    let _holder = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (result, took) = timed(|| login(sandbox.at(&provider), unopened));
    assert!(took < Duration::from_secs(1), "{took:?}");
    let error = result.unwrap_err();
    assert!(
        matches!(error, Error::Misuse(Misuse::PortTaken(_))) && error.to_string().contains(&port.to_string())
    );
}

const DAY: u64 = 24 * 3600 - 60;

#[test]
fn check_07_refresh_rotates_keeps_ends_and_survives_as_the_contract_says() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        sandbox.signed_in(&provider);
        let old = sandbox.record()["secret"]["refresh_token"].clone();
        sandbox.wait(DAY);
        let silent = [(1, Response::empty(429)), (1, Response::empty(503)), (2, Response::never())];
        for (times, answer) in silent {
            provider.next(times, TOKEN, answer);
            let before = sandbox.bytes();
            assert!(impatient(&sandbox, &provider).access_token().unwrap_err().is_retryable());
            assert!(sandbox.bytes() == before);
        }
        sandbox.pass(&provider).access_token().unwrap();
        let new = sandbox.record()["secret"]["refresh_token"].clone();
        assert_eq!(new != old, provider.kind() == Kind::Clerk, "{:?}", provider.kind());
        provider.end_sessions();
        sandbox.wait(DAY);
        let error = sandbox.pass(&provider).access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(_))), "{:?}", provider.kind());
    }
}

#[test]
fn check_07_twenty_threads_of_their_own_passes_make_one_refresh() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        sandbox.signed_in(&provider);
        sandbox.wait(DAY);
        let barrier = Arc::new(Barrier::new(20));
        let start = |_| {
            let (pass, barrier) = (sandbox.pass(&provider), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                pass.access_token().unwrap().expose().to_owned()
            })
        };
        let threads: Vec<_> = (0..20).map(start).collect();
        let tokens: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(provider.count(TOKEN), 1, "{:?}", provider.kind());
    }
}

#[test]
fn check_08_userinfo_refused_in_clerks_shape_gives_the_long_message_and_the_trace_id() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    provider.always(USERINFO, clerk_error());
    let text = sandbox.pass(&provider).fetch_user().unwrap_err().to_string();
    assert!(text.contains("The access token was revoked by an administrator"), "{text}");
    assert!(text.contains("trace_4711") && text.contains("401"), "{text}");
}

#[test]
fn check_09_logout_revokes_the_refresh_token_and_clears_whatever_the_server_says() {
    let answers = [
        None,
        Some(Response::oauth_error(400, "invalid_request")),
        Some(Response::empty(500)),
        Some(Response::never()),
    ];
    for answer in answers {
        for provider in providers() {
            let sandbox = LibrarySandbox::new();
            sandbox.signed_in(&provider);
            let token = sandbox.record()["secret"]["refresh_token"].clone();
            let is_refused = answer.is_some();
            answer.iter().for_each(|answer| provider.always(provider.revoke_path(), answer.clone()));
            let pass = impatient(&sandbox, &provider);
            let report = pass.logout().unwrap();
            let first = provider.requests_to(provider.revoke_path()).remove(0);
            assert_eq!(first.param("token"), token.as_str());
            assert_eq!(first.param("token_type_hint"), Some("refresh_token"));
            assert_eq!(report.refresh_token == Revocation::Revoked, !is_refused);
            assert!(report.erased && report.is_unconfirmed() == is_refused, "{report:?}");
            assert!(!sandbox.is_signed_in());
            assert!(!pass.logout().unwrap().erased);
        }
    }
}

#[test]
fn check_10_the_file_is_0600_in_a_0700_folder_and_no_token_is_told() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        let session = sandbox.signed_in(&provider);
        let token = sandbox.pass(&provider).access_token().unwrap();
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&sandbox.path()), mode(&sandbox.folder())), (0o600, 0o700));
        assert!(!format!("{session:?}{token:?}").contains(CANARY));
        provider.end_sessions();
        let error = sandbox.pass(&provider).force_refresh().unwrap_err();
        assert!(!format!("{error:?}{error}").contains(CANARY));
    }
}

#[test]
fn check_10_a_reader_sees_the_old_record_or_the_new_one_and_never_a_part() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let is_done = Arc::new(Mutex::new(false));
    let (path, done) = (sandbox.path(), is_done.clone());
    let reader = thread::spawn(move || {
        let mut reads = 0;
        while !*done.lock().unwrap() {
            serde_json::from_slice::<serde_json::Value>(&fs::read(&path).unwrap()).expect("a whole record");
            reads += 1;
        }
        reads
    });
    let pass = sandbox.pass(&provider);
    for _ in 0..30 {
        pass.force_refresh().unwrap();
    }
    *is_done.lock().unwrap() = true;
    assert!(reader.join().unwrap() > 30);
}

#[test]
fn check_11_what_a_crash_can_leave_behind_is_usable() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        provider.next(1, USERINFO, Response::empty(500).cut());
        let email_only = ["email", "offline_access"];
        login(sandbox.at(&provider).scopes(email_only), visitor().0).unwrap();
        // A process that was killed while it wrote leaves a part beside the record, and its lock file.
        fs::write(sandbox.folder().join(".default-x1y2z3.tmp"), "{\"version\":1,\"sec").unwrap();
        fs::write(sandbox.folder().join("default.lock"), "4711\n").unwrap();
        let pass = sandbox.pass(&provider);
        assert!(pass.access_token().is_ok());
        assert_eq!(pass.whoami().unwrap().label(), EMAIL);
        sandbox.wait(DAY);
        assert!(pass.access_token().is_ok());
        assert_eq!(pass.profiles().unwrap(), ["default"]);
        assert!(pass.logout().unwrap().erased);
    }
}

#[test]
fn the_presets_refuse_what_the_real_ones_refuse() {
    let (sandbox, clerk) = (LibrarySandbox::new(), Provider::clerk());
    let elsewhere = sandbox.builder(clerk.issuer(), CLIENT).redirect_uris(["http://localhost/callback"]);
    let (browser, pages) = playing(get);
    let result = login(elsewhere.login_timeout(Duration::from_millis(300)), browser);
    assert!(matches!(result, Err(Error::TimedOut { .. })), "{result:?}");
    assert_eq!(pages.recv_timeout(library::PATIENCE).unwrap().status, 400);
    assert_eq!((clerk.count(OPENID_CONFIGURATION), clerk.count(TOKEN)), (1, 0));
}
