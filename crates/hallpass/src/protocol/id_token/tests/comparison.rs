//! Comparison with `jsonwebtoken`, and tokens with random changes.

use super::*;

/// Tokens that `jsonwebtoken` signs are accepted, with the same claims that it reads.
#[test]
fn agrees_with_another_library_on_every_algorithm() {
    for signer in Signer::every() {
        let header =
            jsonwebtoken::Header { kid: Some("k".to_owned()), ..jsonwebtoken::Header::new(signer.algorithm) };
        let raw = jsonwebtoken::encode(&header, &claims(), &signer.key).unwrap();
        let mut jwk = signer.jwk.clone();
        jwk["kid"] = "k".into();
        let token = parsed(&raw).unwrap();
        assert_eq!((token.alg(), token.kid()), (signer.alg(), Some("k")));
        let ours = token.verify(&keys(json!([jwk])), &expected()).unwrap();
        let theirs = oracle(&signer, &raw).unwrap();
        assert_eq!(Value::Object(ours.all), theirs);
    }
}

fn oracle(signer: &Signer, raw: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let key = DecodingKey::from_jwk(&serde_json::from_value(signer.jwk.clone()).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(signer.algorithm);
    validation.set_audience(&[CLIENT_ID]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_exp = false;
    jsonwebtoken::decode(raw, &key, &validation).map(|token| token.claims)
}

/// Every bit of every byte, for each kind of signature.
#[test]
fn a_token_with_one_flipped_bit_never_verifies() {
    for signer in [&*RS256, &*ES256, &Signer::rsa(Algorithm::PS256), &Signer::ed25519()] {
        let (token, keys) = (signer.token(&claims()), signer.keys());
        for (index, bit) in (0..token.expose().len()).flat_map(|index| (0..8).map(move |bit| (index, bit))) {
            let mut bytes = token.expose().as_bytes().to_vec();
            bytes[index] ^= 1 << bit;
            if let Ok(raw) = String::from_utf8(bytes) {
                assert!(judge(&Secret::new(raw), &keys, &expected()).is_err(), "byte {index}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_shortened_token_never_verifies() {
    let (token, keys) = (ES256.token(&claims()), ES256.keys());
    for end in 0..token.expose().len() {
        assert!(judge(&Secret::new(token.expose()[..end].to_owned()), &keys, &expected()).is_err());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,5}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(raw in "\\PC{0,200}|[A-Za-z0-9_.-]{0,200}|[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}") {
        let _ = parsed(&raw);
    }

    #[test]
    fn no_bytes_panic(header: Vec<u8>, claims: Vec<u8>, signature: Vec<u8>) {
        let parts = [header, claims, signature].map(|part| crypto::to_base64url(&part));
        let _ = parsed(&parts.join("."));
        let _ = parsed(&format!("eyJhbGciOiJFUzI1NiJ9.{}.{}", parts[1], parts[2]));
    }

    /// Any claim at any time: no panic, and accepted claims match the expectations.
    #[test]
    fn no_claim_panics(
        name in "iss|sub|aud|azp|exp|iat|nbf|auth_time|nonce|at_hash|x", value in json_value(), now in -DAY..300_000_000_000,
    ) {
        let token = ES256.token(&with(&name, value));
        let expected = Expectations { now: time(now), ..expected() };
        if let Ok(claims) = judge(&token, &ES256.keys(), &expected) {
            prop_assert_eq!(claims.iss, ISSUER);
            prop_assert_eq!(claims.aud, vec![CLIENT_ID]);
            prop_assert_eq!(claims.nonce.as_deref(), Some(NONCE));
            prop_assert!(claims.exp + LEEWAY > expected.now);
            prop_assert!(claims.iat <= expected.now + LEEWAY + Duration::from_secs(1));
        }
    }

    /// `jsonwebtoken` accepts every token that is accepted here.
    #[test]
    fn accepts_nothing_that_another_library_refuses(
        part in 0..3_usize, at: prop::sample::Index, letter in "[A-Za-z0-9_.=-]", cut: bool,
    ) {
        let token = ES256.token(&claims());
        let mut parts: Vec<String> = token.expose().split('.').map(str::to_owned).collect();
        let at = at.index(parts[part].len());
        parts[part].replace_range(at..=at, if cut { "" } else { &letter });
        let raw = parts.join(".");
        let ours = judge(&Secret::new(raw.clone()), &ES256.keys(), &expected()).is_ok();
        prop_assert_eq!(ours, raw == token.expose());
        prop_assert!(!ours || oracle(&ES256, &raw).is_ok());
    }
}
