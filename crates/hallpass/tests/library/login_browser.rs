//! A whole sign-in through the browser, and the ways in which it does not come to one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use hallpass::error::{Denied, Misuse, ServerIncompatible, StoreError};
use hallpass::protocol::pasted::PasteError;
use hallpass::{Builder, Environment, Error, Hallpass, Ignored, LoginEvent, Secret, Session, StoreKind};
use hallpass_dev::{Client, DevServer, Entry};
use hallpass_test::jose::{RS256, s256};
use hallpass_test::library::{
    self, AT_ONCE, LibrarySandbox, Page, RecordingUi, callback, failure, get, get_at, is_open, login,
    playing, redirect_uri, sign_in, timed, unopened, visitor,
};
use hallpass_test::ports;
use hallpass_test::provider::{self, CLIENT, JWKS, OPENID_CONFIGURATION, Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use url::Url;

fn demo(sandbox: &LibrarySandbox, server: &DevServer) -> Builder {
    sandbox.builder(server.issuer(), "demo")
}

/// Signs in at the development server, whose robot plays the user.
fn robot_login(sandbox: &LibrarySandbox, server: &DevServer) -> Session {
    login(demo(sandbox, server), server.robot().opener()).unwrap()
}

/// Our own requests, without the browser's.
fn ours(server: &DevServer) -> Vec<Entry> {
    let is_ours = |entry: &Entry| entry.user_agent.as_deref().is_some_and(|a| a.starts_with("hallpass/"));
    server.journal().entries().into_iter().filter(is_ours).collect()
}

#[test]
fn a_login_tells_who_signed_in_for_how_long_and_where_it_is_kept() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    let session = robot_login(&sandbox, &server);
    let user = session.user().unwrap();
    assert_eq!(user.label(), "test@example.com");
    assert_eq!(user.claims["email"], "test@example.com");
    assert!(["iss", "aud", "exp", "nonce", "at_hash"].iter().all(|name| !user.claims.contains_key(*name)));
    assert_eq!(
        (session.profile(), session.issuer(), session.client_id()),
        ("default", server.issuer(), "demo")
    );
    assert_eq!(session.scopes(), ["openid", "profile", "email", "offline_access"]);
    let lifetime = session.expires_at().unwrap().duration_since(SystemTime::now()).unwrap();
    assert!((3590..=3600).contains(&lifetime.as_secs()), "{lifetime:?}");
    assert!(session.renewable());
    assert_eq!((session.store(), session.path()), (StoreKind::File, Some(sandbox.path().as_path())));
    assert_eq!(session.notes(), [""; 0]);
}

#[test]
fn a_login_is_told_step_by_step() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    let pass = demo(&sandbox, &server).browser(server.robot().opener()).build().unwrap();
    let mut ui = RecordingUi::default();
    pass.login(&mut ui).unwrap();
    let [
        LoginEvent::Store { kind, path, .. },
        LoginEvent::Discovering { host },
        LoginEvent::Url(url),
        waits @ ..,
        LoginEvent::Exchanging,
    ] = ui.events.as_slice()
    else {
        panic!("{:?}", ui.events)
    };
    assert_eq!((*kind, path.as_deref()), (StoreKind::File, Some(sandbox.path().as_path())));
    assert_eq!(host, "127.0.0.1");
    assert!(url.as_str().starts_with(&format!("{}/authorize?", server.issuer())));
    let Some(LoginEvent::Waiting { redirect_uri, left }) = waits.first() else { panic!("{waits:?}") };
    assert_eq!(*redirect_uri, Some(library::param(url, "redirect_uri")));
    assert!((299..=301).contains(&left.as_secs()));
}

