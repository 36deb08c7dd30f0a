//! The robot user.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use hallpass_dev::DevServer;

use crate::support::*;

/// Starts a client that responds to one request. Returns its redirect URI and the first line of the request.
fn client() -> (String, thread::JoinHandle<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/callback", socket.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = socket.accept().unwrap();
        let mut head = [0; 4096];
        let length = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nlanded").unwrap();
        String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned()
    });
    (uri, asked)
}

#[test]
fn a_visit_ends_at_the_clients_listener() {
    let server = server();
    let (uri, asked) = client();
    let visit = server.visit(&Authorization::valid().with("redirect_uri", &uri).url(&server)).unwrap();
    assert_eq!((visit.status, visit.body.as_str()), (200, "landed"));
    assert!(visit.landed.as_str().starts_with(&uri));
    assert!(asked.join().unwrap().starts_with("GET /callback?code="));
    assert!(!format!("{visit:?}").contains(&visit.param("code").unwrap()));
}

#[test]
fn the_opener_can_stand_in_for_a_browser() {
    fn open_on_a_thread(
        open: impl Fn(&str) -> std::io::Result<()> + Send + Sync + Clone + 'static,
        url: String,
    ) {
        thread::spawn(move || open(&url)).join().unwrap().unwrap();
    }
    let server = server();
    let (uri, asked) = client();
    open_on_a_thread(server.robot().opener(), Authorization::valid().with("redirect_uri", &uri).url(&server));
    assert!(asked.join().unwrap().contains("code="));
}

#[test]
fn the_robot_can_sign_in_as_another_user() {
    let server = DevServer::builder()
        .user("test@example.com", "password")
        .user("ada.lovelace@example.com", "eng&ine+")
        .start()
        .unwrap();
    let robot = server.robot().as_user("ada.lovelace@example.com", "eng&ine+").without_landing();
    let visit = robot.visit(&Authorization::valid().url(&server)).unwrap();
    let tokens = redeem(&server, &visit.param("code").unwrap()).json();
    assert_eq!(userinfo(&server, text(&tokens, "access_token")).json()["name"], "Ada Lovelace");
}

#[test]
fn a_wrong_password_is_an_error_and_not_a_loop() {
    let server = server();
    let robot = server.robot().as_user("test@example.com", "wrong");
    let error = robot.visit(&Authorization::valid().url(&server)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(server.journal().count("/login"), 3);
}

#[test]
fn an_error_page_is_an_error_with_its_title() {
    let server = server();
    let error = server.visit(&Authorization::valid().with("client_id", "unknown").url(&server)).unwrap_err();
    assert_eq!(error.to_string(), "the visit ended at /authorize with 400: Unknown client");
}

#[test]
fn a_client_that_is_gone_is_a_refused_connection() {
    let server = server();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let request = Authorization::valid().with("redirect_uri", &format!("http://{gone}/callback"));
    let error = server.visit(&request.url(&server)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_device_is_signed_in_at_both_verification_uris() {
    let server = server();
    for uri in ["verification_uri", "verification_uri_complete"] {
        let device = begin_device(&server);
        let visit = server.robot().approve_device(text(&device, uri), text(&device, "user_code")).unwrap();
        assert_eq!((visit.landed.path(), visit.status), ("/device/allowed", 200), "{uri}");
        assert!(visit.body.contains("go back to your terminal"));
        assert_eq!(poll(&server, text(&device, "device_code")).status, 200, "{uri}");
    }
}

#[test]
fn a_device_can_be_denied_or_signed_in_by_another_user() {
    let server =
        DevServer::builder().user("test@example.com", "x").user("ada@example.com", "y").start().unwrap();
    let (denied, allowed) = (begin_device(&server), begin_device(&server));
    let go = |robot: hallpass_dev::Robot, device: &serde_json::Value| {
        robot.approve_device(text(device, "verification_uri"), text(device, "user_code")).unwrap()
    };
    assert_eq!(go(server.robot().deny(), &denied).landed.path(), "/device/denied");
    assert_eq!(poll(&server, text(&denied, "device_code")).error(), "access_denied");
    go(server.robot().as_user("ada@example.com", "y"), &allowed);
    let tokens = poll(&server, text(&allowed, "device_code")).json();
    assert_eq!(userinfo(&server, text(&tokens, "access_token")).json()["email"], "ada@example.com");
}

#[test]
fn the_opener_signs_in_a_device() {
    let server = server();
    let device = begin_device(&server);
    server.robot().opener()(text(&device, "verification_uri_complete")).unwrap();
    assert_eq!(poll(&server, text(&device, "device_code")).status, 200);
}

#[test]
fn s28_a_page_with_the_code_of_another_device_is_not_confirmed() {
    let server = server();
    let (mine, other) = (begin_device(&server), begin_device(&server));
    let link = text(&other, "verification_uri_complete");
    let error = server.robot().approve_device(link, text(&mine, "user_code")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(poll(&server, text(&other, "device_code")).error(), "authorization_pending");
}

#[test]
fn an_unknown_code_is_an_error_with_the_alert_of_the_page() {
    let server = server();
    let uri = format!("{}/device", server.issuer());
    let error = server.robot().approve_device(&uri, "BBBB-BBBB").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("at /device: No device is waiting"), "{error}");
}

#[test]
fn each_visit_is_a_browser_of_its_own() {
    let server = server();
    let robot = server.robot().without_landing();
    for _ in 0..2 {
        let visit = robot.visit(&Authorization::valid().url(&server)).unwrap();
        assert!(visit.steps.iter().any(|step| step.path == "/login"));
    }
}
