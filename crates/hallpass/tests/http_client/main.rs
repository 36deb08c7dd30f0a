//! The default HTTP client against servers of the test's own.

mod server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use hallpass::Secret;
use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::world::http::proxy::Proxies;
use hallpass::world::http::{Client, ClientSettings, Http, HttpRequest, HttpResponse, MAX_BODY_BYTES};
use hallpass_test::certificate_authority::{CertificateAuthority, self_signed};
use hallpass_test::connect_proxy::ConnectProxy;
use hallpass_test::tls_terminator::TlsTerminator;
use rustls::version::{TLS12, TLS13};
use server::{Habits, Server, Then, answer_json, header};

const TLS_VERSIONS: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn plain_client() -> Client {
    Client::new(ClientSettings::default())
}

fn client_that_trusts(authority: &CertificateAuthority) -> Client {
    client_with_ca(authority.file())
}

fn client_with_ca(file: &Path) -> Client {
    Client::new(ClientSettings { extra_ca: Some(file.to_owned()), ..ClientSettings::default() })
}

fn plain_server(behave: server::Behave) -> Server {
    Server::start(Habits { behave, ..Habits::default() })
}

fn url(server: &Server) -> String {
    format!("http://{}/token", server.addr)
}

fn tls_url(server: &Server) -> String {
    format!("https://localhost:{}/token", server.addr.port())
}

fn post(client: &Client, url: &str) -> Result<HttpResponse, NetworkError> {
    client.send(&HttpRequest::post(url.parse().unwrap(), "a=b".to_owned().into()))
}

fn get(client: &Client, url: &str) -> Result<HttpResponse, NetworkError> {
    client.send(&HttpRequest::get(url.parse().unwrap()))
}

fn ahead(client: &Client, url: &str) {
    client.connect_ahead(&url.parse().unwrap());
}

#[test]
fn a_form_is_posted_as_the_server_expects_it() {
    let server = plain_server(answer_json);
    let user_agent = "hallpass/1 (über\r\nX: y)".to_owned();
    let client = Client::new(ClientSettings { user_agent, ..ClientSettings::default() });
    let mut request =
        HttpRequest::post(url(&server).parse().unwrap(), "code=a%2Bb&x=%C3%BC".to_owned().into());
    request.authorization = Some(Secret::new("Basic c2VjcmV0".to_owned()));
    let answer = client.send(&request).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(!answer.truncated);
    let seen = &server.requests()[0];
    assert!(seen.starts_with("POST /token HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\ncode=a%2Bb&x=%C3%BC"), "{seen}");
    for (name, value) in [
        ("accept", Some("application/json")),
        ("content-type", Some("application/x-www-form-urlencoded")),
        ("authorization", Some("Basic c2VjcmV0")),
        ("user-agent", Some("hallpass/1 (berX: y)")),
        ("accept-encoding", None),
        ("cookie", None),
        ("expect", None),
    ] {
        assert_eq!(header(seen, name).as_deref(), value, "{name}");
    }
}

#[test]
fn requests_share_one_connection() {
    let server = plain_server(answer_json);
    let client = plain_client();
    for _ in 0..3 {
        get(&client, &url(&server)).unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 3));
}

#[test]
fn https_requests_share_one_connection() {
    for version in TLS_VERSIONS {
        let authority = CertificateAuthority::new("Test CA");
        let tls = Some(authority.server("localhost", version));
        let server = Server::start(Habits { tls, ..Habits::default() });
        let client = client_that_trusts(&authority);
        for _ in 0..3 {
            assert_eq!(post(&client, &tls_url(&server)).unwrap().body.as_slice(), b"{}");
        }
        assert_eq!((server.connections(), server.requests().len()), (1, 3), "{version:?}");
    }
}

