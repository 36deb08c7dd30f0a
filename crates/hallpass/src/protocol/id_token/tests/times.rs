//! Times and the leeway for wrong clocks.

use super::*;

#[test]
fn n56_exp_table() {
    for (now, expected) in [
        (0, None),
        (HOUR - 1, None),
        (HOUR, None),
        (HOUR + 5, None),
        (HOUR + 4 * MINUTE, None),
        (HOUR + 299, None),
        (HOUR + 300, Some(300)),
        (2 * HOUR, Some(HOUR)),
        (HOUR + DAY, Some(DAY)),
        (1000 * 365 * DAY, Some(1000 * 365 * DAY - HOUR)),
    ] {
        let verdict = at(NOW + now, claims());
        assert_eq!(verdict.err(), expected.map(expired), "{now} s after iat");
    }
}

fn expired(seconds: i64) -> ServerMisbehaved {
    ServerMisbehaved::IdTokenExpired { ago: Duration::from_secs(seconds.unsigned_abs()), skew: None }
}

fn from_future(seconds: i64) -> ServerMisbehaved {
    ServerMisbehaved::IdTokenFromFuture { ahead: Duration::from_secs(seconds.unsigned_abs()), skew: None }
}

/// P36: this computer's clock is behind.
#[test]
fn n56_iat_and_nbf_table() {
    for (behind, expected) in [
        (0, None),
        (5, None),
        (4 * MINUTE, None),
        (300, None),
        (301, Some(301)),
        (HOUR, Some(HOUR)),
        (DAY, Some(DAY)),
        (NOW, Some(NOW)),
        (NOW + DAY, Some(NOW + DAY)),
    ] {
        assert_eq!(at(NOW - behind, claims()).err(), expected.map(from_future), "iat, {behind} s behind");
        if behind <= NOW {
            let mut claims = with("nbf", NOW);
            claims["iat"] = json!(NOW - behind);
            assert_eq!(at(NOW - behind, claims).err(), expected.map(from_future), "nbf, {behind} s behind");
        }
    }
}

fn at(now: i64, claims: Value) -> Result<IdTokenClaims, ServerMisbehaved> {
    judge(&ES256.token(&claims), &ES256.keys(), &Expectations { now: time(now), ..expected() })
}

#[test]
fn n56_errors_say_how_far_the_times_are_off() {
    assert_eq!(
        refused(with("exp", NOW - HOUR)).to_string(),
        "the ID token expired 1h ago by this computer's clock"
    );
    assert_eq!(
        refused(with("iat", NOW + HOUR + 1)).to_string(),
        "the ID token is dated 1h 1s in the future by this computer's clock"
    );
}

#[test]
fn n56_times_are_any_json_number() {
    let exp = |number: &str| {
        let text = without("exp").to_string().replacen('{', &format!(r#"{{"exp":{number},"#), 1);
        judge(&ES256.sign(&ES256.header().to_string(), &text), &ES256.keys(), &expected())
            .map(|claims| claims.exp)
    };
    let last = time(253_402_300_799);
    for (number, time) in [
        ("1700000001", time(NOW + 1)),
        ("1700000001.9", time(NOW + 1)),
        ("1.700000001e9", time(NOW + 1)),
        ("17000000010e-1", time(NOW + 1)),
        ("253402300799", last),
        ("253402300800", last),
        ("9223372036854775807", last),
        ("18446744073709551615", last),
        ("18446744073709551616", last),
        ("1e300", last),
    ] {
        assert_eq!(exp(number), Ok(time), "{number}");
    }
    for number in ["0", "-0", "-1", "-0.5", "1e-400", "-1e300", "-9223372036854775808"] {
        assert_eq!(exp(number), Err(expired(NOW)), "{number}");
    }
    for number in ["1e400", "-1e400", "\"1700000001\"", "\"\"", "01", "+1", "NaN", "Infinity", ""] {
        assert_eq!(exp(number), Err(ServerMisbehaved::IdTokenClaim("exp")), "{number}");
    }
    for number in ["1700000001x", "0x1", "1 2"] {
        assert!(matches!(exp(number), Err(ServerMisbehaved::IdTokenMalformed(_))), "{number}");
    }
}

#[test]
fn n56_far_future_iat_is_refused() {
    for iat in [json!(1e300), json!(u64::MAX), json!(NOW + 301)] {
        assert!(matches!(refused(with("iat", iat)), ServerMisbehaved::IdTokenFromFuture { .. }));
    }
}

#[test]
fn n61_auth_time_fits_the_requested_max_age() {
    let judge = |claims: &Value, max_age| {
        let max_age = Some(Duration::from_secs(max_age));
        judge(&ES256.token(claims), &ES256.keys(), &Expectations { max_age, ..expected() }).err()
    };
    let before = |seconds: i64| with("auth_time", NOW - seconds);
    let too_old =
        |seconds: i64| Some(ServerMisbehaved::IdTokenAuthTime(Duration::from_secs(seconds.unsigned_abs())));
    assert_eq!(judge(&before(0), 0), None);
    assert_eq!(judge(&before(5 * MINUTE), 0), None, "the user read the consent page");
    assert_eq!(judge(&before(5 * MINUTE + 1), 0), too_old(5 * MINUTE + 1));
    assert_eq!(judge(&before(HOUR + 5 * MINUTE), 3600), None);
    assert_eq!(judge(&before(DAY), 3600), too_old(DAY));
    assert_eq!(judge(&before(DAY), u64::MAX), None);
    assert_eq!(judge(&claims(), 3600), Some(ServerMisbehaved::IdTokenClaim("auth_time")));
    assert!(at(NOW, before(DAY)).is_ok(), "no max_age was requested");
}
