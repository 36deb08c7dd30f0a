//! The encoding of tokens, and what is shown of them.

use super::*;

#[test]
fn n66_headers() {
    use ServerMisbehaved::{IdTokenAlg, IdTokenHeader, IdTokenMalformed};
    let malformed = || IdTokenMalformed("the header is not a JSON object with unique members");
    for (header, expected) in [
        (r#"{"alg":"ES256"}"#, None),
        (r#"{"alg":"ES256","typ":"JWT"}"#, None),
        (r#"{"alg":"ES256","typ":"jwt"}"#, None),
        (r#"{"alg":"ES256","typ":"application/JWT"}"#, None),
        (r#"{"alg":"ES256","b64":true}"#, None),
        (r#"{"alg":"ES256","cty":"x","zip":"DEF","later":{}}"#, None),
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":"application/at+jwt"}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":"logout+jwt"}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":"dpop+jwt"}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":"secevent+jwt"}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":"JOSE"}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":""}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":null}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","typ":["JWT"]}"#, Some(IdTokenHeader("typ"))),
        (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, Some(IdTokenHeader("crit"))),
        (r#"{"alg":"ES256","crit":["b64"],"b64":true}"#, Some(IdTokenHeader("crit"))),
        (r#"{"alg":"ES256","crit":[]}"#, Some(IdTokenHeader("crit"))),
        (r#"{"alg":"ES256","crit":null}"#, Some(IdTokenHeader("crit"))),
        (r#"{"alg":"ES256","b64":false}"#, Some(IdTokenHeader("b64"))),
        (r#"{"alg":"ES256","b64":"true"}"#, Some(IdTokenHeader("b64"))),
        (r#"{"alg":"ES256","kid":7}"#, Some(IdTokenHeader("kid"))),
        (r#"{"alg":"ES256","kid":null}"#, Some(IdTokenHeader("kid"))),
        (r#"{"typ":"JWT"}"#, Some(IdTokenHeader("alg"))),
        (r#"{"alg":null}"#, Some(IdTokenHeader("alg"))),
        (r#"{"alg":["ES256"]}"#, Some(IdTokenHeader("alg"))),
        (r#"{"alg":"es256"}"#, Some(IdTokenAlg("es256".to_owned()))),
        (r#"{"alg":"ES512"}"#, Some(IdTokenAlg("ES512".to_owned()))),
        (r#"{"alg":"dir","enc":"A256GCM"}"#, Some(IdTokenAlg("dir".to_owned()))),
        (r#"{"alg":"none","alg":"ES256"}"#, Some(malformed())),
        (r#"{"alg":"ES256","alg":"ES256"}"#, Some(malformed())),
        (r#"{"alg":"ES256","\u0061lg":"none"}"#, Some(malformed())),
        (r#"{"alg":"ES256","x":{"y":1,"y":2}}"#, Some(malformed())),
        ("", Some(malformed())),
        ("[]", Some(malformed())),
        (r#"["ES256"]"#, Some(malformed())),
        (r#""ES256""#, Some(malformed())),
        (r#"{"alg":"ES256"}{}"#, Some(malformed())),
        (r#"{"alg":"ES256""#, Some(malformed())),
        ("\u{feff}{\"alg\":\"ES256\"}", Some(malformed())),
    ] {
        assert_eq!(header_verdict(header).err(), expected, "{header}");
    }
}

#[test]
fn n67_members_are_unique() {
    let text = claims().to_string();
    for double in [
        r#""iss":"https://login.example""#,
        r#""aud":"other""#,
        r#""exp":9999999999"#,
        r#""\u0065xp":1"#,
        r#""x":1,"x":1"#,
        r#""x":{"y":[{"z":1,"z":2}]}"#,
        r#""":1,"":2"#,
    ] {
        let token = ES256.sign(&ES256.header().to_string(), &text.replacen('{', &format!("{{{double},"), 1));
        let error = UnverifiedIdToken::parse(&token).unwrap_err();
        assert_eq!(
            error,
            ServerMisbehaved::IdTokenMalformed("the claims are not a JSON object with unique members"),
            "{double}"
        );
    }
}

#[test]
fn n67_claims_are_a_json_object() {
    let text = claims().to_string();
    for payload in [
        "",
        "null",
        "[]",
        "\"x\"",
        "7",
        "{",
        &text[1..],
        &text[..text.len() - 1],
        &format!("{text}x"),
        &format!("{text}{text}"),
        &format!("[{text}]"),
        &format!("\u{feff}{text}"),
        r#"{"iss":"\ud800"}"#,
        "{'iss':1}",
    ] {
        let token = ES256.sign(&ES256.header().to_string(), payload);
        let error = UnverifiedIdToken::parse(&token).unwrap_err();
        assert_eq!(
            error,
            ServerMisbehaved::IdTokenMalformed("the claims are not a JSON object with unique members"),
            "{payload}"
        );
    }
}

#[test]
fn n67_base64url_has_one_encoding_per_value() {
    let token = ES256.token(&claims());
    let parts: Vec<&str> = token.expose().split('.').collect();
    for index in 0..3 {
        for spelling in ["{}=", "{}==", " {}", "{}\n", "{}A=", "{}+", "{}/", "{}é", "{}\0"] {
            let mut parts = parts.clone();
            let other = spelling.replace("{}", parts[index]);
            parts[index] = &other;
            assert_eq!(
                parsed(&parts.join(".")).unwrap_err(),
                ServerMisbehaved::IdTokenMalformed("not base64url"),
                "part {index} as {spelling:?}"
            );
        }
    }
    // With 64 bytes, four bits of the last letter are unused: only one of sixteen encodings is valid.
    let last = parts[2].chars().last().unwrap();
    let others = ('A'..='Z').chain('a'..='z').filter(|&letter| letter != last);
    for letter in others {
        let other = format!("{}.{}.{}{letter}", parts[0], parts[1], &parts[2][..parts[2].len() - 1]);
        assert!(judge(&Secret::new(other), &ES256.keys(), &expected()).is_err(), "{letter}");
    }
}

#[test]
fn a_token_has_three_parts() {
    let token = ES256.token(&claims());
    let raw = token.expose();
    let (two, _) = raw.rsplit_once('.').unwrap();
    for raw in
        ["", ".", "x", two, &format!("{raw}."), &format!(".{raw}"), &format!("{raw}.{raw}"), "a.b.c.d.e"]
    {
        assert_eq!(parsed(raw).unwrap_err(), ServerMisbehaved::IdTokenMalformed("not three parts"), "{raw}");
    }
}

#[test]
fn a_token_has_at_most_64_kib() {
    let padded = |size: usize| ES256.token(&with("groups", "x".repeat(size)));
    assert!(judge(&padded(40_000), &ES256.keys(), &expected()).is_ok());
    let error = ServerMisbehaved::IdTokenMalformed("larger than 64 KiB");
    assert_eq!(UnverifiedIdToken::parse(&padded(60_000)).unwrap_err(), error);
    assert_eq!(parsed(&".".repeat(MAX_BYTES + 1)).unwrap_err(), error);
    assert_eq!(
        parsed(&".".repeat(MAX_BYTES)).unwrap_err(),
        ServerMisbehaved::IdTokenMalformed("not three parts")
    );
}

#[test]
fn deeply_nested_claims_are_an_error() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    assert!(UnverifiedIdToken::parse(&ES256.sign(&ES256.header().to_string(), &deep)).is_err());
}

#[test]
fn debug_shows_no_nonce_no_hash_and_no_token() {
    let mut claims = with("at_hash", "marker-at-hash");
    claims["nonce"] = "marker-nonce".into();
    claims["email"] = "marker-email".into();
    let raw = ES256.token(&claims);
    let token = UnverifiedIdToken::parse(&raw).unwrap();
    let text = format!("{token:?} {token:#?} {:?}", token.claims());
    assert!(!text.contains("marker"), "{text}");
    for part in raw.expose().split('.') {
        assert!(!text.contains(part), "{text}");
    }
    assert!(text.contains("248289761001"), "{text}");
}

#[test]
fn no_error_shows_the_token() {
    let raw = ES256.token(&with("nonce", "marker"));
    let error = judge(&raw, &ES256.keys(), &expected()).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("marker") && !text.contains(NONCE), "{text}");
}
