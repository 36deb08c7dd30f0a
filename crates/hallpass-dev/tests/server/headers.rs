//! The headers of all responses, and the accepted `Host`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

#[test]
fn s36_a_request_for_another_host_is_misdirected() {
    let server = server();
    let port = server.port();
    for host in [
        "evil.test".to_owned(),
        format!("evil.test:{port}"),
        format!("localhost:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{port}.evil.test"),
        format!("127.1:{port}"),
        "127.0.0.1:1".to_owned(),
        String::new(),
    ] {
        let request = format!("GET /jwks HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert!(raw(&server, &request).starts_with("HTTP/1.1 421"), "{host}");
    }
    let two = format!(
        "GET /jwks HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
    );
    assert!(!raw(&server, &two).starts_with("HTTP/1.1 200"));
    let none = "GET /jwks HTTP/1.0\r\n\r\n";
    assert!(raw(&server, none).contains(" 421 "));
    let absolute =
        format!("GET http://evil.test/jwks HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    assert!(raw(&server, &absolute).contains(" 421 "));
}

#[test]
fn s19_no_response_can_be_framed_sniffed_cached_or_named_as_referrer() {
    let server = server();
    for path in [
        "/",
        "/nothing",
        "/authorize",
        "/login",
        "/consent",
        "/device",
        "/device/allowed",
        "/device/denied",
        "/device_authorization",
        "/jwks",
        "/token",
        "/userinfo",
    ] {
        let response = get(&format!("{}{path}", server.issuer()), &[]);
        assert_eq!(response.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        let policy = response.header("content-security-policy").unwrap();
        for directive in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action "] {
            assert!(policy.contains(directive), "{path}: {directive}");
        }
    }
}

#[test]
fn the_policy_names_the_one_style_sheet_by_its_hash() {
    let server = server();
    let response = get(server.issuer(), &[]);
    let (_, rest) = response.body.split_once("<style>").unwrap();
    let style = rest.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, style.as_bytes()));
    assert!(
        response.header("content-security-policy").unwrap().contains(&format!("style-src 'sha256-{hash}'"))
    );
    assert!(
        !response.body.contains("style=")
            && !response.body.contains("<script")
            && !response.body.contains("src=")
    );
}

#[test]
fn forms_may_lead_to_the_redirect_uri() {
    let server = server();
    let started = Authorization::valid().get(&server);
    let page = format!("{}{}", server.issuer(), started.header("location").unwrap());
    let page = get(&page, &[("Cookie", &started.cookie().unwrap())]);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:50123 https:;"), "{policy}");
}

#[test]
fn an_unknown_url_has_an_error_page() {
    let server = server();
    let response = get(&format!("{}/nothing", server.issuer()), &[]);
    assert_eq!(response.status, 404);
    assert!(response.body.contains("Not found"));
}
