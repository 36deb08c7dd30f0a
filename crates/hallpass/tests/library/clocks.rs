//! This computer's clock is not the server's: what differs little works, and what differs too much is explained.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use hallpass::error::ServerMisbehaved::{IdTokenExpired, IdTokenFromFuture};
use hallpass::{Builder, Error, Result, Session};
use hallpass_dev::DevServer;
use hallpass_test::jose::RS256;
use hallpass_test::library::{LibrarySandbox, PATIENCE, login, playing, visitor};
use hallpass_test::provider::{JWKS, Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use serde_json::json;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A provider that says what its clock shows, and whose ID tokens live for 10 minutes.
fn provider() -> Provider {
    let provider = Provider::clerk();
    provider.twist_claims(|claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() + 600));
    provider.on(JWKS, |_| {
        let keys = Response::json(200, &json!({ "keys": [RS256.jwk] }));
        Some(keys.header("Date", &httpdate::fmt_http_date(SystemTime::now())))
    });
    provider
}

/// A login by a clock that is so many seconds ahead.
fn login_ahead(provider: &Provider, seconds: i64) -> Result<Session> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let clock = move || {
        let now = SystemTime::now();
        if seconds < 0 { now - distance } else { now + distance }
    };
    login(LibrarySandbox::new().at(provider).clock(clock), visitor().0)
}

#[test]
fn p36_a_clock_that_is_minutes_wrong_signs_in() {
    let provider = provider();
    for ahead in [5, 4 * MINUTE, 14 * MINUTE, -5, -4 * MINUTE] {
        let session = login_ahead(&provider, ahead);
        assert!(session.is_ok(), "{ahead} s ahead: {session:?}");
    }
}

#[test]
fn p36_a_clock_that_is_hours_wrong_is_told_by_how_much_and_against_whose() {
    let provider = provider();
    let host = provider.origin().replace("http://", "");
    for (ahead, told) in [
        (HOUR, format!("which is 1h ahead of {host}'s")),
        (24 * HOUR, format!("which is 1day ahead of {host}'s")),
        (-HOUR, format!("which is 1h behind {host}'s")),
        (-24 * HOUR, format!("which is 1day behind {host}'s")),
    ] {
        let error = login_ahead(&provider, ahead).unwrap_err();
        assert!(error.to_string().ends_with(&told), "{error}");
        assert_eq!(matches!(error, Error::ServerMisbehaved(IdTokenExpired { .. })), ahead > 0);
        assert_eq!(matches!(error, Error::ServerMisbehaved(IdTokenFromFuture { .. })), ahead < 0);
    }
}

#[test]
fn p36_a_server_that_says_no_date_or_ours_is_told_nothing_about_clocks() {
    let without_date = Provider::clerk();
    let error = login_ahead(&without_date, -HOUR).unwrap_err();
    assert!(error.to_string().ends_with("by this computer's clock"), "{error}");
    let wrong_token = provider();
    wrong_token.twist_claims(|claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() - 3600));
    let error = login_ahead(&wrong_token, 0).unwrap_err();
    assert!(error.to_string().ends_with("by this computer's clock"), "{error}");
}

#[test]
fn p36_a_clock_that_was_set_wrong_later_is_told_when_the_id_token_is_renewed() {
    let (sandbox, provider) = (LibrarySandbox::new(), provider());
    sandbox.signed_in(&provider);
    sandbox.wait(24 * HOUR.unsigned_abs());
    let token = sandbox.pass(&provider).access_token().unwrap();
    let notes = token.notes().join("\n");
    assert!(notes.contains("which is 1day ahead of 127.0.0.1:"), "{notes}");
}

/// This computer's clock, so many seconds ahead of the right time.
#[derive(Clone, Default)]
struct Watch(Arc<AtomicI64>);

impl Watch {
    fn set(&self, ahead: i64) -> Watch {
        self.0.store(ahead, Ordering::SeqCst);
        self.clone()
    }

    fn now(&self) -> SystemTime {
        let ahead = self.0.load(Ordering::SeqCst);
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }

    fn worn(&self, builder: Builder) -> Builder {
        let watch = self.clone();
        builder.clock(move || watch.now())
    }
}

/// At a server whose tokens live for ten minutes, with this computer's clock off by so much.
struct ClockSetup {
    sandbox: LibrarySandbox,
    server: DevServer,
    watch: Watch,
}

impl ClockSetup {
    fn off_by(ahead: i64) -> ClockSetup {
        let server = DevServer::builder().token_ttl(Duration::from_secs(600)).start().unwrap();
        ClockSetup { sandbox: LibrarySandbox::new(), server, watch: Watch::default().set(ahead) }
    }

    fn signed_in() -> ClockSetup {
        let setup = ClockSetup::off_by(0);
        setup.login().unwrap();
        setup
    }

