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
fn of_a_dead_unknown_or_foreign_token_nothing_is_said() {
    let other = Client::public("other").redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(other).start().unwrap();
    let tokens = sign_in(&server);
    let dead = json!({ "active": false });
    assert_eq!(introspect(&server, "demo", "unknown"), dead);
    assert_eq!(introspect(&server, "other", text(&tokens, "access_token")), dead);
    refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!(introspect(&server, "demo", text(&tokens, "refresh_token")), dead);
}

#[test]
fn a_stranger_is_refused() {
    let server = server();
    assert_eq!(introspect(&server, "nobody", "x")["error"], "invalid_client");
}