#[test]
fn p42_the_record_keeps_clear_and_secret_apart_in_a_file_of_the_users_alone() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    robot_login(&sandbox, &server);
    let mut record = sandbox.record();
    let secret = record.as_object_mut().unwrap().remove("secret").unwrap();
    assert_eq!(record["version"], 1);
    assert_eq!((&record["issuer"], &record["client_id"]), (&server.issuer().into(), &"demo".into()));
    assert_eq!(record["user"]["email"], "test@example.com");
    assert_eq!(record["renewable"], true);
    assert_eq!(record["access"][0]["scopes"].as_array().unwrap().len(), 4);
    assert_eq!(record["endpoints"]["revocation"], format!("{}/revoke", server.issuer()));
    for secret in [&secret["access_tokens"][0], &secret["refresh_token"], &secret["id_token"]] {
        assert!(!record.to_string().contains(secret.as_str().unwrap()));
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&sandbox.path()), mode(&sandbox.folder())), (0o600, 0o700));
    assert_eq!(mode(&sandbox.state_dir()), 0o700);
}

#[test]
fn n37_n38_n40_the_token_request_has_exactly_the_fields_of_a_public_client() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    robot_login(&sandbox, &server);
    let [authorize, token] = [("/authorize", "GET"), ("/token", "POST")].map(|(path, method)| {
        let request = server.journal().requests_to(path).remove(0);
        assert_eq!(request.method, method);
        request
    });
    let names: Vec<&str> = token.form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grant_type", "code", "redirect_uri", "code_verifier", "client_id"]);
    assert_eq!(token.param("grant_type"), Some("authorization_code"));
    assert_eq!(token.param("redirect_uri"), authorize.param("redirect_uri"));
    assert_eq!(token.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert!(!token.has_authorization && token.query.is_empty());
}

#[test]
fn n77_metadata_and_keys_are_asked_for_each_time_and_kept_in_no_file() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    for _ in 0..2 {
        login(sandbox.at(&provider), visitor().0).unwrap();
    }
    assert_eq!((provider.count(OPENID_CONFIGURATION), provider.count(JWKS)), (2, 2));
    sandbox.wait(24 * 3600 - 60);
    sandbox.pass(&provider).access_token().unwrap();
    assert_eq!((provider.count(OPENID_CONFIGURATION), provider.count(JWKS)), (2, 3));
    let modulus = RS256.jwk["n"].as_str().unwrap();
    for (path, bytes) in sandbox.files() {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains(modulus) && !text.contains("scopes_supported"), "{}", path.display());
    }
}

#[test]
fn a_login_needs_one_request_each_of_metadata_keys_and_token_over_two_connections() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    robot_login(&sandbox, &server);
    let mut paths: Vec<String> = ours(&server).into_iter().map(|entry| entry.path).collect();
    paths.sort();
    assert_eq!(paths, ["/.well-known/openid-configuration", "/jwks", "/token"]);
    let connections: std::collections::HashSet<u64> =
        ours(&server).into_iter().map(|entry| entry.connection).collect();
    assert!(connections.len() <= 2, "{connections:?}");
}

#[test]
fn p09_the_page_comes_complete_with_the_account_and_after_the_record() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    let (robot, path) = (server.robot().without_landing(), sandbox.path());
    let (browser, seen) = playing(move |url| {
        let landed = robot.visit(url.as_str()).unwrap().landed;
        let before = path.exists();
        let page = get(&landed);
        (before, page, path.exists())
    });
    login(demo(&sandbox, &server), browser).unwrap();
    let (before, page, after) = seen.recv_timeout(library::PATIENCE).unwrap();
    assert_eq!((before, page.status, after), (false, 200, true));
    assert!(page.is_complete() && page.body.contains("test@example.com"), "{page:?}");
}

#[test]
fn p10_the_page_was_sent_when_login_returns() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    let robot = server.robot().without_landing();
    let (browser, streams) = playing(move |url| {
        let landed = robot.visit(url.as_str()).unwrap().landed;
        let mut stream = library::connect(Ipv4Addr::LOCALHOST.into(), &landed).unwrap();
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n",
            library::target(&landed),
            library::authority(&landed)
        );
        io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        stream
    });
    login(demo(&sandbox, &server), browser).unwrap();
    let mut stream = streams.recv_timeout(library::PATIENCE).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut page = String::new();
    io::Read::read_to_string(&mut stream, &mut page).expect("the page and its end are here already");
    assert!(Page::parse(&page).is_complete(), "{page}");
}

