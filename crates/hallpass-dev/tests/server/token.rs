//! `/token`: methods, client authentication and error codes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_dev::{Client, DevServer};

use crate::support::*;

#[test]
fn s15_a_get_is_not_a_token_request() {
    let server = server();
    let response = get(&format!("{}/token?grant_type=authorization_code", server.issuer()), &[]);
    assert_eq!(response.status, 405);
    assert_eq!(response.header("allow"), Some("POST"));
}

#[test]
fn s12_responses_with_tokens_and_errors_are_not_stored() {
    let server = server();
    let good = redeem(&server, &Authorization::valid().code(&server));
    for response in [good, token(&server, &[])] {
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("pragma"), Some("no-cache"));
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
}

#[test]
fn s13_s34_each_invalid_request_has_its_error() {
    let server = server();
    let faults: &[(Pairs<'_>, u16, &str)] = &[
        (&[], 401, "invalid_client"),
        (&[("client_id", "unknown")], 401, "invalid_client"),
        (&[("client_id", "demo")], 400, "invalid_request"),
        (&[("client_id", "demo"), ("grant_type", "password")], 400, "unsupported_grant_type"),
        (&[("client_id", "demo"), ("grant_type", "client_credentials")], 400, "unsupported_grant_type"),
        (&[("client_id", "demo"), ("grant_type", "authorization_code")], 400, "invalid_request"),
        (
            &[
                ("client_id", "demo"),
                ("grant_type", "authorization_code"),
                ("code", "x"),
                ("code_verifier", VERIFIER),
            ],
            400,
            "invalid_grant",
        ),
        (&[("client_id", "demo"), ("grant_type", "refresh_token")], 400, "invalid_request"),
        (
            &[("client_id", "demo"), ("grant_type", "refresh_token"), ("refresh_token", "x")],
            400,
            "invalid_grant",
        ),
        (&[("client_id", "demo"), ("client_id", "demo")], 400, "invalid_request"),
        (&[("client_id", "demo"), ("client_secret", "guess")], 401, "invalid_client"),
    ];
    for (form, status, error) in faults {
        let response = token(&server, form);
        assert_eq!((response.status, response.error().as_str()), (*status, *error), "{form:?}");
        assert_eq!(response.header("www-authenticate").is_some(), *status == 401, "{form:?}");
    }
}

#[test]
fn a_body_that_is_not_a_form_is_rejected() {
    let server = server();
    let body = r#"{"grant_type":"authorization_code","client_id":"demo"}"#;
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        server.port(),
        body.len()
    );
    let response = raw(&server, &request);
    assert!(response.starts_with("HTTP/1.1 400"));
    assert!(response.contains("invalid_request"));
}

#[test]
fn a_huge_body_is_not_read_to_its_end() {
    let server = server();
    let huge = "x".repeat(100_000);
    assert_eq!(token(&server, &[("client_id", &huge)]).status, 413);
}

fn with_service() -> DevServer {
    let service = Client::confidential("ser:vice", "s3 cr+3t%").redirect_uri("http://127.0.0.1/callback");
    DevServer::builder().client(service).start().unwrap()
}

fn service_code(server: &DevServer) -> String {
    Authorization::valid().with("client_id", "ser:vice").code(server)
}

fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

#[test]
fn s37_a_client_with_a_secret_may_send_it_either_way() {
    let server = with_service();
    let url = format!("{}/token", server.issuer());
    let code = service_code(&server);
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    let header = basic("ser:vice", "s3 cr+3t%");
    assert_eq!(post(&url, &[("Authorization", &header)], &form).status, 200);
    let code = service_code(&server);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
        ("client_id", "ser:vice"),
        ("client_secret", "s3 cr+3t%"),
    ];
    assert_eq!(post(&url, &[], &form).status, 200);
}

#[test]
fn s37_a_missing_wrong_or_repeated_secret_is_rejected() {
    let server = with_service();
    let url = format!("{}/token", server.issuer());
    let (good, bad) = (basic("ser:vice", "s3 cr+3t%"), basic("ser:vice", "wrong"));
    let attempts: &[(Option<&str>, Pairs<'_>, &str)] = &[
        (None, &[("client_id", "ser:vice")], "invalid_client"),
        (None, &[("client_id", "ser:vice"), ("client_secret", "wrong")], "invalid_client"),
        (Some(&bad), &[], "invalid_client"),
        (Some("Basic !!!"), &[], "invalid_client"),
        (Some("Bearer x"), &[("client_id", "ser:vice")], "invalid_client"),
        (Some(&good), &[("client_secret", "s3 cr+3t%")], "invalid_request"),
        (Some(&good), &[("client_id", "demo")], "invalid_request"),
    ];
    for (header, form, error) in attempts {
        let headers: Vec<_> = header.iter().map(|value| ("Authorization", *value)).collect();
        assert_eq!(post(&url, &headers, form).error(), *error, "{form:?}");
    }
}
