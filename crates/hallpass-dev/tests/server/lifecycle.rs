//! Starting, stopping, waiting.

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
fn it_may_be_used_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(server()) });
}

#[test]
fn a_client_that_cannot_be_registered_is_an_error_of_start() {
    for client in [
        Client::public("").redirect_uri("http://127.0.0.1/cb"),
        Client::public("a b").redirect_uri("http://127.0.0.1/cb"),
        Client::public("a").redirect_uri("/cb"),
        Client::public("a").redirect_uri("http://127.0.0.1/cb#x"),
        Client::public("a").redirect_uri("javascript:alert(1)"),
    ] {
        let started = DevServer::builder().client(client).start();
        assert_eq!(started.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn own_settings_replace_the_defaults() {
    let demo = Client::public("demo").redirect_uri("http://127.0.0.1/other");
    let server = DevServer::builder().user("ada@example.com", "x").client(demo).start().unwrap();
    assert_eq!(Authorization::good().get(&server).status, 400);
    let error = server.robot().as_user("test@example.com", "password");
    let url = Authorization::good().with("redirect_uri", "http://127.0.0.1/other").url(&server);
    assert_eq!(error.visit(&url).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn two_servers_do_not_overwrite_each_others_cookies() {
    let (one, two) = (server(), server());
    let name = |server: &DevServer| {
        let cookie = Authorization::good().get(server).cookie().unwrap();
        cookie.split_once('=').unwrap().0.to_owned()
    };
    assert_ne!(name(&one), name(&two));
}
