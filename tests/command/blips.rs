//! A response that says nothing about the session, from a busy server to a captive portal, does not end it: the record
//! stays byte for byte, a token that still works is printed, the message says to try again, and trying again works.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::Outcome;

use crate::reverse_proxy::{self, ProxiedSetup, ReverseProxy};

/// How a connection ends, and what that is called.
type End = (&'static str, fn(&mut TcpStream));

impl ProxiedSetup {
    /// While it lasts nothing is lost, and afterwards everything works.
    fn survives(&self, name: &str) {
        self.sandbox.let_expire_in("default", 0);
        self.changes_nothing(name, |dead| {
            assert_eq!((dead.code, dead.stdout.as_str()), (5, ""), "{name}: {dead:#?}");
            assert!(!dead.stderr.contains("hallpass login"), "{name}: {dead:#?}");
        });
        self.sandbox.let_expire_in("default", 20);
        let stored = self.sandbox.record("default")["secret"]["access_tokens"][0].clone();
        self.changes_nothing(name, |alive| {
            assert_eq!(
                (alive.code, alive.stdout.trim_end()),
                (0, stored.as_str().unwrap()),
                "{name}: {alive:#?}"
            );
            assert!(alive.stderr.contains("Note: "), "{name}: {alive:#?}");
        });
        self.proxy.forward_again();
        self.use_endpoint(&self.proxy.url("/token"));
        let renewed = self.sandbox.run(&["token"]);
        assert_eq!(renewed.code, 0, "{name}: {renewed:#?}");
        assert_ne!(renewed.value(), stored, "{name}");
    }

    fn changes_nothing(&self, name: &str, judge: impl Fn(&Outcome)) {
        let before = self.sandbox.record_bytes("default");
        judge(&self.sandbox.run(&["token"]));
        assert!(self.sandbox.record_bytes("default") == before, "{name}");
    }
}

/// An answer of this status with these headers and this body.
fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into()
}

fn json(status: &str, body: &str) -> Vec<u8> {
    http(status, "Content-Type: application/json\r\nCache-Control: no-store\r\n", body)
}

fn html(status: &str, body: &str) -> Vec<u8> {
    http(status, "Content-Type: text/html; charset=utf-8\r\n", &format!("<!doctype html><h1>{body}</h1>"))
}

