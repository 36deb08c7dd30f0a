//! `/introspect` (RFC 7662), also for public clients.

use hallpass_dev::{Client, DevServer};
use serde_json::{Value, json};

use crate::support::*;

fn introspect(server: &DevServer, client_id: &str, token: &str) -> Value {
    let form = [("client_id", client_id), ("token", token)];
    post(&format!("{}/introspect", server.issuer()), &[], &form).json()
}

#[test]
fn a_live_token_is_described() {
    let server = server();
    let tokens = sign_in(&server);
    let access = introspect(&server, "demo", text(&tokens, "access_token"));
    assert_eq!(access["active"], true);
    assert_eq!(access["client_id"], "demo");
    assert_eq!(access["scope"], SCOPE);
    assert_eq!(access["username"], "test@example.com");
    assert_eq!(access["exp"].as_u64().unwrap() - access["iat"].as_u64().unwrap(), 3600);
    let refresh = introspect(&server, "demo", text(&tokens, "refresh_token"));
    assert_eq!(refresh["active"], true);
    assert!(refresh.get("exp").is_none());
}

#[test]
fn an_unknown_used_or_foreign_token_is_just_inactive() {
    let other = Client::public("other").redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(other).start().unwrap();
    let tokens = sign_in(&server);
    let inactive = json!({ "active": false });
    assert_eq!(introspect(&server, "demo", "unknown"), inactive);
    assert_eq!(introspect(&server, "other", text(&tokens, "access_token")), inactive);
    refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!(introspect(&server, "demo", text(&tokens, "refresh_token")), inactive);
}

#[test]
fn an_unknown_client_is_rejected() {
    let server = server();
    assert_eq!(introspect(&server, "unknown", "x")["error"], "invalid_client");
}
