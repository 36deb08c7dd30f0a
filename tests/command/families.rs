//! Which addresses a computer has for itself, how a redirect URI spells it, and over what the browser comes.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::time::Duration;

use hallpass_test::command::{Outcome, callback, param};
use hallpass_test::skipped;

use crate::networks::{Network, apart};
use crate::new_sandbox;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const PORT: u16 = 9999;
/// The exit code of a login that the server refuses.
const DENIED: i32 = 6;

/// A computer, and how to make it of one that has both families.
const COMPUTERS: [(&str, &str, &[IpAddr]); 4] = [
    ("both families", "true", &[V4, V6]),
    ("IPv6 switched off", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6", &[V4]),
    ("no ::1", "ip addr del ::1/128 dev lo", &[V4]),
    ("no 127.0.0.1", "ip addr del 127.0.0.1/8 dev lo", &[V6]),
];

/// A redirect URI's host, and where a browser that reads it may look.
const HOSTS: [(&str, &[IpAddr]); 3] = [("127.0.0.1", &[V4]), ("[::1]", &[V6]), ("localhost", &[V4, V6])];

/// Of a server that is never asked: all that comes of it is an answer that refuses.
const LOGIN: [&str; 8] = [
    "--issuer=http://127.0.0.1:1",
    "--client-id=cli",
    "--endpoint=authorization=http://127.0.0.1:1/authorize",
    "--endpoint=token=http://127.0.0.1:1/token",
    "--endpoint=jwks=http://127.0.0.1:1/jwks",
    "--endpoint=userinfo=http://127.0.0.1:1/userinfo",
    "--timeout=10s",
    "--no-qr",
];

fn login_args<'a>(browser: &'a str, redirect_uri: &'a str) -> Vec<&'a str> {
    [&["login", browser, "--redirect-uri", redirect_uri], &LOGIN[..]].concat()
}

/// A login whose answer the browser brings over these addresses, one after the other; which of them nobody listened on.
fn answered(
    network: &Network,
    redirect_uri: &str,
    over: &[IpAddr],
    hosts: Option<&str>,
) -> (Outcome, Vec<IpAddr>) {
    let sandbox = new_sandbox();
    let browser = format!("--browser={}", sandbox.browser());
    let args = login_args(&browser, redirect_uri);
    let call = match hosts {
        Some(text) => network.hallpass_with_hosts(&sandbox, &sandbox.file("hosts", text), &args),
        None => network.hallpass(&sandbox, &args),
    };
    call.play(|url| {
        // The first one that is answered ends the login.
        let strange = callback(url, "error=access_denied&state=wrong");
        let is_deaf = |address: &&IpAddr| network.inside(|| get(**address, &strange)).is_none();
        let deaf = over.iter().filter(is_deaf).copied().collect();
        let last = over.iter().find_map(|address| {
            network.inside(|| get(*address, &callback(url, "error=access_denied&state={state}")))
        });
        assert!(last.is_none_or(|page| page.starts_with("HTTP/1.1 400")));
        deaf
    })
}

fn get(address: IpAddr, url: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    let mut stream = TcpStream::connect((address, url.port().unwrap())).ok()?;
    let (target, authority) = (&url[url::Position::BeforePath..], url.authority());
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    Some(page)
}

#[test]
fn p02_every_address_that_can_be_reached_is_and_the_others_fail_at_once() {
    apart("families::p02_every_address_that_can_be_reached_is_and_the_others_fail_at_once", || {
        for (computer, change, has) in COMPUTERS {
            match Network::changed_by(change) {
                Ok(network) => every_spelling_works(computer, &network, has),
                Err(why) => skipped(&format!("P02, {computer}: {why}")),
            }
        }
    });
}

fn every_spelling_works(computer: &str, network: &Network, has: &[IpAddr]) {
    for (host, looked_at) in HOSTS {
        let over: Vec<IpAddr> = looked_at.iter().filter(|address| has.contains(address)).copied().collect();
        for uri in [format!("http://{host}/callback"), format!("http://{host}:{PORT}/callback")] {
            if over.is_empty() {
                cannot_listen(network, &uri, "this machine has no such address");
            }
            for turn in 0..over.len() {
                let mut over = over.clone();
                over.rotate_left(turn);
                let (login, deaf) = answered(network, &uri, &over, None);
                assert_eq!((login.code, deaf.as_slice()), (DENIED, &[][..]), "{computer}, {uri}: {login:#?}");
            }
        }
    }
}

fn cannot_listen(network: &Network, redirect_uri: &str, why: &str) {
    let sandbox = new_sandbox();
    let browser = format!("--browser={}", sandbox.browser());
    let login = network.hallpass(&sandbox, &login_args(&browser, redirect_uri)).run();
    login.fails(2, why, "");
    assert!(login.took < Duration::from_secs(1) && sandbox.opened().is_empty(), "{login:#?}");
}

/// IPv4 where both are there: it is what registrations name.
#[test]
fn n14_a_login_that_names_no_address_takes_the_family_that_the_computer_has() {
    apart("families::n14_a_login_that_names_no_address_takes_the_family_that_the_computer_has", || {
        for (computer, change, has) in COMPUTERS {
            match Network::changed_by(change) {
                Ok(network) => is_answered_over(computer, &network, has[0]),
                Err(why) => skipped(&format!("N14, {computer}: {why}")),
            }
        }
    });
}

fn is_answered_over(computer: &str, network: &Network, address: IpAddr) {
    let sandbox = new_sandbox();
    let browser = format!("--browser={}", sandbox.browser());
    let host = if address == V4 { "http://127.0.0.1" } else { "http://[::1]" };
    let explained = network.hallpass(&sandbox, &["login", "--explain"]).run().ok();
    let register = format!("Redirect URI to register: {host}/callback (with any port)\n");
    assert!(explained.stdout.contains(&register), "{computer}: {explained:#?}");
    let (login, page) =
        network.hallpass(&sandbox, &[&["login", &browser], &LOGIN[..]].concat()).play(|url| {
            assert!(
                param(url, "redirect_uri").unwrap().starts_with(&format!("{host}:")),
                "{computer}: {url}"
            );
            network.inside(|| get(address, &callback(url, "error=access_denied&state={state}")))
        });
    assert_eq!((login.code, page.is_some()), (DENIED, true), "{computer}: {login:#?}");
}

#[test]
fn p02_a_stranger_on_one_family_is_in_the_way_of_what_may_reach_it_and_of_nothing_else() {
    apart(
        "families::p02_a_stranger_on_one_family_is_in_the_way_of_what_may_reach_it_and_of_nothing_else",
        || {
            let network = Network::new();
            for (taken, literal) in [(V4, "[::1]"), (V6, "127.0.0.1")] {
                let stranger = network.inside(|| TcpListener::bind((taken, PORT)).unwrap());
                cannot_listen(
                    &network,
                    &format!("http://localhost:{PORT}/callback"),
                    "in use by another program",
                );
                let free = if taken == V4 { V6 } else { V4 };
                for (uri, over) in [
                    (format!("http://{literal}:{PORT}/callback"), &[free][..]),
                    ("http://localhost/callback".to_owned(), &[V4, V6]),
                ] {
                    let (login, deaf) = answered(&network, &uri, over, None);
                    assert_eq!((login.code, deaf.as_slice()), (DENIED, &[][..]), "{uri}: {login:#?}");
                }
                drop(stranger);
            }
        },
    );
}

#[test]
fn p02_a_hosts_file_that_calls_another_address_localhost_opens_no_port_there() {
    apart("families::p02_a_hosts_file_that_calls_another_address_localhost_opens_no_port_there", || {
        let network = Network::changed_by("ip addr add 10.9.8.7/32 dev lo").unwrap();
        let lan = IpAddr::from([10, 9, 8, 7]);
        for (host, looked_at) in HOSTS {
            let uri = format!("http://{host}:{PORT}/callback");
            let over = [looked_at, &[lan]].concat();
            let (login, deaf) = answered(&network, &uri, &over, Some("10.9.8.7 localhost\n"));
            assert_eq!((login.code, deaf.as_slice()), (DENIED, &[lan][..]), "{uri}: {login:#?}");
        }
    });
}

/// The addresses that somebody listens on in a network, by the kernel's tables.
fn listened_on(network: &Network) -> Vec<String> {
    let tables = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(network.path(table)).unwrap());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let fields = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
    let listening = fields.filter(|fields| fields[3] == "0A");
    listening.map(|fields| fields[1].split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn p15_the_kernel_knows_of_no_port_but_on_this_computers_own_addresses() {
    apart("families::p15_the_kernel_knows_of_no_port_but_on_this_computers_own_addresses", || {
        let (v4, v6, all) = ("0100007F", "00000000000000000000000001000000", "00000000");
        for (options, expected) in [
            (vec!["--redirect-uri=http://127.0.0.1/callback"], vec![v4]),
            (vec!["--redirect-uri=http://[::1]/callback"], vec![v6]),
            (vec!["--redirect-uri=http://localhost/callback"], vec![v4, v6]),
            (vec!["--redirect-uri=http://localhost:9999/callback", "--listen=0.0.0.0:9999"], vec![all]),
        ] {
            let (sandbox, network) = (new_sandbox(), Network::new());
            let browser = format!("--browser={}", sandbox.browser());
            let args = [&["login", &browser], &options[..], &LOGIN[..]].concat();
            let mut login = network.hallpass(&sandbox, &args).start();
            assert!(param(&login.url(), "redirect_uri").is_some());
            assert_eq!(listened_on(&network), expected, "{options:?}");
        }
    });
}
