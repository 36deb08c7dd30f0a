//! The journal and the log callback.

use std::sync::{Arc, Mutex};

use hallpass_dev::DevServer;

use crate::support::*;

#[test]
fn the_journal_keeps_requests_in_order_with_their_parameters() {
    let server = server();
    let code = Authorization::valid().code(&server);
    server.journal().clear();
    redeem(&server, &code);
    let journal = server.journal();
    assert_eq!(journal.count("/token"), 1);
    let entry = &journal.requests_to("/token")[0];
    assert_eq!((entry.method.as_str(), entry.status), ("POST", Some(200)));
    assert_eq!(entry.param("code"), Some(code.as_str()));
    assert_eq!(entry.param("code_verifier"), Some(VERIFIER));
    assert_eq!(entry.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(entry.host.as_deref(), server.issuer().strip_prefix("http://"));
    assert!(!entry.has_authorization);
}

#[test]
fn requests_on_one_connection_share_its_number() {
    let server = server();
    let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
    for _ in 0..3 {
        agent.get(format!("{}/jwks", server.issuer())).call().unwrap().body_mut().read_to_string().unwrap();
    }
    assert_eq!(server.journal().connections(), 1);
    get(&format!("{}/jwks", server.issuer()), &[]);
    assert_eq!(server.journal().connections(), 2);
}

#[test]
fn rejected_requests_are_in_the_journal_too() {
    let server = server();
    raw(&server, "GET /jwks HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    let entries = server.journal().entries();
    assert_eq!((entries[0].path.as_str(), entries[0].status), ("/jwks", Some(421)));
}

#[test]
fn debug_prints_names_and_no_values() {
    let server = server();
    let tokens = sign_in(&server);
    let code = server.journal().requests_to("/token")[0].param("code").unwrap().to_owned();
    let printed = format!("{:?} {server:?}", server.journal());
    assert!(printed.contains("code_verifier"));
    for secret in [code.as_str(), VERIFIER, text(&tokens, "access_token"), "password\")", "test@example.com"]
    {
        assert!(!printed.contains(secret), "{secret}");
    }
}

#[test]
fn a_log_line_names_the_client_and_no_value() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let written = lines.clone();
    let callback = move |event: &hallpass_dev::Event| written.lock().unwrap().push(event.to_string());
    let server = DevServer::builder().on_event(Box::new(callback)).start().unwrap();
    redeem(&server, &Authorization::valid().code(&server));
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "GET /authorize demo → 303",
            "GET /login demo → 200",
            "POST /login demo → 303",
            "GET /consent demo → 200",
            "POST /consent demo → 303",
            "POST /token demo → 200",
        ]
    );
}

#[test]
fn the_sign_in_of_a_device_is_in_the_journal_and_in_the_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let written = lines.clone();
    let callback = move |event: &hallpass_dev::Event| written.lock().unwrap().push(event.to_string());
    let server = DevServer::builder().on_event(Box::new(callback)).start().unwrap();
    let device = begin_device(&server);
    server.robot().approve_device(text(&device, "verification_uri"), text(&device, "user_code")).unwrap();
    poll(&server, text(&device, "device_code"));
    let expected = [
        "POST /device_authorization demo → 200",
        "GET /device → 200",
        "POST /device demo → 303",
        "GET /login demo → 200",
        "POST /login demo → 303",
        "GET /consent demo → 200",
        "POST /consent demo → 303",
        "GET /device/allowed → 200",
        "POST /token demo → 200",
    ];
    assert_eq!(*lines.lock().unwrap(), expected);
    let journal = server.journal();
    assert_eq!(journal.requests_to("/device_authorization")[0].param("scope"), Some(SCOPE));
    assert_eq!(journal.requests_to("/device")[1].param("user_code"), device["user_code"].as_str());
    let printed = format!("{journal:?}");
    for secret in ["device_code", "user_code"] {
        assert!(printed.contains(secret) && !printed.contains(text(&device, secret)), "{secret}");
    }
}

#[test]
fn an_unregistered_client_id_is_not_logged() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let written = lines.clone();
    let callback = move |event: &hallpass_dev::Event| written.lock().unwrap().push(event.to_string());
    let server = DevServer::builder().on_event(Box::new(callback)).start().unwrap();
    Authorization::valid().with("client_id", "\u{1b}[31mfake").get(&server);
    assert_eq!(*lines.lock().unwrap(), ["GET /authorize → 400"]);
}
