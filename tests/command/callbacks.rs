//! Requests to the callback port, and when the command closes it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;
use hallpass_test::command::{param, visit};
use url::{Position, Url};

use crate::new_sandbox;

/// A browser that has asked for the callback, and was not read from yet.
fn asking(server: &DevServer, url: &str) -> TcpStream {
    let landed = server.robot().without_landing().visit(url).unwrap().landed;
    let landed = Url::parse(landed.as_str()).unwrap();
    let mut stream = TcpStream::connect(landed.authority()).unwrap();
    let (target, authority) = (&landed[Position::BeforePath..], landed.authority());
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: keep-alive\r\n\r\n").unwrap();
    stream
}

fn content_length(head: &str) -> usize {
    head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap()
}

#[test]
fn p10_a_slow_reader_who_never_closes_delays_nobody_and_gets_the_whole_page() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let (login, (mut stream, begun)) =
        sandbox.login_at(&server, &[]).play(|url| (asking(&server, url), Instant::now()));
    let (login, took) = (login.ok(), begun.elapsed());
    assert!(took < Duration::from_secs(2), "{took:?}: {login:#?}");
    let (mut page, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).unwrap() == 1 {
        page.push(byte[0]);
        // A page of some thousand bytes, a hundredth of a second for each of the first ones.
        if page.len() < 200 {
            thread::sleep(Duration::from_millis(10));
        }
    }
    let page = String::from_utf8(page).unwrap();
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    assert_eq!(content_length(head), body.len());
    assert!(head.starts_with("HTTP/1.1 200") && body.trim_end().ends_with("</html>"), "{page}");
}

#[test]
fn p01_twenty_logins_at_once_have_a_port_each_and_all_succeed() {
    const LOGINS: usize = 20;
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let logins: Vec<_> = (0..LOGINS).map(|_| sandbox.login_at(&server, &["--force"]).start()).collect();
    let urls = thread::scope(|scope| {
        let mut urls: Vec<String> = Vec::new();
        let limit = Instant::now() + Duration::from_secs(20);
        while urls.len() < LOGINS && Instant::now() < limit {
            for url in &sandbox.opened()[urls.len()..] {
                urls.push(url.clone());
                let (server, url) = (&server, url.clone());
                scope.spawn(move || assert_eq!(visit(server, &url).status, 200));
            }
            thread::sleep(Duration::from_millis(5));
        }
        urls
    });
    for login in logins {
        login.finish().ok();
    }
    let ports: std::collections::BTreeSet<_> = urls.iter().map(|url| param(url, "redirect_uri")).collect();
    assert_eq!(urls.len(), LOGINS);
    assert!(ports.len() > 1, "a port is free again once its login is done: {ports:?}");
    sandbox.run(&["token", "--refresh"]).ok();
}