#[test]
fn p11_a_user_who_denies_ends_the_login_with_a_page_that_claims_nothing() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    robot_login(&sandbox, &server);
    let before = sandbox.bytes();
    let robot = server.robot().deny();
    let (browser, visits) = playing(move |url| robot.visit(url.as_str()).unwrap());
    let error = login(demo(&sandbox, &server), browser).unwrap_err();
    let Error::Denied(Denied::ByServer(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.error, "access_denied");
    let visit = visits.recv_timeout(library::PATIENCE).unwrap();
    assert_eq!(visit.status, 400);
    assert!(visit.body.contains("access_denied") && !visit.body.contains("signed in"));
    assert!(sandbox.bytes() == before);
}

#[test]
fn p12_n15_n34_an_abandoned_login_times_out_names_the_redirect_uri_and_closes_its_port() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let before = sandbox.bytes();
    let (browser, urls) = playing(Url::clone);
    let limit = Duration::from_millis(300);
    let (result, took) = timed(|| login(sandbox.at(&provider).login_timeout(limit), browser));
    let Err(Error::TimedOut { waited, redirect_uri: named, ignored: 0 }) = result else {
        panic!("{result:?}")
    };
    let there = redirect_uri(&urls.recv_timeout(library::PATIENCE).unwrap());
    assert_eq!((waited, named.as_deref()), (limit, Some(there.as_str())));
    assert!(took < limit + AT_ONCE, "{took:?}");
    assert!(!is_open(&there));
    assert!(sandbox.bytes() == before);
}

/// The stages at which a login can be cancelled: how to hold it there, and how to know that it has arrived.
const STAGES: [(&str, &str); 3] =
    [("metadata", OPENID_CONFIGURATION), ("the user", "/nowhere"), ("the token endpoint", TOKEN)];

#[test]
fn p13_n34_a_cancelled_login_returns_at_once_from_every_stage_and_changes_nothing() {
    for (stage, silent) in STAGES {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        sandbox.signed_in(&provider);
        let before = sandbox.bytes();
        let (arrived, here) = mpsc::channel();
        let silence = arrived.clone();
        provider.on(silent, move |_| {
            silence.send(()).unwrap();
            Some(Response::never())
        });
        let browser = user_who_stays_away_from(stage, arrived);
        let pass = sandbox.at(&provider).browser(browser).build().unwrap();
        let canceller = pass.canceller();
        let login = thread::spawn(move || pass.login(&mut RecordingUi::default()));
        here.recv_timeout(library::PATIENCE).unwrap();
        let (result, took) = timed(|| {
            canceller.cancel();
            login.join().unwrap()
        });
        assert_eq!(result.unwrap_err(), Error::Cancelled, "{stage}");
        assert!(took < AT_ONCE, "{stage}: {took:?}");
        assert!(sandbox.bytes() == before, "{stage}");
    }
}

/// Signs in, unless the login is to stay with the user.
fn user_who_stays_away_from(
    stage: &'static str,
    arrived: Sender<()>,
) -> impl Fn(&str) -> io::Result<()> + Send + Sync + 'static {
    move |url| {
        match stage {
            "the user" => arrived.send(()).unwrap(),
            _ => drop(get(&sign_in(&Url::parse(url).unwrap()))),
        }
        Ok(())
    }
}

#[test]
fn p63_a_second_login_replaces_the_first_as_a_whole() {
    let server =
        DevServer::builder().user("ada@example.com", "1").user("bob@example.com", "2").start().unwrap();
    let sandbox = LibrarySandbox::new();
    robot_login(&sandbox, &server);
    let bob = server.robot().as_user("bob@example.com", "2");
    let session = login(demo(&sandbox, &server), bob.opener()).unwrap();
    assert_eq!(session.user().unwrap().label(), "bob@example.com");
    let record = sandbox.record();
    assert!(!record.to_string().contains("ada@example.com"));
    assert_eq!(record["generation"], 2);
}

