//! Other requests to the callback listener, and hostile parameters in the right one.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use hallpass::error::{Denied, NetworkErrorKind, ServerMisbehaved};
use hallpass::{Error, Ignored, LoginEvent, LoginUi, Result, Session};
use hallpass_test::library::{
    self, AT_ONCE, LibrarySandbox, Page, RecordingUi, authority, callback, connect, get, get_at, login,
    playing, redirect_uri, sign_in, timed,
};
use hallpass_test::provider::{self, Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use url::Url;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A login during which a stranger does something before the user comes back.
struct Visit<T> {
    result: Result<Session>,
    events: Vec<LoginEvent>,
    /// The stranger's page.
    stranger: T,
    /// The user's page.
    user: Page,
    token_requests: usize,
}

impl<T> Visit<T> {
    fn ignored(&self, what: Ignored) -> usize {
        self.events.iter().filter(|event| **event == LoginEvent::Ignored(what)).count()
    }

    fn must_have_worked(&self, name: &str) {
        assert!(self.result.is_ok(), "{name}: {:?}", self.result);
        assert_eq!((self.user.status, self.token_requests), (200, 1), "{name}");
    }
}

fn visited_by<T: Send + 'static>(stranger: impl Fn(&Url) -> T + Send + Sync + 'static) -> Visit<T> {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, seen) = playing(move |url| (stranger(url), get(&sign_in(url))));
    let mut ui = RecordingUi::default();
    let result = sandbox.at(&provider).browser(browser).build().unwrap().login(&mut ui);
    let (stranger, user) = seen.recv_timeout(library::PATIENCE).unwrap();
    Visit { result, events: ui.events, stranger, user, token_requests: provider.count(TOKEN) }
}

/// A request line and headers as they are; `{authority}` is the listener's own.
fn raw(url: &Url, head: &str) -> Page {
    let callback = redirect_uri(url);
    let head = head.replace("{authority}", authority(&callback));
    library::exchange(V4, &callback, head.as_bytes())
}

#[test]
fn p14_an_answer_of_another_sign_in_is_told_so_and_the_login_goes_on() {
    let queries = [
        "code=x&state=wrong",
        "code=x",
        "code=x&state=",
        "code=x&state={state}&state={state}",
        "code=x&state={state}x",
        "error=access_denied",
        "error=access_denied&state=wrong",
        "error=server_error&state=wrong&iss=https://evil.example",
        "access_token=x&token_type=bearer",
    ];
    for query in queries {
        let visit = visited_by(move |url| get(&callback(url, query)));
        visit.must_have_worked(query);
        assert_eq!(visit.stranger.status, 400, "{query}");
        assert!(visit.stranger.body.contains("another sign-in"), "{query}: {:?}", visit.stranger);
        assert_eq!(visit.ignored(Ignored::OtherSignIn), 1, "{query}");
    }
}

#[test]
fn a_callback_without_parameters_is_told_to_look_behind_the_hash() {
    for query in [None, Some("")] {
        let visit = visited_by(move |url| {
            let mut callback = redirect_uri(url);
            callback.set_query(query);
            get(&callback)
        });
        visit.must_have_worked("no parameters");
        assert!(visit.stranger.status == 400 && visit.stranger.body.contains("after the <b>#</b>"));
        assert_eq!(visit.ignored(Ignored::NoParameters), 1);
    }
}