#[test]
fn a_connection_ahead_carries_the_next_request() {
    let server = plain_server(answer_json);
    let client = plain_client();
    ahead(&client, &url(&server));
    sleep(Duration::from_millis(50));
    assert_eq!((server.connections(), server.requests().len()), (1, 0));
    post(&client, &url(&server)).unwrap();
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

/// A TLS 1.3 server sends session tickets at once: they wait on the prepared connection, for the
/// request that takes it or for the next call that asks whether it is still good.
#[test]
fn a_tls_connection_ahead_carries_the_next_request() {
    for (version, calls) in [(&TLS12, 1), (&TLS13, 1), (&TLS13, 2)] {
        let authority = CertificateAuthority::new("Test CA");
        let tls = Some(authority.server("localhost", version));
        let server = Server::start(Habits { tls, ..Habits::default() });
        let client = client_that_trusts(&authority);
        for _ in 0..calls {
            ahead(&client, &tls_url(&server));
            sleep(Duration::from_millis(50));
        }
        post(&client, &tls_url(&server)).unwrap();
        ahead(&client, &tls_url(&server));
        post(&client, &tls_url(&server)).unwrap();
        assert_eq!((server.connections(), server.requests().len()), (1, 2), "{version:?} {calls}");
    }
}

#[test]
fn nothing_is_opened_ahead_beside_a_fresh_connection() {
    let server = plain_server(answer_json);
    let client = plain_client();
    get(&client, &url(&server)).unwrap();
    ahead(&client, &url(&server));
    get(&client, &url(&server)).unwrap();
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_connection_ahead_is_only_for_its_origin() {
    let (one, other) = (plain_server(answer_json), plain_server(answer_json));
    let client = plain_client();
    ahead(&client, &url(&one));
    get(&client, &url(&other)).unwrap();
    get(&client, &url(&one)).unwrap();
    assert_eq!((one.connections(), other.connections()), (1, 1));
}

#[test]
fn a_connection_ahead_that_fails_is_nobodys_concern() {
    let client = plain_client();
    ahead(&client, &closed_address());
    ahead(&client, "mailto:nobody@example.org");
}

#[test]
fn a_connection_that_the_server_closed_is_replaced_and_asked_once() {
    for tls in [None, Some(&TLS12), Some(&TLS13)] {
        let authority = CertificateAuthority::new("Test CA");
        let idle = Duration::from_millis(60);
        let config = tls.map(|version| authority.server("localhost", version));
        let server = Server::start(Habits { tls: config, idle, ..Habits::default() });
        let client = client_that_trusts(&authority);
        let url = if tls.is_some() { tls_url(&server) } else { url(&server) };
        // Closed on the shelf, closed in the pool.
        ahead(&client, &url);
        sleep(3 * idle);
        post(&client, &url).unwrap();
        sleep(3 * idle);
        post(&client, &url).unwrap();
        assert_eq!((server.connections(), server.requests().len()), (3, 2), "{tls:?}");
        // A closed one is not fresh, however young.
        sleep(3 * idle);
        ahead(&client, &url);
        assert_eq!(post(&client, &url).unwrap().status, 200);
        assert_eq!((server.connections(), server.requests().len()), (4, 3), "{tls:?}");
    }
}

#[test]
fn a_server_that_closes_idle_connections_early_is_met_again() {
    let idle = Duration::from_millis(300);
    let server = Server::start(Habits { idle, ..Habits::default() });
    let client = plain_client();
    for pause in [100, 100, 450] {
        get(&client, &url(&server)).unwrap();
        sleep(Duration::from_millis(pause));
    }
    get(&client, &url(&server)).unwrap();
    assert_eq!((server.connections(), server.requests().len()), (2, 4));
}

#[test]
fn n39_a_cut_answer_is_broken_and_not_asked_again() {
    let cuts: [server::Behave; 5] = [
        |_, _| Then::Close,
        |_, answer| cut(answer, "HTTP/1.1 200 OK\r\nConte"),
        |_, answer| cut(answer, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"access_tok"),
        |_, answer| cut(answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ac"),
        |_, answer| cut(answer, "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ];
    for (index, behave) in cuts.into_iter().enumerate() {
        let server = plain_server(behave);
        let error = post(&plain_client(), &url(&server)).unwrap_err();
        assert_eq!(error.kind, NetworkErrorKind::Broken, "{index}: {error}");
        assert_eq!(server.requests().len(), 1, "{index}");
    }
}

fn cut(answer: &mut dyn Write, text: &str) -> Then {
    answer.write_all(text.as_bytes()).unwrap();
    answer.flush().unwrap();
    Then::Close
}

/// The second request goes out on a pooled connection and finds it broken: where clients that repeat
/// would spend the code twice.
#[test]
fn n39_a_request_that_dies_on_a_pooled_connection_is_not_repeated() {
    let server = plain_server(|request, answer| match request.starts_with("GET") {
        true => answer_json(request, answer),
        false => Then::Close,
    });
    let client = plain_client();
    get(&client, &url(&server)).unwrap();
    let error = post(&client, &url(&server)).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Broken, "{error}");
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
}

#[test]
fn n49_a_slow_answer_times_out_on_time() {
    let drip: server::Behave = |_, answer| {
        let _ = answer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while answer.write_all(b"x").and_then(|()| answer.flush()).is_ok() {
            sleep(Duration::from_millis(20));
        }
        Then::Close
    };
    let silent: server::Behave = |_, _| {
        sleep(Duration::from_secs(2));
        Then::Close
    };
    let authority = CertificateAuthority::new("Test CA");
    for behave in [drip, silent] {
        let tls = Some(authority.server("localhost", &TLS13));
        let (plain, tls) = (plain_server(behave), Server::start(Habits { tls, behave, ..Habits::default() }));
        for url in [url(&plain), tls_url(&tls)] {
            let client = client_that_trusts(&authority);
            let mut request = HttpRequest::get(url.parse().unwrap());
            request.timeout = Duration::from_millis(400);
            let started = Instant::now();
            let error = client.send(&request).unwrap_err();
            let took = started.elapsed();
            assert_eq!(error.kind, NetworkErrorKind::TimedOut, "{error}");
            assert!(took >= request.timeout && took < Duration::from_millis(800), "{took:?}");
            assert_eq!(error.detail, "the limit is 400ms");
        }
    }
}

#[test]
fn a_silent_handshake_times_out_on_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let mut request = HttpRequest::get(url.parse().unwrap());
    request.timeout = Duration::from_millis(300);
    let started = Instant::now();
    let error = plain_client().send(&request).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::TimedOut, "{error}");
    assert!(started.elapsed() < Duration::from_millis(800), "{:?}", started.elapsed());
}

#[test]
fn n49_a_large_answer_is_cut_at_the_limit() {
    let server = plain_server(|_, answer| {
        let size = 3 * 1024 * 1024;
        let _ = write!(answer, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
        let _ = answer.write_all(&vec![b'x'; size]);
        Then::KeepOpen
    });
    let client = plain_client();
    for _ in 0..2 {
        let answer = get(&client, &url(&server)).unwrap();
        assert!(answer.truncated);
        assert_eq!(answer.body.len(), MAX_BODY_BYTES);
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn an_answer_of_exactly_the_limit_is_whole() {
    let server = plain_server(|_, answer| {
        let _ = write!(answer, "HTTP/1.1 200 OK\r\nContent-Length: {MAX_BODY_BYTES}\r\n\r\n");
        let _ = answer.write_all(&vec![b'x'; MAX_BODY_BYTES]);
        Then::KeepOpen
    });
    let answer = get(&plain_client(), &url(&server)).unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (MAX_BODY_BYTES, false));
}

/// No length was told, and no end is in sight.
#[test]
fn n49_an_answer_without_end_is_cut_at_the_limit() {
    let endless: [server::Behave; 2] = [
        |_, answer| {
            let _ = answer.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
            while answer.write_all(&chunk).is_ok() {}
            Then::Close
        },
        |_, answer| {
            let _ = answer.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while answer.write_all(&[b'x'; 4096]).is_ok() {}
            Then::Close
        },
    ];
    for behave in endless {
        let answer = get(&plain_client(), &url(&plain_server(behave))).unwrap();
        assert!(answer.truncated);
        assert_eq!(answer.body.len(), MAX_BODY_BYTES);
    }
}

/// A compressed body is not unpacked: the client did not ask for one.
#[test]
fn n49_an_answer_is_taken_as_it_comes() {
    let server = plain_server(|_, answer| {
        let _ = answer.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        );
        Then::KeepOpen
    });
    let answer = get(&plain_client(), &url(&server)).unwrap();
    assert_eq!(answer.body.as_slice(), b"\x1f\x8b\x08\x00");
    assert_eq!(header(&server.requests()[0], "accept-encoding"), None);
}

#[test]
fn n49_endless_headers_are_refused() {
    let endless: [server::Behave; 2] = [
        |_, answer| {
            let _ = answer.write_all(b"HTTP/1.1 200 OK\r\n");
            while answer.write_all(b"X-Many: 0\r\n").is_ok() {}
            Then::Close
        },
        |_, answer| {
            let _ = answer.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
            while answer.write_all(&[b'0'; 4096]).is_ok() {}
            Then::Close
        },
    ];
    for behave in endless {
        let error = get(&plain_client(), &url(&plain_server(behave))).unwrap_err();
        assert_eq!(error.kind, NetworkErrorKind::Broken);
        assert_eq!(error.detail, "the headers of the response are too many or too large");
    }
}

#[test]
fn n36_redirects_and_errors_are_answers() {
    let server = plain_server(|request, answer| {
        let status = if request.contains("/moved") { "307 Moved" } else { "500 Oops" };
        let _ = write!(answer, "HTTP/1.1 {status}\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\nsorry");
        Then::KeepOpen
    });
    let client = plain_client();
    for (path, status) in [("/moved", 307), ("/broken", 500)] {
        let answer = post(&client, &format!("http://{}{path}", server.addr)).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (status, b"sorry".as_slice()));
        assert_eq!(answer.header("location"), Some("/elsewhere"));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
}

#[test]
fn a_body_that_ends_with_a_tls_goodbye_is_whole_and_without_one_broken() {
    let authority = CertificateAuthority::new("Test CA");
    let behave: server::Behave = |_, answer| cut(answer, "HTTP/1.1 200 OK\r\n\r\naccess_token=abc");
    let tls = Some(authority.server("localhost", &TLS13));
    let server = Server::start(Habits { tls, behave, ..Habits::default() });
    let client = client_that_trusts(&authority);
    assert_eq!(get(&client, &tls_url(&server)).unwrap().body.as_slice(), b"access_token=abc");

    let proxy = CuttingProxy::start(&server);
    let error = get(&client, &format!("https://localhost:{}/", proxy.port)).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Broken, "{error}");
}

/// An encrypted alert of TLS 1.3: header, level and description, content type, tag.
const GOODBYE_BYTES: usize = 5 + 2 + 1 + 16;

/// Passes the server's records on but for the goodbye.
struct CuttingProxy {
    port: u16,
}

impl CuttingProxy {
    fn start(server: &Server) -> CuttingProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, target) = (listener.local_addr().unwrap().port(), server.addr);
        std::thread::spawn(move || {
            let mut client = listener.accept().unwrap().0;
            let mut server = TcpStream::connect(target).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            while let Ok(record) = read_record(&mut server) {
                if record.len() != GOODBYE_BYTES {
                    let _ = client.write_all(&record);
                }
            }
            let _ = client.shutdown(std::net::Shutdown::Both);
        });
        CuttingProxy { port }
    }
}