#[test]
fn p19_a_browser_that_does_not_start_is_one_event_and_no_end() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let browser = |url: &str| {
        let url = Url::parse(url).unwrap();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            get(&sign_in(&url))
        });
        Err(io::Error::other("no\u{1b}[31m display"))
    };
    let mut ui = RecordingUi::default();
    sandbox.at(&provider).browser(browser).build().unwrap().login(&mut ui).unwrap();
    let failed = LoginEvent::BrowserFailed("no[31m display".to_owned());
    assert_eq!(ui.count(|event| *event == failed), 1, "{:?}", ui.events);
}

#[test]
fn p16_a_pasted_address_or_its_query_finishes_the_login() {
    for shorten in [|url: &Url| format!("  {url}\n"), |url: &Url| url.query().unwrap().to_owned()] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        let (paste, pasted) = mpsc::channel();
        let browser = move |url: &str| {
            paste.send("http://127.0.0.1:1/callback?code=x&state=another".to_owned()).unwrap();
            paste.send(shorten(&sign_in(&Url::parse(url).unwrap()))).unwrap();
            Ok(())
        };
        let mut ui = RecordingUi { paste: Some(pasted), ..RecordingUi::default() };
        let pass = sandbox.at(&provider).browser(browser).build().unwrap();
        assert!(pass.login(&mut ui).unwrap().renewable());
        assert_eq!(
            ui.count(|event| *event == LoginEvent::Ignored(Ignored::Pasted(PasteError::OtherSignIn))),
            1
        );
        assert!(sandbox.is_signed_in());
    }
}

#[test]
fn p16_a_pasted_code_alone_is_exchanged_only_where_the_metadata_promises_no_iss() {
    for is_promised in [false, true] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider.twist_metadata(move |metadata| {
            metadata["authorization_response_iss_parameter_supported"] = is_promised.into();
        });
        let (paste, pasted) = mpsc::channel();
        let browser = move |url: &str| {
            let url = Url::parse(url).unwrap();
            let landed = sign_in(&url);
            paste.send("what is this".to_owned()).unwrap();
            paste.send(library::param(&landed, "code")).unwrap();
            Ok(())
        };
        let mut ui = RecordingUi { paste: Some(pasted), ..RecordingUi::default() };
        let limit = Duration::from_secs(2);
        let pass = sandbox.at(&provider).browser(browser).login_timeout(limit).build().unwrap();
        assert_eq!(pass.login(&mut ui).is_ok(), !is_promised, "{:?}", ui.events);
        assert_eq!(provider.count(TOKEN), usize::from(!is_promised));
        let ignored = |why| ui.count(|event| *event == LoginEvent::Ignored(Ignored::Pasted(why)));
        assert_eq!(ignored(PasteError::Unrecognized), 1);
        assert_eq!(ignored(PasteError::CodeOnly), usize::from(is_promised));
    }
}