#[test]
fn p05_requests_that_are_no_callback_are_answered_and_change_nothing() {
    let requests = [
        ("GET /favicon.ico HTTP/1.1\r\nHost: {authority}\r\n\r\n", 404),
        ("GET / HTTP/1.1\r\nHost: {authority}\r\n\r\n", 404),
        ("POST /callback?code=x&state=y HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n", 405),
        ("HEAD /callback?code=x&state=y HTTP/1.1\r\nHost: {authority}\r\n\r\n", 405),
        ("OPTIONS /callback HTTP/1.1\r\nHost: {authority}\r\nOrigin: https://evil.example\r\n\r\n", 204),
        ("GET /callback?code=x HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        ("GET /callback?code=x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 403),
        ("GET /callback?code=x HTTP/1.1\r\nHost: {authority}\r\nHost: {authority}\r\n\r\n", 403),
        ("GET /callback?code=x HTTP/1.1\r\nHost: {authority}\r\nSec-Purpose: prefetch\r\n\r\n", 204),
        ("GET /callback/?code=x HTTP/1.1\r\nHost: {authority}\r\n\r\n", 404),
    ];
    for (head, status) in requests {
        let visit = visited_by(move |url| raw(url, head));
        visit.must_have_worked(head);
        assert_eq!(visit.stranger.status, status, "{head}");
        assert!(visit.stranger.header("access-control-allow-origin").is_none(), "{head}");
        assert_eq!(visit.ignored(Ignored::OtherSignIn), 0, "{head}");
    }
}

#[test]
fn n05_a_genuine_callback_by_another_method_or_host_does_not_count() {
    for (method, host) in [("POST", "{authority}"), ("HEAD", "{authority}"), ("GET", "rebound.example")] {
        let visit = visited_by(move |url| {
            let callback = sign_in(url);
            let head = format!("{method} {} HTTP/1.1\r\nHost: {host}\r\n\r\n", library::target(&callback));
            raw(url, &head)
        });
        visit.must_have_worked(method);
    }
}

#[test]
fn p04_n33_connections_that_say_nothing_half_or_too_much_keep_nobody_out() {
    let hold = |url: &Url, bytes: &[u8]| -> TcpStream {
        let mut stream = connect(V4, &redirect_uri(url)).unwrap();
        let _ = stream.write_all(bytes);
        stream
    };
    let visit = visited_by(move |url| {
        let mut held: Vec<TcpStream> = (0..10).map(|_| hold(url, b"")).collect();
        held.extend((0..10).map(|_| hold(url, b"GET /callback?code=x HTTP/1.1\r\nHost: ")));
        held.push(hold(url, b"\0\x01\x02 binary \xff\xff\r\n\r\n"));
        held.push(hold(url, &[b"GET /callback?code=".as_slice(), &vec![b'x'; 10 << 20]].concat()));
        held
    });
    visit.must_have_worked("held connections");
}

#[test]
fn p04_the_time_limit_minds_no_connection() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, held) = playing(|url| {
        let there = redirect_uri(url);
        let silent = (0..16).map(|_| connect(V4, &there).unwrap());
        let mut held: Vec<TcpStream> = silent.collect();
        let mut slow = connect(V4, &there).unwrap();
        held.push(slow.try_clone().unwrap());
        thread::spawn(move || {
            while slow.write_all(b"G").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        });
        held
    });
    let limit = Duration::from_millis(400);
    let (result, took) = timed(|| login(sandbox.at(&provider).login_timeout(limit), browser));
    assert!(matches!(result, Err(Error::TimedOut { ignored: 0, .. })), "{result:?}");
    assert!(took >= limit && took < limit + Duration::from_millis(500), "{took:?}");
    drop(held);
}

#[test]
fn p06_a_preflight_allows_nothing_and_is_no_callback() {
    for origin in ["{issuer}", "https://evil.example"] {
        let visit = visited_by(move |url| {
            let (callback, issuer) = (sign_in(url), url.origin().ascii_serialization());
            let head = format!(
                "OPTIONS {} HTTP/1.1\r\nHost: {{authority}}\r\nOrigin: {}\r\nAccess-Control-Request-Method: GET\r\n\
                 Access-Control-Request-Private-Network: true\r\n\r\n",
                library::target(&callback),
                origin.replace("{issuer}", &issuer)
            );
            raw(url, &head)
        });
        visit.must_have_worked(origin);
        assert_eq!(visit.stranger.status, 204);
        for header in ["origin", "methods", "headers", "private-network", "local-network", "credentials"] {
            assert_eq!(visit.stranger.header(&format!("access-control-allow-{header}")), None, "{header}");
        }
    }
}

/// A person who is at the callback the instant that the address is told, before any browser can be, and refuses.
#[derive(Default)]
struct Instantly {
    connected: Vec<TcpStream>,
}

