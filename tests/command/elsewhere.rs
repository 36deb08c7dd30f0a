//! The browser is on another computer than the command: two networks, and the callback's port is in the wrong one.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use hallpass_dev::{Client, DevServer};
use hallpass_test::command::{CLIENT, CommandSandbox, Outcome, browse, callback, param};
use hallpass_test::ports::free_port;
use serde_json::Value;

use crate::networks::{Network, apart};
use crate::new_sandbox;

/// Far more than a code needs, and than some proxies take.
const LONG: usize = 16 * 1024;

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The person's computer is the network of the test, with the server in it; the command's is another one, from which the
/// server can be reached and nothing else.
struct Afar {
    sandbox: CommandSandbox,
    server: DevServer,
    network: Network,
}

impl Afar {
    fn new() -> Afar {
        let server = DevServer::builder().device_interval(Duration::from_secs(1)).start().unwrap();
        Afar::at(server, Network::new())
    }

    fn at(server: DevServer, network: Network) -> Afar {
        network.forward(local(server.port()), &Network::here(), local(server.port()));
        Afar { sandbox: new_sandbox(), server, network }
    }

    fn args<'a>(&'a self, browser: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        [&["login", browser, "--issuer", self.server.issuer(), "--client-id", CLIENT], args].concat()
    }

    /// The URL on which the user's browser ends, without a connection.
    fn landed(&self, url: &str) -> String {
        let landed = self.server.robot().without_landing().visit(url).unwrap().landed.to_string();
        assert!(browse(&landed).is_err(), "the callback's port is in another network");
        landed
    }

    /// A login that is told what the person makes of the address that they were given.
    fn pasted(&self, args: &[&str], person: impl FnOnce(&str) -> Vec<String>) -> Outcome {
        let browser = format!("--browser={}", self.sandbox.browser());
        let args = self.args(&browser, &[&["--paste"], args].concat());
        let (input, mut paste) = std::io::pipe().unwrap();
        let mut login = self.network.hallpass(&self.sandbox, &args).start_reading(input);
        for text in person(&login.url()) {
            writeln!(paste, "{text}").unwrap();
        }
        login.finish()
    }
}

fn query(landed: &str) -> String {
    landed.split_once('?').unwrap().1.to_owned()
}

fn code(landed: &str) -> String {
    param(landed, "code").unwrap()
}

#[test]
fn p16_a_browser_in_another_network_finishes_by_paste() {
    apart("elsewhere::p16_a_browser_in_another_network_finishes_by_paste", || {
        for copied in [|landed: &str| landed.to_owned(), query] {
            let afar = Afar::new();
            afar.pasted(&[], |url| vec![copied(&afar.landed(url))]).ok();
            afar.sandbox.run(&["whoami"]).ok();
        }
    });
}

#[test]
fn p16_what_is_pasted_in_vain_is_told_why_and_the_next_one_counts() {
    apart("elsewhere::p16_what_is_pasted_in_vain_is_told_why_and_the_next_one_counts", || {
        let afar = Afar::new();
        let old = afar.pasted(&["--timeout", "2s"], |url| vec![callback(url, "code=x&state=wrong")]);
        assert!(old.code == 7 && old.stderr.contains("another sign-in"), "{old:#?}");
        let done = afar.pasted(&[], |url| {
            let landed = afar.landed(url);
            vec!["hello".to_owned(), code(&landed), url.to_owned(), landed]
        });
        let done = done.ok();
        for reason in ["That's not the sign-in URL", "That's only the code", "That's the URL to open"] {
            assert!(done.stderr.contains(reason), "{reason}: {done:#?}");
        }
        assert_eq!(afar.server.journal().count("/token"), 1);
    });
}

#[test]
fn p16_the_code_alone_finishes_where_no_iss_is_promised() {
    apart("elsewhere::p16_the_code_alone_finishes_where_no_iss_is_promised", || {
        let afar = Afar::new();
        let endpoint = |name, path| format!("--endpoint={name}={}{path}", afar.server.issuer());
        let by_hand = [
            endpoint("authorization", "/authorize"),
            endpoint("token", "/token"),
            endpoint("jwks", "/jwks"),
            endpoint("userinfo", "/userinfo"),
        ];
        let by_hand: Vec<&str> = by_hand.iter().map(String::as_str).collect();
        afar.pasted(&by_hand, |url| vec![code(&afar.landed(url))]).ok();
    });
}