#[test]
fn p01_a_taken_port_is_named_within_a_second_and_no_browser_opens() {
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    let port = Url::parse(provider.redirect_uri()).unwrap().port().unwrap();
    for holder in ["127.0.0.1", "::1"] {
        let _holder = TcpListener::bind((holder, port)).unwrap();
        let (result, took) = timed(|| login(sandbox.at(&provider), unopened));
        let error = failure(holder, result);
        assert!(matches!(error, Error::Misuse(Misuse::PortTaken(_))), "{error:?}");
        assert!(error.to_string().contains(&format!("port {port} on localhost")), "{error}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn n16_the_first_of_several_redirect_uris_that_is_free_is_taken() {
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("http://127.0.0.1:{}/callback", holder.local_addr().unwrap().port());
    let builder = sandbox.at(&provider).redirect_uris([taken.as_str(), provider.redirect_uri()]);
    login(builder, visitor().0).unwrap();
}

/// Ways to make a directory unusable even for root, to whom permission bits do not apply.
type Spoil = fn(&LibrarySandbox);

const UNUSABLE: [(&str, Spoil); 5] = [
    ("a file in place of the state folder", |sandbox| fs::write(sandbox.state_dir(), "").unwrap()),
    ("a file in place of the program's folder", |sandbox| {
        fs::create_dir(sandbox.state_dir()).unwrap();
        fs::write(sandbox.folder(), "").unwrap();
    }),
    ("a folder in place of the record", |sandbox| fs::create_dir_all(sandbox.path()).unwrap()),
    ("a folder that everybody may write to", |sandbox| {
        fs::create_dir_all(sandbox.folder()).unwrap();
        fs::set_permissions(sandbox.folder(), fs::Permissions::from_mode(0o777)).unwrap();
    }),
    ("another user's folder", |sandbox| {
        fs::create_dir_all(sandbox.folder()).unwrap();
        // Only root can give a folder away; for others a closed one is as foreign.
        if chown(sandbox.folder(), Some(12345), None).is_err() {
            fs::set_permissions(sandbox.folder(), fs::Permissions::from_mode(0o500)).unwrap();
        }
    }),
];

#[test]
fn p41_p53_an_unusable_store_is_told_before_anything_is_asked_of_server_or_user() {
    for (name, spoil) in UNUSABLE {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        spoil(&sandbox);
        let error = failure(name, login(sandbox.at(&provider), unopened));
        let is_right = matches!(error, Error::Store(StoreError::Io { .. } | StoreError::Unsafe { .. }));
        assert!(is_right, "{name}: {error:?}");
        assert_eq!(provider.requests().len(), 0, "{name}");
    }
}

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

#[test]
fn p02_n13_a_localhost_callback_is_reached_over_both_families() {
    for address in LOOPBACK {
        let redirect = format!("http://localhost:{}/callback", ports::free_port());
        let client = Client::public(CLIENT).redirect_uri(redirect.as_str());
        let (sandbox, server) = (LibrarySandbox::new(), DevServer::builder().client(client).start().unwrap());
        let robot = server.robot().without_landing();
        let (browser, pages) =
            playing(move |url| get_at(address, &robot.visit(url.as_str()).unwrap().landed));
        let builder = sandbox.builder(server.issuer(), CLIENT).redirect_uris([redirect.as_str()]);
        login(builder, browser).unwrap();
        assert_eq!(pages.recv_timeout(library::PATIENCE).unwrap().status, 200, "{address}");
    }
}

#[test]
fn n15_the_port_is_closed_after_success_and_refusal() {
    for query in ["code=x&state={state}", "error=access_denied&state={state}", ""] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        let (browser, there) = playing(move |url| {
            get(&if query.is_empty() { sign_in(url) } else { callback(url, query) });
            redirect_uri(url)
        });
        assert_eq!(login(sandbox.at(&provider), browser).is_ok(), query.is_empty());
        assert!(!is_open(&there.recv_timeout(library::PATIENCE).unwrap()), "{query}");
    }
}

#[test]
fn n04_no_two_logins_share_state_nonce_or_challenge() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (mut urls, mut verifiers) = (Vec::new(), Vec::new());
    for query in ["error=access_denied&state={state}", "", ""] {
        let (browser, seen) = playing(move |url| {
            get(&if query.is_empty() { sign_in(url) } else { callback(url, query) });
            url.clone()
        });
        let _ = login(sandbox.at(&provider), browser);
        urls.push(seen.recv_timeout(library::PATIENCE).unwrap());
    }
    verifiers
        .extend(provider.requests_to(TOKEN).iter().map(|r| r.param("code_verifier").unwrap().to_owned()));
    for name in ["state", "nonce", "code_challenge"] {
        let values: std::collections::HashSet<String> =
            urls.iter().map(|url| library::param(url, name)).collect();
        assert_eq!(values.len(), 3, "{name}");
    }
    assert_ne!(verifiers[0], verifiers[1]);
}

#[test]
fn n03_a_server_that_lists_no_s256_is_refused_before_the_browser_opens() {
    for methods in [&["plain"][..], &["s256", "S512"], &[]] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider
            .twist_metadata(move |document| document["code_challenge_methods_supported"] = methods.into());
        let error = failure("plain", login(sandbox.at(&provider), unopened));
        assert_eq!(error, ServerIncompatible::NoS256.into(), "{methods:?}");
        assert_eq!(provider.count(TOKEN), 0);
    }
}