impl LoginUi for Instantly {
    fn event(&mut self, event: LoginEvent) {
        if let LoginEvent::Url(url) = event {
            let refusal = callback(&url, "error=access_denied&state={state}");
            let mut stream = connect(V4, &refusal).expect("the port is open already");
            let head = format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n",
                library::target(&refusal),
                authority(&refusal)
            );
            stream.write_all(head.as_bytes()).unwrap();
            self.connected.push(stream);
        }
    }
}

#[test]
fn p10_whoever_comes_the_instant_the_address_is_told_is_let_in() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    for run in 0..1000 {
        let mut ui = Instantly::default();
        let result = sandbox.at(&provider).browser(|_: &str| Ok(())).build().unwrap().login(&mut ui);
        assert!(matches!(result, Err(Error::Denied(_))), "run {run}: {result:?}");
        let mut page = String::new();
        ui.connected[0].read_to_string(&mut page).unwrap();
        assert!(Page::parse(&page).is_complete(), "run {run}: {page}");
    }
}

#[test]
fn p08_a_browser_that_speaks_tls_is_told_to_the_user_once() {
    let visit = visited_by(|url| {
        let hello = || {
            let mut stream = connect(V4, &redirect_uri(url)).unwrap();
            stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").unwrap();
            timed(|| stream.read_to_end(&mut Vec::new())).1
        };
        [hello(), hello(), hello()]
    });
    visit.must_have_worked("TLS");
    assert_eq!(visit.ignored(Ignored::TlsHello), 1);
    assert!(visit.stranger.iter().all(|took| *took < Duration::from_secs(1)), "{:?}", visit.stranger);
}

#[test]
fn n06_p14_a_hundred_guesses_change_nothing_and_are_counted() {
    let visit = visited_by(|url| {
        for guess in 0..100 {
            assert_eq!(get(&callback(url, &format!("code=x&state=guess{guess}"))).status, 400);
        }
    });
    visit.must_have_worked("guesses");
    assert_eq!(visit.ignored(Ignored::OtherSignIn), 100);
}

#[test]
fn p14_ignored_callbacks_are_counted_in_the_time_out() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, _pages) = playing(|url| {
        get(&callback(url, "code=x&state=wrong"));
        get(&redirect_uri(url))
    });
    let result = login(sandbox.at(&provider).login_timeout(Duration::from_millis(300)), browser);
    assert!(matches!(result, Err(Error::TimedOut { ignored: 2, .. })), "{result:?}");
}

#[test]
fn n23_p03_the_same_callback_ten_times_at_once_is_exchanged_once_and_told_the_same() {
    for refuse in [false, true] {
        let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
        provider.on(TOKEN, move |_| refuse.then(|| Response::oauth_error(400, "invalid_grant")));
        provider.slow(TOKEN, Duration::from_millis(200));
        let (browser, pages) = playing(|url| ten_at_once(&sign_in(url)));
        assert_eq!(login(sandbox.at(&provider), browser).is_err(), refuse);
        let pages = pages.recv_timeout(library::PATIENCE).unwrap();
        assert_eq!((pages.len(), provider.count(TOKEN)), (10, 1));
        for page in &pages {
            assert_eq!((page.status, page.is_complete()), (if refuse { 400 } else { 200 }, true), "{page:?}");
            assert_eq!(page, &pages[0]);
        }
    }
}

