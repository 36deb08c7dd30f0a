//! The command against `oidc-provider`, signed in by a real browser.

use hallpass_end_to_end::{BrowserSession, Certificate, Person, Provider, browser_option};
use serde_json::Value;

/// A user whose pages are saved in every shape.
fn person(name: &str) -> Person {
    Person::new(name).with("SHOTS_THEMES", "1")
}

fn at(provider: &Provider) -> [&str; 4] {
    ["--issuer", provider.issuer(), "--client-id", "cli"]
}

#[test]
fn the_whole_journey_and_the_refresh_token_that_comes_only_with_consent() {
    let provider = Provider::start(&[]);
    let person = person("oidc-provider");

    let first = person.login(&at(&provider)).expect(0);
    assert!(first.stderr.contains("Email: test@example.com"), "{}", first.stderr);
    assert!(first.stderr.contains("cannot be refreshed"), "{}", first.stderr);
    assert_eq!(person.hallpass(&["status", "--json"]).expect(0).json()[0]["renewable"], false);
    let page = person.seen();
    assert_eq!(page["status"], 200, "{page}");
    assert!(page["text"].as_str().is_some_and(|text| text.contains("test@example.com")), "{page}");
    assert_eq!(page["requests"].as_array().map_or(0, Vec::len), 0, "the page asked for more: {page}");

    let second = person.login(&[]).expect(0);
    assert!(
        second.stderr.contains("prompt=consent") && !second.stderr.contains("cannot be refreshed"),
        "{}",
        second.stderr
    );
    person.uses_it();

    let logout = person.hallpass(&["logout", "--json"]).expect(0).json();
    assert_eq!(logout["revoked"]["refresh_token"], "revoked");
    assert_eq!(logout["revoked"]["access_token"], "revoked");
    person.hallpass(&["token"]).expect(4);
}

/// The server gives both sign-ins of a browser session one grant; to revoke the first would end the second.
#[test]
fn p63_a_second_sign_in_of_the_same_browser_session_outlives_the_first() {
    let provider = Provider::start(&[]);
    let person = person("oidc-provider-again");
    let mut browser = BrowserSession::open();
    let asked = [&at(&provider)[..], &["--prompt", "consent"]].concat();
    person.login_in(&mut browser, &asked).expect(0);
    let first = person.secret("refresh_token");
    person.login_in(&mut browser, &asked).expect(0);
    assert_ne!(person.secret("refresh_token"), first);
    for _ in 0..2 {
        person.hallpass(&["token", "--refresh"]).expect(0);
    }
    let revoked = provider.journal().iter().filter(|entry| entry["path"] == "/token/revocation").count();
    assert_eq!(revoked, 0, "the shared grant was given back");
}

#[test]
fn a_session_that_the_server_ended_is_over_and_nobody_asks_again() {
    let provider = Provider::start(&[]);
    let person = person("oidc-provider-ended");
    person.login(&[&at(&provider)[..], &["--prompt", "consent"]].concat()).expect(0);
    let record = person.record_path();
    let spent = std::fs::read(&record).expect("the record is there");
    person.hallpass(&["token", "--refresh"]).expect(0);
    std::fs::write(&record, spent).expect("the record can be put back");

    let refused = person.hallpass(&["token", "--refresh"]).expect(4);
    assert!(
        refused.stderr.contains("the server ended this session") && refused.stderr.contains("hallpass login"),
        "{}",
        refused.stderr
    );
    drop(provider);
    person.hallpass(&["token", "--refresh"]).expect(4);
}

#[test]
fn denied_consent_is_said_in_the_terminal_and_on_the_page() {
    let provider = Provider::start(&[]);
    let person = person("oidc-provider-denied").with("IDP_DENY", "1");
    let denied = person.login(&at(&provider)).expect(6);
    assert!(denied.stderr.contains("access_denied"), "{}", denied.stderr);
    let page = person.seen();
    assert_eq!(page["status"], 400, "{page}");
    assert!(page["text"].as_str().is_some_and(|text| text.contains("Access denied")), "{page}");
    person.hallpass(&["whoami"]).expect(4);
}

#[test]
fn a_redirect_uri_exactly_as_registered_on_both_families() {
    let provider = Provider::start(&[]);
    let person = person("oidc-provider-localhost");
    let registered = ["--redirect-uri", "http://localhost:9999/callback"];
    let done = person.login(&[&at(&provider)[..], &registered].concat()).expect(0);
    assert!(
        done.stderr.contains("Waiting for callback on http://localhost:9999/callback..."),
        "{}",
        done.stderr
    );
}

#[test]
fn over_https_with_an_authority_of_our_own() {
    let certificate = Certificate::of(&["127.0.0.1"]);
    let (cert, key) = (certificate.cert(), certificate.key());
    let provider = Provider::start(&[("TLS_CERT", &cert), ("TLS_KEY", &key)]);
    let person = person("oidc-provider-https");

    let untrusted = person.login(&at(&provider)).expect(5);
    assert!(untrusted.stderr.contains("--ca-cert"), "{}", untrusted.stderr);
    person.login(&[&at(&provider)[..], &["--ca-cert", &cert, "--prompt", "consent"]].concat()).expect(0);
    person.hallpass(&["token", "--refresh"]).expect(0);
    person.hallpass(&["logout"]).expect(0);
}

#[test]
fn p07_a_provider_on_the_internet_reaches_the_callback_by_its_redirect_alone() {
    let certificate = Certificate::of(&["127.0.0.1"]);
    let (cert, key) = (certificate.cert(), certificate.key());
    let provider = Provider::start(&[("TLS_CERT", &cert), ("TLS_KEY", &key)]);
    let person = person("oidc-provider-public");
    let browser = browser_option("local_network.mjs");
    let own = ["login", &browser, "--timeout", "60s", "--ca-cert", &cert];
    let done = person.hallpass(&[&own[..], &at(&provider)].concat());
    let page = person.seen();
    done.expect(0);
    assert_eq!((&page["status"], &page["requests"]), (&200.into(), &Value::Array(Vec::new())), "{page}");
    assert_eq!(page["console"], Value::Array(Vec::new()), "{page}");
    // Without this the rules were not in force, and the rest proves nothing.
    let refusals = page["refusals"].to_string();
    assert!(refusals.contains("`loopback` address space"), "{page}");
}
