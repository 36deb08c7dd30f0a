//! Refresh tokens: rotation, reuse, scope.

use std::time::Duration;

use hallpass_dev::{Client, DevServer};

use crate::support::*;

#[test]
fn s10_each_refresh_returns_a_new_refresh_token_and_the_old_access_token_stays_valid() {
    let server = server();
    let first = sign_in(&server);
    let response = refresh(&server, text(&first, "refresh_token"));
    assert_eq!(response.status, 200);
    let second = response.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(second["scope"], SCOPE);
    assert!(is_live(&server, text(&first, "access_token")));
    assert!(is_live(&server, text(&second, "access_token")));
}

#[test]
fn s10_reuse_of_an_old_refresh_token_revokes_the_family() {
    let server = server();
    let first = sign_in(&server);
    let second = refresh(&server, text(&first, "refresh_token")).json();
    assert_eq!(refresh(&server, text(&first, "refresh_token")).error(), "invalid_grant");
    assert_eq!(refresh(&server, text(&second, "refresh_token")).error(), "invalid_grant");
    assert!(!is_live(&server, text(&first, "access_token")));
    assert!(!is_live(&server, text(&second, "access_token")));
}

#[test]
fn s10_reuse_leaves_other_sign_ins_alone() {
    let server = server();
    let (mine, other) = (sign_in(&server), sign_in(&server));
    refresh(&server, text(&mine, "refresh_token"));
    refresh(&server, text(&mine, "refresh_token"));
    assert_eq!(refresh(&server, text(&other, "refresh_token")).status, 200);
}

#[test]
fn s10_within_the_grace_period_a_refresh_token_can_be_used_again() {
    let server = DevServer::builder().refresh_reuse_grace(Duration::from_secs(60)).start().unwrap();
    let first = sign_in(&server);
    assert_eq!(refresh(&server, text(&first, "refresh_token")).status, 200);
    assert_eq!(refresh(&server, text(&first, "refresh_token")).status, 200);
}

fn narrowed(server: &DevServer, refresh_token: &str, scope: &str) -> Response {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "demo"),
        ("refresh_token", refresh_token),
        ("scope", scope),
    ];
    token(server, &form)
}

#[test]
fn s11_a_wider_scope_is_rejected_and_the_token_stays_valid() {
    let server = server();
    let code = Authorization::valid().with("scope", "openid offline_access").code(&server);
    let tokens = redeem(&server, &code).json();
    let refresh_token = text(&tokens, "refresh_token");
    assert_eq!(narrowed(&server, refresh_token, "openid email").error(), "invalid_scope");
    assert_eq!(refresh(&server, refresh_token).status, 200);
}

#[test]
fn s11_a_narrower_scope_narrows_the_access_token_alone() {
    let server = server();
    let tokens = sign_in(&server);
    let narrow = narrowed(&server, text(&tokens, "refresh_token"), "openid").json();
    assert_eq!(narrow["scope"], "openid");
    let user = userinfo(&server, text(&narrow, "access_token")).json();
    assert!(user.get("email").is_none());
    assert_eq!(refresh(&server, text(&narrow, "refresh_token")).json()["scope"], SCOPE);
}

#[test]
fn s11_another_client_can_neither_use_nor_revoke_a_refresh_token() {
    let other = Client::public("other").redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(other).start().unwrap();
    let tokens = sign_in(&server);
    let refresh_token = text(&tokens, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("client_id", "other"), ("refresh_token", refresh_token)];
    assert_eq!(token(&server, &form).error(), "invalid_grant");
    assert_eq!(refresh(&server, refresh_token).status, 200);
}

#[test]
fn an_access_token_expires() {
    let server = DevServer::builder().token_ttl(Duration::from_millis(1)).start().unwrap();
    let tokens = sign_in(&server);
    std::thread::sleep(Duration::from_millis(20));
    assert!(!is_live(&server, text(&tokens, "access_token")));
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).status, 200);
}