/// A state that leaks after its use, from a log or a history, is worthless.
#[test]
fn n23_a_state_is_spent_by_its_first_use_whatever_came_with_it() {
    for (first, is_in) in [("", true), ("error=access_denied&state={state}", false), ("state={state}", false)]
    {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider.slow(TOKEN, Duration::from_millis(200));
        let (browser, pages) = playing(move |url| {
            let second = callback(url, "code=another&state={state}");
            let genuine = if first.is_empty() { sign_in(url) } else { callback(url, first) };
            let user = thread::spawn(move || get(&genuine));
            thread::sleep(Duration::from_millis(50));
            let visitor = |_| get(&second).status;
            ([(); 2].map(visitor), user.join().unwrap().status)
        });
        let builder = sandbox.at(&provider).login_timeout(library::PATIENCE);
        assert_eq!(login(builder, browser).is_ok(), is_in, "{first}");
        let (others, user) = pages.recv_timeout(library::PATIENCE).unwrap();
        let exchanged = provider.requests_to(TOKEN);
        assert_eq!((user, exchanged.len()), (if is_in { 200 } else { 400 }, usize::from(is_in)), "{first}");
        assert!(exchanged.iter().all(|request| request.param("code") != Some("another")));
        // The same page as the first, or nobody there any more.
        assert!(others.iter().all(|status| [user, 0].contains(status)), "{first}: {others:?}");
    }
}

fn ten_at_once(callback: &Url) -> Vec<Page> {
    let barrier = Arc::new(Barrier::new(10));
    let visit = |index: usize| {
        let (callback, barrier) = (callback.clone(), barrier.clone());
        thread::spawn(move || {
            barrier.wait();
            get_at(if index.is_multiple_of(2) { V4 } else { V6 }, &callback)
        })
    };
    let visits: Vec<_> = (0..10).map(visit).collect();
    visits.into_iter().map(|visit| visit.join().unwrap()).collect()
}

#[test]
fn a_stranger_who_comes_during_the_exchange_does_not_learn_its_outcome() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.slow(TOKEN, Duration::from_millis(150));
    let (browser, pages) = playing(|url| {
        let genuine = sign_in(url);
        let user = thread::spawn(move || get(&genuine));
        thread::sleep(Duration::from_millis(50));
        (get(&callback(url, "code=x&state=wrong")), user.join().unwrap())
    });
    login(sandbox.at(&provider), browser).unwrap();
    let (stranger, user) = pages.recv_timeout(library::PATIENCE).unwrap();
    assert_eq!((stranger.status, user.status), (400, 200));
    assert!(!stranger.claims_success());
}

/// A login that ends with this callback, at a server that promises `iss` or not.
fn ended_by(promised: bool, query: &'static str) -> (Error, Page, usize) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let issuer = provider.issuer().to_owned();
    provider.twist_metadata(move |document| {
        document["authorization_response_iss_parameter_supported"] = promised.into();
    });
    let (browser, pages) = playing(move |url| get(&callback(url, &query.replace("{issuer}", &issuer))));
    let (result, took) = timed(|| login(sandbox.at(&provider), browser));
    assert!(took < Duration::from_secs(1), "{query}: {took:?}");
    assert!(!sandbox.is_signed_in());
    (library::failure(query, result), pages.recv_timeout(library::PATIENCE).unwrap(), provider.count(TOKEN))
}

#[test]
fn n07_n09_a_wrong_iss_with_the_right_state_ends_the_login_before_any_token_request() {
    for promised in [true, false] {
        for iss in ["https://evil.example", "{issuer}/", "HTTP://127.0.0.1"] {
            let query: &'static str = format!("code=x&state={{state}}&iss={iss}").leak();
            let (error, page, token_requests) = ended_by(promised, query);
            let rule = ServerMisbehaved::AuthorizationIss { expected: String::new(), found: String::new() };
            let Error::ServerMisbehaved(found) = &error else { panic!("{iss}: {error:?}") };
            assert_eq!(std::mem::discriminant(found), std::mem::discriminant(&rule), "{iss}");
            assert!(!page.claims_success(), "{page:?}");
            assert_eq!(token_requests, 0);
        }
    }
}

#[test]
fn n08_a_promised_iss_that_is_missing_ends_the_login_before_any_token_request() {
    let (error, page, token_requests) = ended_by(true, "code=x&state={state}");
    assert_eq!(error, ServerMisbehaved::AuthorizationIssMissing.into());
    assert!(!page.claims_success());
    assert_eq!(token_requests, 0);
}

