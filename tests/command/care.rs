//! What a person would otherwise lose without a word: a token that was spent, an answer that was not written, the
//! other profiles.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use rustix::process::Signal;

use crate::bench::{Bench, visit};

fn server() -> DevServer {
    DevServer::start().unwrap()
}

/// Stands before a server, one request for each connection, and hands each answer on a second late.
fn slow_front(port: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || hand_on(stream, &front.to_string(), port));
        }
    });
    format!("http://{front}")
}

fn hand_on(mut client: TcpStream, front: &str, port: u16) {
    let request = request(&mut client).replace(front, &format!("127.0.0.1:{port}"));
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    thread::sleep(Duration::from_secs(1));
    let _ = client.write_all(&answer);
}

/// Head and form, which may come in two pieces.
fn request(client: &mut TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    while !text.contains("\r\n\r\n") || !text.contains("client_id=") {
        match client.read(&mut piece) {
            Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&piece[..count])),
            _ => break,
        }
    }
    text
}

#[test]
fn p30_a_signal_during_a_refresh_waits_until_the_new_token_is_saved() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (bench, server) = (Bench::new(), server());
        bench.sign_in(&server, &[]);
        let front = slow_front(server.port());
        bench.edit("default", |record| record["endpoints"]["token"] = format!("{front}/token").into());
        let before = bench.record("default")["secret"]["refresh_token"].clone();
        let token = bench.hallpass(&["token", "--refresh"]).start();
        let has_arrived = |_: &u32| server.journal().count("/token") == 2;
        let pause = || thread::sleep(Duration::from_millis(10));
        assert!((0..500).inspect(|_| pause()).any(|round| has_arrived(&round)), "no refresh was sent");
        token.signal(signal);
        assert_eq!(token.finish().code, code);
        assert_ne!(bench.record("default")["secret"]["refresh_token"], before);
        bench.value(&["token", "--refresh"]);
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &[]);
    for args in [&["token"][..], &["status", "--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = bench.hallpass(args).into_command().stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("could not be written"), "{stderr}");
    }
}

#[test]
fn p70_a_profile_that_cannot_be_erased_keeps_no_other_signed_in() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &[]);
    fs::create_dir(bench.record_file("a")).unwrap();
    let logout = bench.run(&["logout", "--all"]);
    assert_eq!(logout.code, 8, "{logout:#?}");
    assert!(!bench.record_file("default").exists(), "{logout:#?}");
    assert_eq!(server.journal().count("/revoke"), 2);
}

#[test]
fn a_mistake_in_a_settings_file_is_told_and_keeps_nothing_from_being_renewed_or_revoked() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &[]);
    fs::write(bench.config_dir().join("config.toml"), "isuer = \"x\"").unwrap();
    let token = bench.run(&["token", "--refresh"]).ok();
    assert!(token.stderr.contains("Note: ") && token.stderr.contains("isuer"), "{token:#?}");
    bench.run(&["logout"]).ok();
    assert_eq!(server.journal().count("/revoke"), 2);
}

#[test]
fn a_token_from_outside_with_a_line_end_is_refused() {
    let bench = Bench::new();
    let token = bench.hallpass(&["token", "--header"]).env("HALLPASS_ACCESS_TOKEN", "a\r\nX-Evil: 1").run();
    token.fails(2, "HALLPASS_ACCESS_TOKEN", "line end");
}

#[test]
fn p68_the_hint_names_the_profile_that_was_meant() {
    let bench = Bench::new();
    bench.run(&["token", "--profile", "work"]).fails(4, "not signed in", "hallpass login --profile work");
    let named = bench.hallpass(&["token"]).env("HALLPASS_PROFILE", "work").run();
    named.fails(4, "not signed in", "hallpass login --profile work");
}

#[test]
fn if_needed_goes_by_the_scopes_that_were_named() {
    let (bench, server) = (Bench::new(), server());
    bench.sign_in(&server, &["--scope", "openid"]);
    bench.run(&["login", "--if-needed", "--scope", "openid"]).ok();
    assert_eq!(server.journal().count("/token"), 1);
    let (login, _) =
        bench.login_at(&server, &["--if-needed", "--scope", "openid email"]).play(|url| visit(&server, url));
    login.ok();
    assert_eq!(server.journal().count("/token"), 2);
}