    fn builder(&self) -> Builder {
        let builder = self.sandbox.builder(self.server.issuer(), "demo").login_timeout(PATIENCE);
        self.watch.worn(builder)
    }

    fn login(&self) -> Result<Session> {
        login(self.builder(), self.server.robot().opener())
    }

    /// Returns the tokens that a script gets, and the number of requests for them.
    fn tokens(&self, calls: usize) -> (Result<Vec<String>>, usize) {
        let before = self.server.journal().count("/token");
        let token = |_| Ok(self.builder().build()?.access_token()?.expose().to_owned());
        let tokens = (0..calls).map(token).collect();
        (tokens, self.server.journal().count("/token") - before)
    }
}

#[test]
fn p36_a_clock_that_is_off_by_a_few_minutes_keeps_nobody_out_and_costs_no_refresh() {
    for ahead in [-5, 5, -4 * MINUTE, 4 * MINUTE] {
        let setup = ClockSetup::off_by(ahead);
        let session = setup.login().unwrap();
        assert!(session.user().is_some() && session.notes().is_empty(), "{ahead}: {:?}", session.notes());
        let (tokens, refreshes) = setup.tokens(3);
        assert_eq!((tokens.unwrap().len(), refreshes), (3, 0), "{ahead}");
        let left = session.expires_at().unwrap().duration_since(setup.watch.now()).unwrap();
        assert!((590..=600).contains(&left.as_secs()), "by this computer's clock: {left:?}");
        // Its ten minutes are over here when they are over there.
        setup.watch.set(ahead + 10 * MINUTE);
        let (tokens, refreshes) = setup.tokens(3);
        assert_eq!((tokens.unwrap().len(), refreshes), (3, 1), "{ahead}");
    }
}

#[test]
fn p36_a_clock_that_is_set_while_the_user_signs_in_changes_nothing_or_is_named() {
    for (step, works) in [(-4 * MINUTE, true), (4 * MINUTE, true), (-HOUR, false), (HOUR, false)] {
        let setup = ClockSetup::off_by(0);
        let (watch, robot) = (setup.watch.clone(), setup.server.robot());
        let (browser, _visits) = playing(move |url| {
            watch.set(step);
            robot.visit(url.as_str()).is_ok()
        });
        match login(setup.builder(), browser) {
            Ok(_) => assert!(works && setup.tokens(2).1 == 0, "{step}"),
            Err(Error::ServerMisbehaved(IdTokenExpired { .. } | IdTokenFromFuture { .. })) => {
                assert!(!works, "{step}")
            }
            Err(error) => panic!("{step}: {error:?}"),
        }
    }
}

#[test]
fn p36_after_a_sleep_of_nine_hours_there_is_one_refresh() {
    let setup = ClockSetup::signed_in();
    setup.watch.set(9 * HOUR);
    let (tokens, refreshes) = setup.tokens(5);
    let tokens = tokens.unwrap();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(refreshes, 1);
}

/// By such a clock the token in the record is still to be issued, and seems to live for an hour longer than it does.
#[test]
fn p36_after_the_clock_was_set_back_there_is_one_refresh() {
    for back in [2 * MINUTE, HOUR, DAY, 40 * 365 * DAY] {
        let setup = ClockSetup::signed_in();
        setup.watch.set(-back);
        let (tokens, refreshes) = setup.tokens(5);
        assert_eq!((tokens.unwrap().len(), refreshes), (5, 1), "{back}");
        setup.watch.set(0);
        assert!(setup.tokens(2).1 <= 1, "{back}");
    }
}

#[test]
fn p36_a_token_that_no_refresh_can_replace_is_handed_out_with_a_note_when_the_clock_was_set_back() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.twist_tokens(|tokens| drop(tokens.as_object_mut().unwrap().remove("refresh_token")));
    sandbox.signed_in(&provider);
    let watch = Watch::default().set(-HOUR);
    let token = watch.worn(sandbox.at(&provider)).build().unwrap().access_token().unwrap();
    assert!(token.notes().iter().any(|note| note.contains("could not refresh")), "{:?}", token.notes());
    assert_eq!(provider.count(TOKEN), 0);
}

/// A refresh that brings a token which is over at once, by any clock, is not followed by another.
#[test]
fn p36_a_refresh_that_does_not_help_is_not_repeated() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    provider.twist_tokens(|tokens| tokens["expires_in"] = json!(1));
    sandbox.wait(3 * 3600);
    let pass = sandbox.pass(&provider);
    for calls in 1..=3 {
        pass.access_token().unwrap();
        assert_eq!(provider.count(TOKEN), calls, "one for each call that finds it over");
        sandbox.wait(1);
    }
    provider.always(TOKEN, Response::empty(503));
    sandbox.wait(60);
    provider.forget();
    assert!(pass.access_token().unwrap_err().is_retryable());
    assert_eq!(provider.count(TOKEN), 1);
}