#[test]
fn n20_n22_the_right_state_without_one_code_ends_the_login() {
    for (query, rule) in [
        ("state={state}", ServerMisbehaved::CodeMissing),
        ("state={state}&access_token=x&id_token=y", ServerMisbehaved::CodeMissing),
        ("state={state}&code=a&code=b", ServerMisbehaved::DuplicateParameter("code")),
        ("state={state}&error=a&error=b", ServerMisbehaved::DuplicateParameter("error")),
    ] {
        let (error, page, token_requests) = ended_by(false, query);
        assert_eq!((error, token_requests), (rule.into(), 0), "{query}");
        assert!(!page.claims_success(), "{query}");
    }
}

#[test]
fn p11_an_error_with_the_right_state_ends_the_login_at_once_with_its_words() {
    let query = "error=access_denied&error_description=The+user+said+no%1b[31m&state={state}";
    for promised in [true, false] {
        let (error, page, token_requests) = ended_by(promised, query);
        let Error::Denied(Denied::ByServer(denied)) = &error else { panic!("{error:?}") };
        assert_eq!(denied.error, "access_denied");
        assert_eq!(error.to_string(), "sign-in was refused: access_denied (The user said no[31m)");
        assert!(page.body.contains("The user said no") && !page.claims_success(), "{page:?}");
        assert_eq!(token_requests, 0);
    }
}

#[test]
fn n24_the_words_of_a_server_cannot_leave_their_place_in_the_page() {
    let hostile = "%3Cscript%3Ealert(1)%3C/script%3E%22%27%3Cimg+src=x+onerror=alert(1)%3E";
    let query: &'static str = format!("error=x&error_description={hostile}&state={{state}}").leak();
    let (_, page, _) = ended_by(false, query);
    assert!(!page.body.contains("<script") && !page.body.contains("<img"), "{}", page.body);
    assert!(page.body.contains("&lt;script&gt;alert(1)"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.header(name).as_deref(), Some(value));
    }
}

#[test]
fn a_server_in_trouble_is_no_refusal() {
    for error in ["server_error", "temporarily_unavailable"] {
        let query: &'static str = format!("error={error}&state={{state}}").leak();
        let (error, page, _) = ended_by(false, query);
        let Error::Network(network) = &error else { panic!("{error:?}") };
        assert!(network.kind == NetworkErrorKind::LoginFailed && error.is_retryable());
        assert!(!page.claims_success());
    }
}

#[test]
fn n21_unknown_parameters_are_ignored() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, pages) = playing(|url| {
        let mut callback = sign_in(url);
        callback
            .query_pairs_mut()
            .append_pair("session_state", "s")
            .append_pair("foo", "1")
            .append_pair("foo", "2");
        get(&callback)
    });
    login(sandbox.at(&provider), browser).unwrap();
    assert_eq!(pages.recv_timeout(library::PATIENCE).unwrap().status, 200);
}

#[test]
fn n26_the_listener_sends_nobody_to_an_address_of_the_query() {
    let query = "code=x&state=wrong&redirect=https://evil.example&next=https://evil.example";
    let visit = visited_by(move |url| get(&callback(url, query)));
    visit.must_have_worked(query);
    assert_eq!(visit.stranger.header("location"), None);
    assert_eq!(visit.user.header("location"), None);
}

#[test]
fn a_cancelled_login_leaves_no_browser_hanging() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.always(TOKEN, Response::never());
    let (arrived, here) = std::sync::mpsc::channel();
    let (browser, pages) = playing(move |url| {
        let callback = sign_in(url);
        arrived.send(()).unwrap();
        timed(|| get(&callback))
    });
    let pass = sandbox.at(&provider).browser(browser).build().unwrap();
    let canceller = pass.canceller();
    let login = thread::spawn(move || pass.login(&mut RecordingUi::default()));
    here.recv_timeout(library::PATIENCE).unwrap();
    thread::sleep(Duration::from_millis(100));
    canceller.cancel();
    assert_eq!(login.join().unwrap().unwrap_err(), Error::Cancelled);
    let (page, took) = pages.recv_timeout(library::PATIENCE).unwrap();
    assert!(took < Duration::from_millis(100) + 2 * AT_ONCE, "{took:?}");
    assert!(!page.body.contains("You are signed in"), "{page:?}");
}
