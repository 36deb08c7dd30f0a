//! `/revoke` (RFC 7009).

use hallpass_dev::{Client, DevServer};

use crate::support::*;

fn revoke(server: &DevServer, form: Pairs<'_>) -> Response {
    post(&format!("{}/revoke", server.issuer()), &[], form)
}

#[test]
fn s29_a_refresh_token_is_revoked_with_its_family() {
    let server = server();
    let first = sign_in(&server);
    let second = refresh(&server, text(&first, "refresh_token")).json();
    let form = [("client_id", "demo"), ("token", text(&second, "refresh_token"))];
    assert_eq!(revoke(&server, &form).status, 200);
    assert!(!is_live(&server, text(&first, "access_token")));
    assert!(!is_live(&server, text(&second, "access_token")));
    assert_eq!(refresh(&server, text(&second, "refresh_token")).error(), "invalid_grant");
}

#[test]
fn an_access_token_is_revoked_alone() {
    let server = server();
    let tokens = sign_in(&server);
    let form = [
        ("client_id", "demo"),
        ("token", text(&tokens, "access_token")),
        ("token_type_hint", "refresh_token"),
    ];
    assert_eq!(revoke(&server, &form).status, 200);
    assert!(!is_live(&server, text(&tokens, "access_token")));
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).status, 200);
}

#[test]
fn s29_an_unknown_or_revoked_token_is_no_error() {
    let server = server();
    let tokens = sign_in(&server);
    for token in ["unknown", text(&tokens, "refresh_token"), text(&tokens, "refresh_token")] {
        assert_eq!(revoke(&server, &[("client_id", "demo"), ("token", token)]).status, 200);
    }
}

#[test]
fn s29_a_token_of_another_client_is_not_revoked() {
    let other = Client::public("other").redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(other).start().unwrap();
    let tokens = sign_in(&server);
    for name in ["access_token", "refresh_token"] {
        let response = revoke(&server, &[("client_id", "other"), ("token", text(&tokens, name))]);
        assert_eq!((response.status, response.error().as_str()), (400, "invalid_grant"));
    }
    assert!(is_live(&server, text(&tokens, "access_token")));
}

#[test]
fn a_request_without_client_or_token_is_rejected() {
    let server = server();
    assert_eq!(revoke(&server, &[("token", "x")]).error(), "invalid_client");
    assert_eq!(revoke(&server, &[("client_id", "demo")]).error(), "invalid_request");
    assert_eq!(get(&format!("{}/revoke", server.issuer()), &[]).status, 405);
}
