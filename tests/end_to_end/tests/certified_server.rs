//! The command against `oidc-provider`, signed in by a real browser.

use hallpass_end_to_end::{Certificate, Home, Provider, artefacts, foreign};
use serde_json::Value;

/// A home whose browser is Chromium, which reports what it saw.
fn home(name: &str, deny: bool) -> (Home, String, std::path::PathBuf) {
    let home = Home::new();
    let report = home.path().join("browser.json");
    let home = home
        .with("REPORT", report.to_str().expect("a plain path"))
        .with("SHOTS", artefacts(name).to_str().expect("a plain path"))
        .with("SHOTS_THEMES", "1")
        .with("IDP_DENY", if deny { "1" } else { "0" });
    let browser = format!("--browser=node {}", foreign("browser.mjs").display());
    (home, browser, report)
}

fn seen(report: &std::path::Path) -> Value {
    for _ in 0..100 {
        if let Ok(text) = std::fs::read_to_string(report) {
            std::fs::remove_file(report).expect("the report can be removed");
            return serde_json::from_str(&text).expect("the browser reports JSON");
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the browser reported nothing");
}

fn login<'a>(issuer: &'a str, browser: &'a str) -> Vec<&'a str> {
    vec!["login", "--issuer", issuer, "--client-id", "cli", browser, "--timeout", "60s"]
}

#[test]
fn the_whole_journey_and_the_refresh_token_that_comes_only_with_consent() {
    let provider = Provider::start(&[]);
    let (home, browser, report) = home("oidc-provider", false);

    let first = home.hallpass(&login(provider.issuer(), &browser)).expect(0);
    assert!(first.stderr.contains("Email: test@example.com"), "{}", first.stderr);
    assert!(first.stderr.contains("cannot renew itself"), "{}", first.stderr);
    assert_eq!(home.hallpass(&["status", "--json"]).expect(0).json()[0]["renewable"], false);
    let page = seen(&report);
    assert_eq!(page["status"], 200, "{page}");
    assert!(page["text"].as_str().is_some_and(|text| text.contains("test@example.com")), "{page}");
    assert_eq!(page["requests"].as_array().map_or(0, Vec::len), 0, "the page asked for more: {page}");

    let second = home.hallpass(&["login", &browser, "--timeout", "60s"]).expect(0);
    assert!(
        second.stderr.contains("prompt=consent") && !second.stderr.contains("cannot renew itself"),
        "{}",
        second.stderr
    );
    assert_eq!(home.hallpass(&["status", "--check", "--json"]).expect(0).json()[0]["state"], "verified");

    let claims = home.hallpass(&["whoami", "--json"]).expect(0);
    assert!(claims.stdout.contains("\"email\": \"test@example.com\""), "{}", claims.stdout);
    let token = home.hallpass(&["token"]).expect(0);
    let renewed = home.hallpass(&["token", "--refresh"]).expect(0);
    let again = home.hallpass(&["token", "--refresh"]).expect(0);
    assert!(token.value() != renewed.value() && renewed.value() != again.value());

    let logout = home.hallpass(&["logout", "--json"]).expect(0).json();
    assert_eq!(logout["revoked"]["refresh_token"], "revoked");
    assert_eq!(logout["revoked"]["access_token"], "revoked");
    home.hallpass(&["token"]).expect(4);
}

#[test]
fn a_session_that_the_server_ended_is_over_and_nobody_asks_again() {
    let provider = Provider::start(&[]);
    let (home, browser, _) = home("oidc-provider-ended", false);
    let mut arguments = login(provider.issuer(), &browser);
    arguments.extend(["--prompt", "consent"]);
    home.hallpass(&arguments).expect(0);
    let record = home.path().join(".local/state/hallpass/hallpass/default.json");
    let spent = std::fs::read(&record).expect("the record is there");
    home.hallpass(&["token", "--refresh"]).expect(0);
    std::fs::write(&record, spent).expect("the record can be put back");

    let refused = home.hallpass(&["token", "--refresh"]).expect(4);
    assert!(
        refused.stderr.contains("the server ended this session") && refused.stderr.contains("hallpass login"),
        "{}",
        refused.stderr
    );
    drop(provider);
    home.hallpass(&["token", "--refresh"]).expect(4);
}

#[test]
fn denied_consent_is_said_in_the_terminal_and_on_the_page() {
    let provider = Provider::start(&[]);
    let (home, browser, report) = home("oidc-provider-denied", true);
    let denied = home.hallpass(&login(provider.issuer(), &browser)).expect(6);
    assert!(denied.stderr.contains("access_denied"), "{}", denied.stderr);
    let page = seen(&report);
    assert_eq!(page["status"], 400, "{page}");
    assert!(page["text"].as_str().is_some_and(|text| text.contains("Sign-in failed")), "{page}");
    home.hallpass(&["whoami"]).expect(4);
}

#[test]
fn a_redirect_uri_exactly_as_registered_on_both_families() {
    let provider = Provider::start(&[]);
    let (home, browser, _) = home("oidc-provider-localhost", false);
    let mut arguments = login(provider.issuer(), &browser);
    arguments.extend(["--redirect-uri", "http://localhost:9999/callback"]);
    let done = home.hallpass(&arguments).expect(0);
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
    let (home, browser, _) = home("oidc-provider-https", false);

    let mut arguments = login(provider.issuer(), &browser);
    let untrusted = home.hallpass(&arguments).expect(5);
    assert!(untrusted.stderr.contains("--ca-cert"), "{}", untrusted.stderr);
    arguments.extend(["--ca-cert", &cert, "--prompt", "consent"]);
    home.hallpass(&arguments).expect(0);
    home.hallpass(&["token", "--refresh"]).expect(0);
    home.hallpass(&["logout"]).expect(0);
}

#[test]
fn p07_a_provider_on_the_internet_reaches_the_callback_by_its_redirect_alone() {
    let certificate = Certificate::of(&["127.0.0.1"]);
    let (cert, key) = (certificate.cert(), certificate.key());
    let provider = Provider::start(&[("TLS_CERT", &cert), ("TLS_KEY", &key)]);
    let (home, _, report) = home("oidc-provider-public", false);
    let browser = format!("--browser=node {}", foreign("local_network.mjs").display());
    let done = home.hallpass(&[&login(provider.issuer(), &browser)[..], &["--ca-cert", &cert]].concat());
    let page = seen(&report);
    done.expect(0);
    assert_eq!((&page["status"], &page["requests"]), (&200.into(), &Value::Array(Vec::new())), "{page}");
    assert_eq!(page["console"], Value::Array(Vec::new()), "{page}");
    // Without this the rules were not in force, and the rest proves nothing.
    let refusals = page["refusals"].to_string();
    assert!(refusals.contains("`loopback` address space"), "{page}");
}
