//! The browser is on another computer than the command: two networks, and the callback's port is in the wrong one.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hallpass_dev::{Client, DevServer};

use crate::bench::{Bench, CLIENT, Outcome, browse, callback, free_port, param};
use crate::networks::{Network, apart};

/// Far more than a code needs, and than some proxies take.
const LONG: usize = 16 * 1024;

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The person's computer is the network of the test, with the server in it; the command's is another one, from which the
/// server can be reached and nothing else.
struct Afar {
    bench: Bench,
    server: DevServer,
    network: Network,
}

impl Afar {
    fn new() -> Afar {
        Afar::at(DevServer::builder().device_interval(Duration::from_secs(1)).start().unwrap())
    }

    fn at(server: DevServer) -> Afar {
        let afar = Afar { bench: Bench::new(), server, network: Network::new() };
        let port = afar.server.port();
        afar.network.forward(local(port), &Network::here(), local(port));
        afar
    }

    fn args<'a>(&'a self, browser: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        [&["login", browser, "--issuer", self.server.issuer(), "--client-id", CLIENT], args].concat()
    }

    /// Where the person's browser ends, in vain.
    fn landed(&self, url: &str) -> String {
        let landed = self.server.robot().without_landing().visit(url).unwrap().landed.to_string();
        assert!(browse(&landed).is_err(), "the callback's port is in another network");
        landed
    }

    /// A login that is told what the person makes of the address that they were given.
    fn pasted(&self, args: &[&str], person: impl FnOnce(&str) -> Vec<String>) -> Outcome {
        let browser = format!("--browser={}", self.bench.browser());
        let args = self.args(&browser, &[&["--paste"], args].concat());
        let (input, mut paste) = std::io::pipe().unwrap();
        let mut login = self.network.hallpass(&self.bench, &args).start_reading(input);
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
            afar.bench.run(&["whoami"]).ok();
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
        for reason in ["That is no answer", "That is the code alone", "That is the address to open"] {
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
        let browser = format!("--browser={}", afar.bench.browser());
        let call = afar.network.hallpass(&afar.bench, &afar.args(&browser, &[]));
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
        let mut command = afar.network.hallpass(&afar.bench, &args).into_command();
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        for event in lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap()) {
            if event["event"] == "user_code" {
                let text = |name: &str| event[name].as_str().unwrap().to_owned();
                let robot = afar.server.robot();
                robot.approve_device(&text("verification_uri"), &text("user_code")).unwrap();
            }
        }
        assert!(child.wait().unwrap().success());
        afar.bench.run(&["whoami"]).ok();
    });
}

/// Of a container, as its host reaches it.
const CONTAINER: [u8; 4] = [10, 9, 8, 7];

fn container(server: DevServer) -> Afar {
    let network = Network::changed_by("ip addr add 10.9.8.7/32 dev lo").unwrap();
    let afar = Afar { bench: Bench::new(), server, network };
    let port = afar.server.port();
    afar.network.forward(local(port), &Network::here(), local(port));
    afar
}

#[test]
fn p24_a_published_port_reaches_who_listens_on_all_addresses_and_nobody_else() {
    apart("elsewhere::p24_a_published_port_reaches_who_listens_on_all_addresses_and_nobody_else", || {
        for is_open in [false, true] {
            let port = free_port();
            let redirect_uri = format!("http://localhost:{port}/callback");
            let client = Client::public(CLIENT).redirect_uri(redirect_uri.as_str());
            let afar = container(DevServer::builder().client(client).start().unwrap());
            Network::here().forward(local(port), &afar.network, (CONTAINER, port).into());
            let browser = format!("--browser={}", afar.bench.browser());
            let listen = format!("--listen=0.0.0.0:{port}");
            let options = ["--redirect-uri", &redirect_uri, "--timeout", "5s", &listen];
            let args = afar.args(&browser, if is_open { &options } else { &options[..4] });
            let (login, page) = afar.network.hallpass(&afar.bench, &args).play(|url| {
                let landed = afar.server.robot().without_landing().visit(url).unwrap().landed;
                browse(&format!("{landed}&more={}", "x".repeat(LONG)))
            });
            let note = format!("other computers can reach 0.0.0.0:{port}");
            assert_eq!(login.stderr.contains(&note), is_open, "{login:#?}");
            assert_eq!(
                (login.code, page.is_ok_and(|page| page.status == 200)),
                if is_open { (0, true) } else { (7, false) },
                "{login:#?}"
            );
            let sent = |path| {
                afar.server.journal().requests_to(path).pop()?.param("redirect_uri").map(str::to_owned)
            };
            assert_eq!(sent("/authorize").unwrap(), redirect_uri);
            assert_eq!(sent("/token"), is_open.then_some(redirect_uri));
        }
    });
}
