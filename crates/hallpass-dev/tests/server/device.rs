//! The device authorization grant (RFC 8628), from the side of the device.

use std::time::Duration;

use hallpass_dev::{Client, DevServer};
use serde_json::json;

use crate::support::*;

fn ask(server: &DevServer, form: Pairs<'_>) -> Response {
    post(&format!("{}/device_authorization", server.issuer()), &[], form)
}

#[test]
fn s26_the_response_has_everything_a_device_displays() {
    let server = server();
    let device = begin_device(&server);
    let user_code = text(&device, "user_code");
    let uri = format!("{}/device", server.issuer());
    assert_eq!(device["verification_uri"], uri);
    assert_eq!(device["verification_uri_complete"], format!("{uri}?user_code={user_code}"));
    assert_eq!((&device["expires_in"], &device["interval"]), (&json!(600), &json!(5)));
    assert_eq!((user_code.len(), user_code.find('-')), (9, Some(4)));
}

#[test]
fn s09_device_codes_are_long_random_and_never_the_same() {
    let server = server();
    let (one, two) = (begin_device(&server), begin_device(&server));
    assert_eq!(text(&one, "device_code").len(), 43);
    assert_ne!(one["device_code"], two["device_code"]);
    assert_ne!(one["user_code"], two["user_code"]);
}

#[test]
fn s12_a_response_with_codes_is_not_stored() {
    let response = ask(&server(), &[("client_id", "demo")]);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("content-type"), Some("application/json"));
}

#[test]
fn s13_each_invalid_request_has_its_error() {
    let server = server();
    let faults: &[(Pairs<'_>, u16, &str)] = &[
        (&[], 401, "invalid_client"),
        (&[("client_id", "unknown")], 401, "invalid_client"),
        (&[("client_id", "demo"), ("client_secret", "guess")], 401, "invalid_client"),
        (&[("client_id", "demo"), ("client_id", "demo")], 400, "invalid_request"),
        (&[("client_id", "demo"), ("scope", "openid"), ("scope", "email")], 400, "invalid_request"),
        (&[("client_id", "demo"), ("scope", "admin")], 400, "invalid_scope"),
    ];
    for (form, status, error) in faults {
        let response = ask(&server, form);
        assert_eq!((response.status, response.error().as_str()), (*status, *error), "{form:?}");
    }
    assert_eq!(get(&format!("{}/device_authorization", server.issuer()), &[]).status, 405);
}

#[test]
fn s26_the_device_waits_and_then_gets_what_the_user_allowed_once() {
    let server = server();
    let device = begin_device(&server);
    let waiting = poll(&server, text(&device, "device_code"));
    assert_eq!((waiting.status, waiting.error().as_str()), (400, "authorization_pending"));
    let tokens = approved(&server, &device);
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!(SCOPE)));
    assert_eq!(userinfo(&server, text(&tokens, "access_token")).json()["email"], "test@example.com");
    assert_eq!(poll(&server, text(&device, "device_code")).error(), "invalid_grant");
    assert!(is_live(&server, text(&tokens, "access_token")));
}

#[test]
fn s26_a_device_that_polls_too_soon_is_slowed_down() {
    let server = server();
    let device = begin_device(&server);
    let code = text(&device, "device_code");
    let errors = [(); 3].map(|()| poll(&server, code).error());
    assert_eq!(errors, ["authorization_pending", "slow_down", "slow_down"]);
    approved(&server, &device);
}

#[test]
fn s26_a_device_that_keeps_to_the_interval_is_not_slowed_down() {
    let server = DevServer::builder().device_interval(Duration::from_secs(1)).start().unwrap();
    let device = begin_device(&server);
    assert_eq!(device["interval"], 1);
    let mut errors = Vec::new();
    for _ in 0..3 {
        errors.push(poll(&server, text(&device, "device_code")).error());
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(errors, ["authorization_pending"; 3]);
}

#[test]
fn s26_the_device_learns_that_the_user_denied() {
    let server = server();
    let device = begin_device(&server);
    let (uri, user_code) = (text(&device, "verification_uri"), text(&device, "user_code"));
    server.robot().deny().approve_device(uri, user_code).unwrap();
    let response = poll(&server, text(&device, "device_code"));
    assert_eq!((response.status, response.error().as_str()), (400, "access_denied"));
}

#[test]
fn s26_a_device_code_expires() {
    let server = DevServer::builder().device_code_ttl(Duration::from_millis(1)).start().unwrap();
    let device = begin_device(&server);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(poll(&server, text(&device, "device_code")).error(), "expired_token");
    let (uri, user_code) = (text(&device, "verification_uri"), text(&device, "user_code"));
    assert!(server.robot().approve_device(uri, user_code).is_err());
}

#[test]
fn s26_a_device_code_is_required_and_must_be_known() {
    let server = server();
    let device = begin_device(&server);
    assert_eq!(poll(&server, "").error(), "invalid_request");
    for code in ["x", text(&device, "user_code")] {
        assert_eq!(poll(&server, code).error(), "invalid_grant", "{code}");
    }
}

#[test]
fn s26_a_device_code_belongs_to_its_client() {
    let server = DevServer::builder().client(Client::public("other")).start().unwrap();
    let device = begin_device(&server);
    let code = text(&device, "device_code");
    let form = [("grant_type", DEVICE_CODE), ("client_id", "other"), ("device_code", code)];
    assert_eq!(token(&server, &form).error(), "invalid_grant");
    approved(&server, &device);
}

#[test]
fn s37_a_client_with_a_secret_needs_it_for_both_requests() {
    let server = DevServer::builder().client(Client::confidential("service", "s3cr3t")).start().unwrap();
    let own = [("client_id", "service"), ("client_secret", "s3cr3t")];
    assert_eq!(ask(&server, &own[..1]).error(), "invalid_client");
    let device = ask(&server, &own).json();
    let grant = [("grant_type", DEVICE_CODE), ("device_code", text(&device, "device_code"))];
    assert_eq!(token(&server, &[&own[..1], &grant].concat()).error(), "invalid_client");
    assert_eq!(token(&server, &[&own[..], &grant].concat()).error(), "authorization_pending");
}

#[test]
fn scopes_are_handled_as_in_the_other_grants() {
    let server = server();
    for (scope, granted) in [("", "openid"), ("email", "email"), ("openid admin email", "openid email")] {
        let device = ask(&server, &[("client_id", "demo"), ("scope", scope)]).json();
        let tokens = approved(&server, &device);
        assert_eq!(tokens["scope"], granted, "{scope}");
        assert_eq!(tokens.get("refresh_token"), None, "{scope}");
        assert_eq!(tokens.get("id_token").is_some(), granted.contains("openid"), "{scope}");
    }
}

#[test]
fn s10_a_devices_refresh_token_rotates_and_its_reuse_ends_the_family() {
    let server = server();
    let first = approved(&server, &begin_device(&server));
    let second = refresh(&server, text(&first, "refresh_token")).json();
    assert_eq!(second["scope"], SCOPE);
    assert_eq!(refresh(&server, text(&first, "refresh_token")).error(), "invalid_grant");
    assert!(!is_live(&server, text(&second, "access_token")));
}
