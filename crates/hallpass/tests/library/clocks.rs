//! This computer's clock is not the server's: what differs little works, and what differs too much is explained.

use std::time::{Duration, SystemTime};

use hallpass::error::ServerMisbehaved::{IdTokenExpired, IdTokenFromFuture};
use hallpass::{Error, Result, Session};
use serde_json::json;

use crate::bench::{Bench, login, visitor};
use crate::jose::RS256;
use crate::provider::{JWKS, Provider};
use crate::scripted::Answer;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A provider that says what its clock shows, and whose ID tokens live for 10 minutes.
fn provider() -> Provider {
    let provider = Provider::clerk();
    provider.twist_claims(|claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() + 600));
    provider.on(JWKS, |_| {
        let keys = Answer::json(200, &json!({ "keys": [RS256.jwk] }));
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
    login(Bench::new().at(provider).clock(clock), visitor().0)
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
    let (bench, provider) = (Bench::new(), provider());
    bench.signed_in(&provider);
    bench.wait(24 * HOUR.unsigned_abs());
    let token = bench.pass(&provider).access_token().unwrap();
    let notes = token.notes().join("\n");
    assert!(notes.contains("which is 1day ahead of 127.0.0.1:"), "{notes}");
}