#[test]
fn n03_after_an_error_nothing_is_tried_with_another_challenge_method() {
    for (query, token_requests) in [("error=invalid_request&state={state}", 0), ("", 1)] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider.always(TOKEN, Response::oauth_error(400, "invalid_request"));
        let (browser, urls) = playing(move |url| {
            get(&if query.is_empty() { sign_in(url) } else { callback(url, query) });
            url.clone()
        });
        let builder = sandbox.at(&provider).login_timeout(library::PATIENCE);
        let error = failure("invalid_request", login(builder, browser));
        assert!(matches!(error, Error::Denied(Denied::ByServer(_))), "{error:?}");
        let url = urls.recv_timeout(library::PATIENCE).unwrap();
        assert_eq!(library::param(&url, "code_challenge_method"), "S256");
        assert!(urls.recv_timeout(AT_ONCE).is_err(), "one address is opened");
        assert_eq!(provider.count(TOKEN), token_requests);
    }
}

#[test]
fn n10_a_login_goes_on_at_the_endpoints_that_it_began_with() {
    let (sandbox, provider, other) = (LibrarySandbox::new(), Arc::new(Provider::clerk()), Provider::clerk());
    let (ours, theirs) = (provider.issuer().to_owned(), other.issuer().to_owned());
    let moved = provider.clone();
    let (browser, pages) = playing(move |url| {
        let (ours, theirs) = (ours.clone(), theirs.clone());
        moved.twist_metadata(move |document| {
            *document = document.to_string().replace(&ours, &theirs).parse().unwrap();
        });
        get(&sign_in(url)).status
    });
    let session = login(sandbox.at(&provider).login_timeout(library::PATIENCE), browser).unwrap();
    assert_eq!(pages.recv_timeout(library::PATIENCE).unwrap(), 200);
    assert_eq!(session.issuer(), provider.issuer());
    let pass = sandbox.pass(&provider);
    pass.force_refresh().unwrap();
    pass.fetch_user().unwrap();
    assert!(!sandbox.record().to_string().contains(other.issuer()));
    assert!(pass.logout().unwrap().erased);
    assert_eq!((provider.count(OPENID_CONFIGURATION), other.connections()), (1, 0));
}

#[test]
fn n13_the_callback_is_on_an_address_and_not_on_a_name_unless_one_is_asked_for() {
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::start().unwrap());
    let robot = server.robot();
    let (browser, uris) = playing(move |url| robot.visit(url.as_str()).map(|_| redirect_uri(url)).unwrap());
    login(demo(&sandbox, &server).login_timeout(library::PATIENCE), browser).unwrap();
    let uri = uris.recv_timeout(library::PATIENCE).unwrap();
    assert_eq!((uri.scheme(), uri.host_str(), uri.path()), ("http", Some("127.0.0.1"), "/callback"));
}

/// Nothing of this computer and its user is in the address, which servers log and proxies see.
#[test]
fn n29_the_address_tells_nothing_of_this_computer_and_its_user() {
    const HERE: [(&str, &str); 5] = [
        ("USER", "n29user"),
        ("HOME", "/home/n29home"),
        ("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22"),
        ("XDG_RUNTIME_DIR", "/run/user/n29run"),
        ("PATH", "/opt/n29path"),
    ];
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let (browser, urls) = playing(|url| {
        get(&sign_in(url));
        url.clone()
    });
    let builder = sandbox.at(&provider).profile("n29profile").environment(Environment::from_variables(HERE));
    login(builder, browser).unwrap();
    let url = urls.recv_timeout(library::PATIENCE).unwrap().to_string();
    let state_dir = sandbox.state_dir().file_name().unwrap().to_str().unwrap().to_owned();
    let parts: Vec<&str> = HERE.iter().flat_map(|(_, value)| value.split([' ', '/'])).collect();
    for part in parts.into_iter().chain(["n29profile", library::SERVICE]).filter(|part| part.len() > 3) {
        assert!(!url.contains(part), "{part}: {url}");
    }
    assert!(!url.contains(&format!("/{state_dir}")), "{url}");
}

