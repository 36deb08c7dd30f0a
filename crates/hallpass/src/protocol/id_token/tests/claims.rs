//! Required claims, their types and their expected values.

use super::*;

#[test]
fn claims_are_returned_unchanged() {
    let mut raw = claims();
    raw["azp"] = CLIENT_ID.into();
    raw["auth_time"] = json!(NOW - 10);
    raw["nbf"] = json!(NOW - 5);
    raw["address"] =
        json!({"street_address": ["1", null, {"a": -1.5, "b": u64::MAX, "c": i64::MIN, "d": true}]});
    let claims = verdict(raw.clone()).unwrap();
    assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (ISSUER, "248289761001"));
    assert_eq!((claims.aud, claims.azp.as_deref()), (vec![CLIENT_ID.to_owned()], Some(CLIENT_ID)));
    assert_eq!((claims.exp, claims.iat), (time(NOW + HOUR), time(NOW)));
    assert_eq!((claims.nbf, claims.auth_time), (Some(time(NOW - 5)), Some(time(NOW - 10))));
    assert_eq!(claims.nonce.as_deref(), Some(NONCE));
    assert_eq!(Value::Object(claims.all.clone()), raw);
}

#[test]
fn n51_t02_another_iss_is_refused() {
    for iss in [
        "https://login.example/",
        "https://LOGIN.example",
        "http://login.example",
        "https://login.example.evil.test",
        "",
    ] {
        let found = iss.to_owned();
        assert_eq!(
            refused(with("iss", iss)),
            ServerMisbehaved::IdTokenIss { expected: ISSUER.to_owned(), found }
        );
    }
    assert_eq!(refused(without("iss")), ServerMisbehaved::IdTokenClaim("iss"));
}

#[test]
fn another_iss_is_cleaned_for_display() {
    let error = refused(with("iss", "https://a\u{1b}[2J\u{202e}b\n"));
    assert_eq!(
        error,
        ServerMisbehaved::IdTokenIss {
            expected: ISSUER.to_owned(),
            found: "https://a\\u{1b}[2J\\u{202e}b\\u{a}".to_owned()
        }
    );
}

/// L23: `aud` is compared exactly.
#[test]
fn n52_t03_another_aud_is_refused() {
    for aud in [
        json!("other"),
        json!("mytool2"),
        json!("myto"),
        json!("MYTOOL"),
        json!(" mytool"),
        json!(""),
        json!([]),
        json!(["other"]),
        json!(["mytool,other"]),
        json!("mytool other"),
    ] {
        assert_eq!(refused(with("aud", aud)), ServerMisbehaved::IdTokenAud);
    }
}

#[test]
fn n52_a_second_audience_is_refused() {
    for aud in [json!(["mytool", "other"]), json!(["other", "mytool"])] {
        let mut claims = with("aud", aud);
        assert_eq!(refused(claims.clone()), ServerMisbehaved::IdTokenAud);
        claims["azp"] = CLIENT_ID.into();
        assert_eq!(refused(claims), ServerMisbehaved::IdTokenAud, "azp changes nothing");
    }
}

#[test]
fn n52_aud_may_be_an_array() {
    assert_eq!(verdict(with("aud", json!([CLIENT_ID]))).unwrap().aud, [CLIENT_ID]);
}

#[test]
fn n52_t04_missing_aud_is_refused() {
    assert_eq!(refused(without("aud")), ServerMisbehaved::IdTokenClaim("aud"));
}

#[test]
fn n53_azp_is_this_client() {
    assert!(verdict(with("azp", CLIENT_ID)).is_ok());
    for azp in ["other", "MYTOOL", ""] {
        assert_eq!(refused(with("azp", azp)), ServerMisbehaved::IdTokenAzp);
    }
}

#[test]
fn n53_several_audiences_need_azp() {
    let mut twice = with("aud", json!([CLIENT_ID, CLIENT_ID]));
    assert_eq!(refused(twice.clone()), ServerMisbehaved::IdTokenAzp);
    twice["azp"] = CLIENT_ID.into();
    assert!(verdict(twice).is_ok());
}

#[test]
fn n59_t05_missing_sub_is_refused() {
    assert_eq!(refused(without("sub")), ServerMisbehaved::IdTokenClaim("sub"));
}

#[test]
fn n59_sub_has_1_to_255_characters() {
    for sub in ["", &"x".repeat(256), &"x".repeat(300)] {
        assert_eq!(refused(with("sub", sub)), ServerMisbehaved::IdTokenClaim("sub"));
    }
    for sub in ["x", &"x".repeat(255), &"ü".repeat(255)] {
        assert_eq!(verdict(with("sub", sub)).unwrap().sub, sub);
    }
}

#[test]
fn n56_t06_missing_iat_is_refused() {
    assert_eq!(refused(without("iat")), ServerMisbehaved::IdTokenClaim("iat"));
}

#[test]
fn n56_missing_exp_is_refused() {
    assert_eq!(refused(without("exp")), ServerMisbehaved::IdTokenClaim("exp"));
}