/// Answers in whole, none of which is `invalid_grant` by the token endpoint.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("invalid_request", json("400 Bad Request", r#"{"error":"invalid_request"}"#)),
        ("400 invalid_client", json("400 Bad Request", r#"{"error":"invalid_client"}"#)),
        ("401 invalid_client", json("401 Unauthorized", r#"{"error":"invalid_client"}"#)),
        ("unauthorized_client", json("400 Bad Request", r#"{"error":"unauthorized_client"}"#)),
        ("unsupported_grant_type", json("400 Bad Request", r#"{"error":"unsupported_grant_type"}"#)),
        ("invalid_scope", json("400 Bad Request", r#"{"error":"invalid_scope"}"#)),
        ("invalid_target", json("400 Bad Request", r#"{"error":"invalid_target"}"#)),
        ("access_denied", json("400 Bad Request", r#"{"error":"access_denied"}"#)),
        ("an error of the server's own", json("400 Bad Request", r#"{"error":"interaction_required"}"#)),
        (
            "a word in the description",
            json("400 Bad Request", r#"{"error":"x","error_description":"invalid_grant"}"#),
        ),
        ("another spelling", json("400 Bad Request", r#"{"error":"INVALID_GRANT"}"#)),
        ("the word in an object", json("400 Bad Request", r#"{"error":{"code":"invalid_grant"}}"#)),
        ("the word in a list", json("400 Bad Request", r#"["invalid_grant"]"#)),
        ("the word in another member", json("400 Bad Request", r#"{"message":"invalid_grant"}"#)),
        ("the word on a page", html("400 Bad Request", "invalid_grant")),
        ("400 and nothing", http("400 Bad Request", "", "")),
        ("401 of a gateway", html("401 Unauthorized", "Who are you?")),
        ("403 of a firewall", html("403 Forbidden", "Blocked by policy")),
        ("404", html("404 Not Found", "Not Found")),
        ("405", http("405 Method Not Allowed", "Allow: GET\r\n", "")),
        ("407", http("407 Proxy Authentication Required", "Proxy-Authenticate: Basic\r\n", "")),
        ("408", http("408 Request Timeout", "", "")),
        ("413", html("413 Content Too Large", "Too large")),
        ("425", http("425 Too Early", "", "")),
        ("429", json("429 Too Many Requests", r#"{"error":"slow_down"}"#)),
        ("451", html("451 Unavailable For Legal Reasons", "No")),
        ("500", html("500 Internal Server Error", "Oops")),
        ("500 in JSON", json("500 Internal Server Error", r#"{"error":"server_error"}"#)),
        ("501", http("501 Not Implemented", "", "")),
        ("502", html("502 Bad Gateway", "Bad Gateway")),
        ("503", json("503 Service Unavailable", r#"{"error":"temporarily_unavailable"}"#)),
        ("504", html("504 Gateway Timeout", "Gateway Timeout")),
        ("520", html("520 Unknown Error", "The origin said something odd")),
        ("a portal's page", html("200 OK", "Welcome to our hotel")),
        ("a redirect to it", http("302 Found", "Location: http://portal.example/\r\n", "")),
        (
            "a permanent redirect",
            http("308 Permanent Redirect", "Location: http://127.0.0.1:1/token\r\n", ""),
        ),
        ("an empty 200", http("200 OK", "", "")),
        ("204", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_vec()),
        ("null", json("200 OK", "null")),
        ("no access token", json("200 OK", r#"{"token_type":"Bearer","refresh_token":"y"}"#)),
        ("a token that is empty", json("200 OK", r#"{"access_token":"","token_type":"Bearer"}"#)),
        ("another kind of token", json("200 OK", r#"{"access_token":"x","token_type":"mac"}"#)),
        ("JSON that ends early", json("200 OK", r#"{"access_token":"x","token_ty"#)),
        ("an error in 200", json("200 OK", r#"{"error":"temporarily_unavailable"}"#)),
        ("gzip that is none", http("200 OK", "Content-Encoding: gzip\r\n", "\u{1f}not gzip at all")),
        ("less than announced", {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n";
            [head, r#"{"access_token":"x","#].concat().into()
        }),
        (
            "a chunk that breaks off",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"acc".to_vec(),
        ),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
    ]
}

#[test]
fn p31_no_answer_but_invalid_grant_costs_a_sign_in() {
    let site = ProxiedSetup::new();
    for (name, answer) in answers() {
        site.proxy.handle_with(move |client| {
            reverse_proxy::request(client);
            let _ = client.write_all(&answer);
        });
        site.survives(name);
    }
}

/// Reads a part of the request at most: what stays unread makes a reset of the end.
fn leave_unread(client: &mut TcpStream) {
    use std::io::Read;
    let _ = client.read(&mut [0; 8]);
}

#[test]
fn p31_no_connection_that_ends_costs_a_sign_in() {
    let ends: [End; 3] = [
        ("closed before the request", |_| ()),
        ("reset in the request", leave_unread),
        ("closed after the request", |client| drop(reverse_proxy::request(client))),
    ];
    let site = ProxiedSetup::new();
    for (name, end) in ends {
        site.proxy.handle_with(end);
        site.survives(name);
    }
}

#[test]
fn p31_no_failure_of_tls_costs_a_sign_in() {
    const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40]; // RFC 8446 §6: fatal, handshake_failure
    let hellos: [End; 3] = [
        ("no TLS at all", |client| drop(client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"))),
        ("a handshake that fails", |client| drop(client.write_all(ALERT))),
        ("a handshake that breaks off", leave_unread),
    ];
    let site = ProxiedSetup::new();
    for (name, hello) in hellos {
        site.proxy.handle_with(hello);
        site.use_endpoint(&site.proxy.url("/token").replace("http:", "https:"));
        site.survives(name);
    }
}

#[test]
fn p31_no_host_that_cannot_be_found_or_reached_costs_a_sign_in() {
    let nobody = format!("http://127.0.0.1:{}/token", hallpass_test::ports::free_port());
    let site = ProxiedSetup::new();
    for (name, url) in [("an unknown name", "https://login.invalid/token"), ("nobody listens", &nobody)] {
        site.use_endpoint(url);
        site.survives(name);
    }
}

#[test]
fn p32_a_server_that_asks_to_wait_is_left_alone_by_every_process_until_then() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let site = ProxiedSetup::new();
        site.sandbox.let_expire_in("default", 0);
        let busy = http(status, "Retry-After: 2\r\n", "");
        site.proxy.handle_with(move |client| {
            reverse_proxy::request(client);
            let _ = client.write_all(&busy);
        });
        site.sandbox.run(&["token"]).fails(5, &status[..3], "try again in 2s");
        let asked = site.proxy.connections();
        for _ in 0..5 {
            let paused = site.sandbox.run(&["token", "--refresh"]);
            assert_eq!((paused.code, paused.stdout.as_str()), (5, ""), "{paused:#?}");
        }
        assert_eq!(site.proxy.connections(), asked, "{status}: asked in the time of rest");
        site.proxy.forward_again();
        thread::sleep(Duration::from_secs(2));
        site.sandbox.value(&["token"]);
    }
}

/// Hands every request on, and the first answer to nobody.
fn loses_one_answer(proxy: &ReverseProxy) {
    let (forwarder, lost) = (proxy.forwarder(), AtomicBool::new(false));
    proxy.handle_with(move |client| {
        let answer = forwarder.forward(client);
        if lost.swap(true, Ordering::SeqCst) {
            let _ = client.write_all(&answer);
        }
    });
}

#[test]
fn p30_an_answer_that_was_lost_is_asked_for_again_at_once() {
    let grace = Duration::from_secs(30);
    let site = ProxiedSetup::at(DevServer::builder().refresh_reuse_grace(grace).start().unwrap());
    loses_one_answer(&site.proxy);
    site.sandbox.value(&["token", "--refresh"]);
    assert_eq!(site.refreshes(), 2);
    site.sandbox.value(&["token", "--refresh"]);
    assert_eq!(site.refreshes(), 3);
}

#[test]
fn p30_a_server_without_grace_for_a_lost_answer_ends_the_session_and_nothing_else() {
    let site = ProxiedSetup::new();
    loses_one_answer(&site.proxy);
    for _ in 0..3 {
        site.sandbox.run(&["token", "--refresh"]).fails(4, "invalid_grant", "hallpass login");
    }
    assert_eq!(site.refreshes(), 2);
    site.sandbox.run(&["whoami"]).ok();
    site.sandbox.sign_in(&site.server, &[]);
    site.sandbox.value(&["token", "--refresh"]);
}
