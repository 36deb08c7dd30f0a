//! Headers of every answer, and the Host that is answered at all.

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
fn s19_no_answer_can_be_framed_sniffed_cached_or_referred_to() {
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
        let answer = get(&format!("{}{path}", server.issuer()), &[]);
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        for directive in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action "] {
            assert!(policy.contains(directive), "{path}: {directive}");
        }
    }
}

#[test]
fn the_policy_names_the_one_style_sheet_by_its_hash() {
    let server = server();
    let answer = get(server.issuer(), &[]);
    let (_, rest) = answer.body.split_once("<style>").unwrap();
    let style = rest.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, style.as_bytes()));
    assert!(
        answer.header("content-security-policy").unwrap().contains(&format!("style-src 'sha256-{hash}'"))
    );
    assert!(
        !answer.body.contains("style=") && !answer.body.contains("<script") && !answer.body.contains("src=")
    );
}

#[test]
fn pages_with_a_form_let_it_lead_back_to_the_client() {
    let server = server();
    let started = Authorization::good().get(&server);
    let page = format!("{}{}", server.issuer(), started.header("location").unwrap());
    let page = get(&page, &[("Cookie", &started.cookie().unwrap())]);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:50123 https:;"), "{policy}");
}

#[test]
fn an_address_without_anything_says_so_on_a_page() {
    let server = server();
    let answer = get(&format!("{}/nothing", server.issuer()), &[]);
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("Not found"));
}
