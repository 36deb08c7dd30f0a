//! Starting and stopping.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;

use hallpass_dev::{Client, DevServer};

use crate::support::*;

#[test]
fn a_stopped_server_frees_its_port_although_a_client_holds_a_connection() {
    let server = server();
    let port = server.port();
    let held = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.stop();
    assert_eq!(TcpStream::connect(("127.0.0.1", port)).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    drop(held);
    let again = DevServer::builder().port(port).start().unwrap();
    assert_eq!(again.port(), port);
}

#[test]
fn a_taken_port_is_an_error_of_start() {
    let server = server();
    let second = DevServer::builder().port(server.port()).start();
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_stopper_ends_the_wait_of_another_thread() {
    let server = server();
    let stopper = server.stopper();
    let waiting = thread::spawn(move || server.wait());
    stopper.stop();
    stopper.clone().stop();
    waiting.join().unwrap();
}

#[test]
fn it_can_be_used_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(server()) });
}

#[test]
fn an_invalid_client_id_is_an_error_of_start() {
    for id in ["", "a b", "ä"] {
        let client = Client::public(id).redirect_uri("http://127.0.0.1/cb");
        let started = DevServer::builder().client(client).start();
        assert_eq!(started.unwrap_err().kind(), ErrorKind::InvalidInput, "{id:?}");
    }
}

#[test]
fn an_invalid_redirect_uri_is_an_error_of_start_that_lists_the_allowed_ones() {
    for uri in ["http://127.1/cb", "http://tool.example/cb", "http://127.0.0.1/cb#x", "mytool:/cb", "/cb"] {
        let client = Client::public("a").redirect_uri("http://127.0.0.1/cb").redirect_uri(uri);
        let error = DevServer::builder().client(client).start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
        let text = error.to_string();
        assert!(text.contains(&format!("redirect URI \"{uri}\" cannot be registered")), "{text}");
        assert!(text.contains("http://[::1]") && text.contains("https://") && !text.contains('\n'), "{text}");
    }
}

#[test]
fn every_redirect_uri_that_can_be_registered_receives_a_code() {
    for uri in [
        "http://127.0.0.1:7777/cb",
        "http://[::1]/cb",
        "http://localhost:9999/cb",
        "https://tool.example/cb?x=1",
        "com.example.tool:/cb",
    ] {
        let client = Client::public("a").redirect_uri(uri);
        let server = DevServer::builder().client(client).start().unwrap();
        Authorization::valid().with("client_id", "a").with("redirect_uri", uri).code(&server);
    }
}

#[test]
fn settings_replace_the_defaults() {
    let demo = Client::public("demo").redirect_uri("http://127.0.0.1/other");
    let server = DevServer::builder().user("ada@example.com", "x").client(demo).start().unwrap();
    assert_eq!(Authorization::valid().get(&server).status, 400);
    let error = server.robot().as_user("test@example.com", "password");
    let url = Authorization::valid().with("redirect_uri", "http://127.0.0.1/other").url(&server);
    assert_eq!(error.visit(&url).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn two_servers_do_not_overwrite_each_others_cookies() {
    let (one, two) = (server(), server());
    let name = |server: &DevServer| {
        let cookie = Authorization::valid().get(server).cookie().unwrap();
        cookie.split_once('=').unwrap().0.to_owned()
    };
    assert_ne!(name(&one), name(&two));
}