fn read_record(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record)?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..])?;
    Ok(record)
}

#[test]
fn a_dead_port_is_unreachable() {
    let url = closed_address();
    let error = get(&plain_client(), &url).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Unreachable);
    assert_eq!(format!("http://{}/", error.host), url);
    assert_eq!(error.detail, "connection refused");
}

fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[test]
fn a_name_without_an_address_is_unreachable() {
    let error = get(&plain_client(), "http://name.invalid./").unwrap_err();
    assert_eq!((error.kind, error.host.as_str()), (NetworkErrorKind::Unreachable, "name.invalid.:80"));
    assert_eq!(error.detail, "could not resolve host");
}

#[test]
fn names_below_localhost_are_this_computer() {
    let server = plain_server(answer_json);
    get(&plain_client(), &format!("http://app.localhost:{}/", server.addr.port())).unwrap();
}

#[test]
fn n35_an_unknown_authority_is_named_with_the_way_out() {
    let (company, other) =
        (CertificateAuthority::new("Inspecting Proxy CA"), CertificateAuthority::new("Other CA"));
    let tls = Some(company.server("localhost", &TLS13));
    let server = Server::start(Habits { tls, ..Habits::default() });
    let error = post(&client_that_trusts(&other), &tls_url(&server)).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Tls);
    for part in ["Inspecting Proxy CA", "SSL_CERT_FILE", "--ca-cert", "localhost:"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn n35_a_certificate_for_another_name_is_refused() {
    let authority = CertificateAuthority::new("Test CA");
    let tls = Some(authority.server("other.example", &TLS13));
    let server = Server::start(Habits { tls, ..Habits::default() });
    let error = post(&client_that_trusts(&authority), &tls_url(&server)).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Tls);
    assert!(error.detail.starts_with("its certificate is for another name"), "{error}");
    assert!(error.detail.contains("other.example"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn n35_a_certificate_that_is_over_to_come_or_of_nobody_else_is_refused() {
    let authority = CertificateAuthority::new("Test CA");
    for (config, problem) in [
        (authority.server_of_years("localhost", 2001..2021), "its certificate has expired, or "),
        (authority.server_of_years("localhost", 2100..2200), "its certificate is not valid yet, or "),
        (self_signed("localhost"), "its certificate is "),
    ] {
        let server = Server::start(Habits { tls: Some(config), ..Habits::default() });
        for client in [client_that_trusts(&authority), plain_client()] {
            let error = post(&client, &tls_url(&server)).unwrap_err();
            assert_eq!((error.kind, server.requests().len()), (NetworkErrorKind::Tls, 0), "{error}");
        }
        let error = post(&client_that_trusts(&authority), &tls_url(&server)).unwrap_err();
        assert!(error.detail.starts_with(problem), "{problem}: {error}");
    }
}

#[test]
fn an_address_can_have_a_certificate() {
    let authority = CertificateAuthority::new("Test CA");
    let tls = Some(authority.server("127.0.0.1", &TLS13));
    let server = Server::start(Habits { tls, ..Habits::default() });
    let client = client_that_trusts(&authority);
    get(&client, &format!("https://127.0.0.1:{}/", server.addr.port())).unwrap();
}

#[test]
fn a_port_without_tls_is_told_apart() {
    let authority = CertificateAuthority::new("Test CA");
    let server = plain_server(|_, _| Then::Close);
    let talker = TcpListener::bind("127.0.0.1:0").unwrap();
    let talks = format!("https://{}/", talker.local_addr().unwrap());
    std::thread::spawn(move || talker.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let error = get(&client_that_trusts(&authority), &talks).unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Tls, "{error}");
    assert_eq!(error.detail, "the server does not speak TLS on this port");
    drop(server);
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named_at_the_first_https_request() {
    let (empty, broken) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(broken.path(), garbage).unwrap();
    let plain = plain_server(answer_json);
    for (file, problem) in [
        (Path::new("/no/such/ca.pem"), "(--ca-cert) cannot be read: no such file"),
        (empty.path(), "(--ca-cert) contains no PEM certificate"),
        (broken.path(), "contains an invalid certificate"),
    ] {
        let client = client_with_ca(file);
        get(&client, &url(&plain)).unwrap();
        let error = get(&client, "https://localhost:1/").unwrap_err();
        assert_eq!(error.kind, NetworkErrorKind::CaFile, "{error}");
        let expected = format!("the CA file {} {problem}", file.display());
        assert_eq!(error.detail, expected);
    }
}

fn client_behind(proxy: &str, authority: &CertificateAuthority) -> Client {
    let proxies = Proxies::from_lookup(|name| (name == "ALL_PROXY").then(|| proxy.to_owned()));
    let extra_ca = Some(authority.file().to_owned());
    Client::new(ClientSettings { proxies, extra_ca, ..ClientSettings::default() })
}

#[test]
fn p56_https_goes_through_the_proxy_and_this_computer_does_not() {
    let authority = CertificateAuthority::new("Test CA");
    let tls = Some(authority.server("idp.example", &TLS13));
    let server = Server::start(Habits { tls, ..Habits::default() });
    let proxy = ConnectProxy::start(Some(server.addr));
    let client = client_behind(&format!("http://name:p%40ss@{}", proxy.addr), &authority);
    for _ in 0..2 {
        assert_eq!(post(&client, "https://idp.example/token").unwrap().body.as_slice(), b"{}");
    }
    assert_eq!((server.connections(), server.requests().len(), proxy.heads().len()), (1, 2, 1));
    let head = &proxy.heads()[0];
    assert!(head.starts_with("CONNECT idp.example:443 HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(head, "proxy-authorization").as_deref(), Some("Basic bmFtZTpwQHNz"));
    assert_eq!(header(&server.requests()[0], "proxy-authorization"), None);

    let local = plain_server(answer_json);
    ahead(&client, "https://idp.example/token");
    get(&client, &url(&local)).unwrap();
    get(&client, &format!("http://localhost:{}/", local.addr.port())).unwrap();
    assert_eq!((local.requests().len(), proxy.heads().len()), (2, 1));
}

#[test]
fn p56_a_proxy_that_refuses_is_named_without_its_password() {
    let authority = CertificateAuthority::new("Test CA");
    let refusing = ConnectProxy::start(None);
    let dead = closed_address().replace("http://", "").replace('/', "");
    for (address, problem) in [
        (refusing.addr.to_string(), "it requires a user name and password, or different ones (407)"),
        (dead, "connection refused"),
    ] {
        let client = client_behind(&format!("http://name:s3cret@{address}"), &authority);
        let error = post(&client, "https://idp.example/token").unwrap_err();
        assert_eq!((error.kind, error.host.as_str()), (NetworkErrorKind::Proxy, "idp.example:443"));
        assert_eq!(error.detail, format!("{address}: {problem}"));
        assert!(!format!("{error:?} {client:?}").contains("s3cret"));
    }
}

/// It would else look as if the server were slow.
#[test]
fn p56_a_proxy_that_says_nothing_is_named_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let authority = CertificateAuthority::new("Test CA");
    let client = client_behind(&format!("http://name:s3cret@{address}"), &authority);
    let mut request = HttpRequest::get("https://idp.example/token".parse().unwrap());
    request.timeout = Duration::from_millis(400);
    let error = client.send(&request).unwrap_err();
    assert_eq!((error.kind, error.host.as_str()), (NetworkErrorKind::Proxy, "idp.example:443"));
    assert_eq!(error.detail, format!("{address}: it did not respond in time"));
}

#[test]
fn p56_a_proxy_of_another_kind_is_an_error_only_for_those_who_need_it() {
    let authority = CertificateAuthority::new("Test CA");
    let client = client_behind("socks5://name:s3cret@127.0.0.1:1080", &authority);
    get(&client, &url(&plain_server(answer_json))).unwrap();
    let error = get(&client, "https://idp.example/").unwrap_err();
    assert_eq!(error.kind, NetworkErrorKind::Proxy);
    assert_eq!(error.detail, "ALL_PROXY is not an http:// or https:// proxy; other kinds are not supported");
}

#[test]
fn p56_a_proxy_may_itself_speak_tls() {
    let authority = CertificateAuthority::new("Test CA");
    let server =
        Server::start(Habits { tls: Some(authority.server("idp.example", &TLS13)), ..Habits::default() });
    let proxy = ConnectProxy::start(Some(server.addr));
    let terminator = TlsTerminator::start(authority.server("localhost", &TLS13), proxy.addr);
    let client = client_behind(&format!("https://localhost:{}", terminator.addr.port()), &authority);
    for _ in 0..2 {
        post(&client, "https://idp.example/token").unwrap();
    }
    assert_eq!((server.requests().len(), proxy.heads().len(), terminator.connections()), (2, 1, 1));
}