/// A secret that ships with a program is public, so only PKCE binds the code to this login.
#[test]
fn n41_a_client_with_a_secret_proves_itself_by_pkce_all_the_same() {
    let client = Client::confidential(CLIENT, "shipped").redirect_uri("http://127.0.0.1/callback");
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::builder().client(client).start().unwrap());
    let builder = sandbox.builder(server.issuer(), CLIENT).client_secret(Secret::new("shipped".to_owned()));
    login(builder.login_timeout(library::PATIENCE), server.robot().opener()).unwrap();
    let authorize = server.journal().requests_to("/authorize").remove(0);
    let token = server.journal().requests_to("/token").remove(0);
    assert_eq!(authorize.param("code_challenge_method"), Some("S256"));
    assert_eq!(authorize.param("code_challenge"), token.param("code_verifier").map(s256).as_deref());
    assert!(token.has_authorization && authorize.param("client_secret").is_none());
}

#[test]
fn a_pass_without_an_issuer_cannot_sign_in() {
    let sandbox = LibrarySandbox::new();
    let error = login(sandbox.stored(), unopened).unwrap_err();
    assert!(matches!(error, Error::Misuse(Misuse::Setting { setting: "issuer", .. })), "{error:?}");
}

#[test]
fn p65_profiles_are_kept_apart_and_listed() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    for profile in ["work", "home"] {
        login(sandbox.at(&provider).profile(profile), visitor().0).unwrap();
    }
    let pass: Hallpass = sandbox.at(&provider).build().unwrap();
    assert_eq!(pass.profiles().unwrap(), ["home", "work"]);
    assert!(matches!(pass.access_token(), Err(Error::LoginRequired(_))));
}

/// Signs somebody else in at the same server under the same profile.
fn second_login(sandbox: &LibrarySandbox, server: &DevServer, email: &str) -> Session {
    login(demo(sandbox, server), server.robot().as_user(email, "password").opener()).unwrap()
}

fn two_users() -> DevServer {
    DevServer::builder()
        .user("test@example.com", "password")
        .user("ada@example.com", "password")
        .start()
        .unwrap()
}

#[test]
fn p63_another_users_sign_in_ends_the_grant_that_it_replaces_after_it_is_saved() {
    let (sandbox, server) = (LibrarySandbox::new(), two_users());
    robot_login(&sandbox, &server);
    let old = sandbox.record()["secret"]["refresh_token"].clone();
    let session = second_login(&sandbox, &server, "ada@example.com");
    assert_eq!(session.user().unwrap().label(), "ada@example.com");
    let revoked = server.journal().requests_to("/revoke");
    assert_eq!(revoked.iter().map(|entry| entry.param("token").unwrap()).next(), old.as_str());
    let saved_first = server.journal().requests_to("/token").last().unwrap().when < revoked[0].when;
    assert!(saved_first && demo(&sandbox, &server).build().unwrap().force_refresh().is_ok());
}

#[test]
fn p63_the_same_users_new_sign_in_revokes_nothing_that_it_may_share() {
    let (sandbox, server) = (LibrarySandbox::new(), two_users());
    robot_login(&sandbox, &server);
    second_login(&sandbox, &server, "test@example.com");
    assert_eq!(server.journal().count("/revoke"), 0);
    assert!(demo(&sandbox, &server).build().unwrap().force_refresh().is_ok());
}

#[test]
fn p63_a_grant_that_another_profile_may_share_is_left_alone() {
    let (sandbox, server) = (LibrarySandbox::new(), two_users());
    robot_login(&sandbox, &server);
    login(demo(&sandbox, &server).profile("work"), server.robot().opener()).unwrap();
    second_login(&sandbox, &server, "ada@example.com");
    assert_eq!(server.journal().count("/revoke"), 0);
}
