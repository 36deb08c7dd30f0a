//! Proxies that the environment names: what goes through them, what does not, and how one that fails is told.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use hallpass_dev::DevServer;
use hallpass_test::command::visit;

use crate::new_sandbox;
use crate::reverse_proxy::request;

const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// Writes down the first line of each request, and answers all of them with this.
struct Proxy {
    addr: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn that_answers(answer: &'static str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { addr: listener.local_addr().unwrap(), lines: Arc::default() };
        let lines = proxy.lines.clone();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let head = request(&mut client);
                lines.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                let _ = client.write_all(answer.as_bytes()); // the client may be gone
            }
        });
        proxy
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// As a variable names it.
    fn url(&self) -> String {
        format!("http://name:s3cret@{}", self.addr)
    }
}

const NO_ENTRY: &str =
    "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A login at a server that only a proxy could reach.
const LOGIN: [&str; 4] = ["--issuer=https://idp.example", "--client-id=x", "--timeout=15s", "-vv"];

#[test]
fn p56_a_proxy_that_refuses_or_is_gone_is_named_before_the_browser_opens_and_without_its_password() {
    let refusing = Proxy::that_answers(NO_ENTRY);
    let broken = Proxy::that_answers("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (addr, why) in [
        (refusing.addr, "it requires a user name and password, or different ones (407)"),
        (broken.addr, "it responded with 502"),
        (gone, "connection refused"),
    ] {
        for variable in &VARIABLES[..4] {
            let sandbox = new_sandbox();
            let login = sandbox.login(&LOGIN).env(variable, &format!("http://name:s3cret@{addr}")).run();
            login.fails(5, &format!("{addr}: {why}"), "check HTTPS_PROXY and NO_PROXY");
            assert!(
                !login.stderr.contains("s3cret") && sandbox.opened().is_empty(),
                "{variable}: {login:#?}"
            );
        }
    }
    let asked = refusing.lines();
    assert!(
        asked.len() == 4 && asked.iter().all(|line| line == "CONNECT idp.example:443 HTTP/1.1"),
        "{asked:?}"
    );
}

#[test]
fn p56_what_no_proxy_names_and_this_computer_are_reached_directly() {
    let proxy = Proxy::that_answers(NO_ENTRY);
    for names in ["idp.example", ".example", "*", "a.test, idp.example:443"] {
        let call = new_sandbox();
        let login = call.login(&LOGIN).env("HTTPS_PROXY", &proxy.url()).env("no_proxy", names).run();
        login.fails(5, "could not connect to idp.example", "check the URL");
    }
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let url = proxy.url();
    let all = VARIABLES.map(|variable| (variable, url.as_str()));
    sandbox.login_at(&server, &[]).envs(&all).play(|url| visit(&server, url)).0.ok();
    for args in [&["token", "--refresh"][..], &["whoami", "--fresh"], &["status", "--check"], &["logout"]] {
        sandbox.hallpass(args).envs(&all).run().ok();
    }
    assert_eq!(proxy.lines(), [""; 0]);
}
