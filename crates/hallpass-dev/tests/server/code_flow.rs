//! The authorization code flow, and the rules for codes.

use std::collections::HashSet;

use crate::support::*;

#[test]
fn a_user_signs_in_and_the_client_gets_its_tokens() {
    let server = server();
    let response = redeem(&server, &Authorization::valid().code(&server));
    assert_eq!(response.status, 200);
    let tokens = response.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], SCOPE);
    let user = userinfo(&server, text(&tokens, "access_token")).json();
    assert_eq!(user["email"], "test@example.com");
    assert_eq!(user["name"], "Test User");
    assert_eq!(user["preferred_username"], "test");
}

#[test]
fn s06_a_code_works_once() {
    let server = server();
    let code = Authorization::valid().code(&server);
    assert_eq!(redeem(&server, &code).status, 200);
    let again = redeem(&server, &code);
    assert_eq!((again.status, again.error().as_str()), (400, "invalid_grant"));
}

#[test]
fn s07_a_second_valid_use_revokes_the_tokens_of_the_first() {
    let server = server();
    let code = Authorization::valid().code(&server);
    let tokens = redeem(&server, &code).json();
    redeem(&server, &code);
    assert!(!is_live(&server, text(&tokens, "access_token")));
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).error(), "invalid_grant");
}

#[test]
fn s07_a_replay_without_the_verifier_revokes_nothing() {
    let server = server();
    let code = Authorization::valid().code(&server);
    let tokens = redeem(&server, &code).json();
    let other = "a".repeat(43);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", &code),
        ("code_verifier", &other),
    ];
    assert_eq!(token(&server, &form).error(), "invalid_grant");
    assert!(is_live(&server, text(&tokens, "access_token")));
}

#[test]
fn s05_a_code_requires_its_own_verifier() {
    let server = server();
    let long = "a".repeat(129);
    for verifier in ["", "short", CHALLENGE, &VERIFIER[1..], &"a".repeat(43), &long] {
        let code = Authorization::valid().code(&server);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "demo"),
            ("code", code.as_str()),
            ("code_verifier", verifier),
        ];
        let error = token(&server, &form).error();
        let expected = if verifier.is_empty() { "invalid_request" } else { "invalid_grant" };
        assert_eq!(error, expected, "{verifier}");
        // The client can still redeem the code after a wrong guess.
        assert_eq!(redeem(&server, &code).status, 200);
    }
}

#[test]
fn s08_the_redirect_uri_may_be_left_out_but_not_changed() {
    let server = server();
    let exchange = |redirect_uri: &str| {
        let code = Authorization::valid().code(&server);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "demo"),
            ("code", code.as_str()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        token(&server, &form).status
    };
    assert_eq!(exchange(""), 200);
    assert_eq!(exchange(REDIRECT_URI), 200);
    assert_eq!(exchange("http://127.0.0.1:50124/callback"), 400);
    assert_eq!(exchange("http://127.0.0.1/callback"), 400);
}

#[test]
fn s06_a_code_belongs_to_its_client() {
    let other = hallpass_dev::Client::public("other").redirect_uri("http://127.0.0.1/callback");
    let server = hallpass_dev::DevServer::builder().client(other).start().unwrap();
    let code = Authorization::valid().code(&server);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "other"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(token(&server, &form).error(), "invalid_grant");
    assert_eq!(redeem(&server, &code).status, 200);
}

#[test]
fn s09_codes_and_tokens_are_long_random_and_never_the_same() {
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let server = server();
        let code = Authorization::valid().code(&server);
        let tokens = redeem(&server, &code).json();
        for value in [&code, text(&tokens, "access_token"), text(&tokens, "refresh_token")] {
            assert_eq!(value.len(), 43, "256 bits in base64url");
            assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert!(seen.insert(value.to_owned()));
        }
    }
}

#[test]
fn no_refresh_token_comes_without_offline_access() {
    let server = server();
    let code = Authorization::valid().with("scope", "openid email").code(&server);
    let tokens = redeem(&server, &code).json();
    assert_eq!(tokens["scope"], "openid email");
    assert!(tokens.get("refresh_token").is_none());
}

#[test]
fn without_openid_there_is_no_id_token() {
    let server = server();
    let code = Authorization::valid().with("scope", "email").code(&server);
    assert!(redeem(&server, &code).json().get("id_token").is_none());
}

#[test]
fn unknown_scopes_are_dropped_and_the_response_says_so() {
    let server = server();
    let code = Authorization::valid().with("scope", "openid admin email").code(&server);
    assert_eq!(redeem(&server, &code).json()["scope"], "openid email");
    let code = Authorization::valid().without("scope").code(&server);
    assert_eq!(redeem(&server, &code).json()["scope"], "openid");
}