#[test]
fn p16_p10_a_tunnel_of_the_callbacks_port_finishes() {
    apart("elsewhere::p16_p10_a_tunnel_of_the_callbacks_port_finishes", || {
        let afar = Afar::new();
        let browser = format!("--browser={}", afar.sandbox.browser());
        let call = afar.network.hallpass(&afar.sandbox, &afar.args(&browser, &[]));
        let (login, visit) = call.play(|url| {
            let there = url::Url::parse(&param(url, "redirect_uri").unwrap()).unwrap().port().unwrap();
            Network::here().forward(local(there), &afar.network, local(there));
            afar.server.robot().visit(url).unwrap()
        });
        login.ok();
        assert!(visit.status == 200 && visit.body.contains("</html>"), "{visit:?}");
    });
}

#[test]
fn p16_a_code_typed_in_another_network_finishes() {
    apart("elsewhere::p16_a_code_typed_in_another_network_finishes", || {
        let afar = Afar::new();
        let args = ["login", "--device", "--json", "--issuer", afar.server.issuer(), "--client-id", CLIENT];
        let mut command = afar.network.hallpass(&afar.sandbox, &args).into_command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if event["event"] == "user_code" {
                let text = |name: &str| event[name].as_str().unwrap().to_owned();
                let robot = afar.server.robot();
                robot.approve_device(&text("verification_uri"), &text("user_code")).unwrap();
            }
        }
        assert!(child.wait().unwrap().success());
        afar.sandbox.run(&["whoami"]).ok();
    });
}

/// Of a container, as its host reaches it.
const CONTAINER: [u8; 4] = [10, 9, 8, 7];

/// A container whose port is published: the command's network has an address that others reach.
fn container(redirect_uri: &str, port: u16) -> Afar {
    let client = Client::public(CLIENT).redirect_uri(redirect_uri);
    let server = DevServer::builder().client(client).start().unwrap();
    let afar = Afar::at(server, Network::changed_by("ip addr add 10.9.8.7/32 dev lo").unwrap());
    Network::here().forward(local(port), &afar.network, (CONTAINER, port).into());
    afar
}

/// A login there, and what the browser got at the redirect URI.
fn contained(afar: &Afar, options: &[&str]) -> (Outcome, Option<u16>) {
    let browser = format!("--browser={}", afar.sandbox.browser());
    afar.network.hallpass(&afar.sandbox, &afar.args(&browser, options)).play(|url| {
        let landed = afar.server.robot().without_landing().visit(url).unwrap().landed;
        browse(&format!("{landed}&more={}", "x".repeat(LONG))).ok().map(|page| page.status)
    })
}

fn sent_to(afar: &Afar, path: &str) -> Option<String> {
    afar.server.journal().requests_to(path).pop()?.param("redirect_uri").map(str::to_owned)
}

#[test]
fn p24_a_published_port_reaches_who_listens_on_all_addresses() {
    apart("elsewhere::p24_a_published_port_reaches_who_listens_on_all_addresses", || {
        let port = free_port();
        let redirect_uri = format!("http://localhost:{port}/callback");
        let afar = container(&redirect_uri, port);
        let listen = format!("0.0.0.0:{port}");
        let (login, status) = contained(&afar, &["--redirect-uri", &redirect_uri, "--listen", &listen]);
        let login = login.ok();
        assert_eq!(status, Some(200));
        assert!(login.stderr.contains(&format!("other computers can connect to {listen}")), "{login:#?}");
        assert_eq!(sent_to(&afar, "/authorize"), Some(redirect_uri));
        assert_eq!(sent_to(&afar, "/token"), sent_to(&afar, "/authorize"));
    });
}

#[test]
fn p24_p15_without_being_told_to_nobody_listens_where_a_published_port_leads() {
    apart("elsewhere::p24_p15_without_being_told_to_nobody_listens_where_a_published_port_leads", || {
        let port = free_port();
        let redirect_uri = format!("http://localhost:{port}/callback");
        let afar = container(&redirect_uri, port);
        let (login, status) = contained(&afar, &["--redirect-uri", &redirect_uri, "--timeout", "2s"]);
        login.fails(7, "timed out", &redirect_uri);
        assert_eq!(status, None);
        assert!(!login.stderr.contains("other computers"), "{login:#?}");
    });
}