#[test]
fn n57_t07_another_nonce_is_refused() {
    for nonce in ["", "n-0S6_WzA2M", "N-0S6_WzA2Mj", "n-0S6_WzA2Mj "] {
        assert_eq!(refused(with("nonce", nonce)), ServerMisbehaved::IdTokenNonce);
    }
}

#[test]
fn n57_missing_nonce_is_refused() {
    assert_eq!(refused(without("nonce")), ServerMisbehaved::IdTokenNonce);
}

/// OpenID Connect Core §12.2.
#[test]
fn after_a_refresh_nonce_is_not_checked() {
    let refreshed = Expectations { nonce: None, ..expected() };
    for claims in [without("nonce"), claims(), with("nonce", "another")] {
        assert!(judge(&ES256.token(&claims), &ES256.keys(), &refreshed).is_ok());
    }
}

/// L22: a claim of the wrong type is an error, not an absence.
#[test]
fn n67_claims_have_their_types() {
    let wrong = [json!(null), json!(true), json!({}), json!([7]), json!([[]]), json!([null])];
    for name in ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "auth_time", "nonce", "at_hash"] {
        let number = matches!(name, "exp" | "iat" | "nbf" | "auth_time");
        let other = if number { json!("9999999999") } else { json!(9_999_999_999_u64) };
        for value in wrong.iter().chain([&other]) {
            assert_eq!(refused(with(name, value.clone())), ServerMisbehaved::IdTokenClaim(name), "{value}");
        }
    }
    assert_eq!(refused(with("aud", json!(["mytool", 7]))), ServerMisbehaved::IdTokenClaim("aud"));
}

/// The first pair is from OpenID Connect Core appendix A.3.
#[test]
fn n60_at_hash_matches_the_access_token() {
    let access_token = Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".to_owned());
    let expected = Expectations { access_token: Some(&access_token), ..expected() };
    let judge =
        |at_hash: &str, expected| judge(&RS256.token(&with("at_hash", at_hash)), &RS256.keys(), expected);
    assert!(judge("77QmUPtjPfzWtF2AnpK9RQ", &expected).is_ok());
    for wrong in [
        "",
        "77QmUPtjPfzWtF2AnpK9RQ==",
        "77QmUPtjPfzWtF2AnpK9RR",
        "77QmUPtjPfzWtF2AnpK9",
        "HK6E_P6Dh8Y93mRNtsDB1Q",
    ] {
        assert_eq!(judge(wrong, &expected), Err(ServerMisbehaved::IdTokenAtHash), "{wrong}");
    }
    assert!(judge("wrong", &Expectations { access_token: None, ..expected }).is_ok(), "nothing to compare");
}

#[test]
fn claims_are_checked_in_the_order_of_the_standard() {
    let wrong = json!({"iss": "x", "sub": "s", "aud": "x", "azp": "x", "exp": 0, "iat": NOW + DAY, "nonce": "x", "at_hash": "x"});
    let access_token = Secret::new("opaque".to_owned());
    let expected = Expectations { access_token: Some(&access_token), ..expected() };
    let mut token = wrong;
    let mut order = Vec::new();
    for (name, right) in [
        ("iss", json!(ISSUER)),
        ("aud", json!(CLIENT_ID)),
        ("azp", json!(CLIENT_ID)),
        ("exp", json!(NOW + HOUR)),
        ("iat", json!(NOW)),
        ("nonce", json!(NONCE)),
        ("at_hash", json!(null)),
    ] {
        let error = judge(&ES256.token(&token), &ES256.keys(), &expected).unwrap_err();
        order.push(format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect::<String>());
        token[name] = right;
    }
    let names = ["Iss", "Aud", "Azp", "Expired", "FromFuture", "Nonce", "AtHash"];
    assert_eq!(order, names.map(|name| format!("IdToken{name}")));
    let stranger = Signer::es256().token(&with("iss", "x"));
    assert_eq!(
        judge(&stranger, &ES256.keys(), &expected),
        Err(ServerMisbehaved::IdTokenSignature),
        "before any claim"
    );
}

#[test]
fn contradicts_detects_another_session() {
    let contradicts = |claims: Value| {
        // Signature and expiration are not checked.
        let token = Signer::es256().token(&claims);
        UnverifiedIdToken::parse(&token).unwrap().contradicts(ISSUER, "248289761001", CLIENT_ID)
    };
    let another = ServerMisbehaved::IdTokenIss { expected: ISSUER.to_owned(), found: "x".to_owned() };
    for (claims, expected) in [
        (claims(), None),
        (without("nonce"), None),
        (with("exp", 1), None),
        (with("iat", 4_000_000_000_u64), None),
        (with("azp", CLIENT_ID), None),
        (with("iss", "x"), Some(another)),
        (with("sub", "248289761002"), Some(ServerMisbehaved::IdTokenSub)),
        (with("aud", "x"), Some(ServerMisbehaved::IdTokenAud)),
        (with("aud", json!([CLIENT_ID, "x"])), Some(ServerMisbehaved::IdTokenAud)),
        (with("azp", "x"), Some(ServerMisbehaved::IdTokenAzp)),
    ] {
        assert_eq!(contradicts(claims.clone()), expected, "{claims}");
    }
}
