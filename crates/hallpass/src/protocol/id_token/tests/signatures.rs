//! Algorithms, keys and signatures.

use super::*;

#[test]
fn n55_t08_rs256_is_accepted() {
    assert!(judge(&RS256.token(&claims()), &RS256.keys(), &expected()).is_ok());
}

#[test]
fn n55_t09_alg_none_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for end in ["", ES256.token(&claims()).expose().rsplit('.').next().unwrap()] {
            let message = message(&json!({ "alg": alg }).to_string(), &claims().to_string());
            let error = parsed(&format!("{message}.{end}")).unwrap_err();
            assert_eq!(error, ServerMisbehaved::IdTokenAlg(alg.to_owned()));
        }
    }
}

/// CVE-2015-9235: a public key used as the secret of an HMAC.
#[test]
fn n55_hs256_signed_with_the_public_key_is_refused() {
    let base64: String = RFC_7515_A_2_PEM.lines().filter(|line| !line.starts_with('-')).collect();
    let der = crypto::from_base64url(&base64.replace('+', "-").replace('/', "_")).unwrap();
    let n = RS256.jwk["n"].as_str().unwrap();
    let set = json!({ "keys": [RS256.jwk] }).to_string();
    let jwk = RS256.jwk.to_string();
    for secret in [
        RFC_7515_A_2_PEM.as_bytes(),
        RFC_7515_A_2_PEM.trim_end().as_bytes(),
        &der,
        n.as_bytes(),
        &crypto::from_base64url(n).unwrap(),
        set.as_bytes(),
        jwk.as_bytes(),
        b"",
    ] {
        for (algorithm, alg) in
            [(Algorithm::HS256, "HS256"), (Algorithm::HS384, "HS384"), (Algorithm::HS512, "HS512")]
        {
            let hmac = Signer { key: EncodingKey::from_secret(secret), algorithm, jwk: Value::Null };
            let claims = claims().to_string();
            let token = hmac.sign(&json!({ "alg": alg }).to_string(), &claims);
            assert_eq!(
                judge(&token, &RS256.keys(), &expected()),
                Err(ServerMisbehaved::IdTokenAlg(alg.to_owned()))
            );
            // The same bytes under the name of the expected algorithm.
            let disguised = hmac.sign(r#"{"alg":"RS256"}"#, &claims);
            assert_eq!(
                judge(&disguised, &RS256.keys(), &expected()),
                Err(ServerMisbehaved::IdTokenSignature)
            );
        }
    }
}

#[test]
fn n55_a_key_of_another_type_does_not_fit() {
    let header = r#"{"alg":"ES256"}"#;
    let token = RS256.sign(header, &claims().to_string());
    assert_eq!(judge(&token, &RS256.keys(), &expected()), Err(ServerMisbehaved::IdTokenKey));
    let token = ES256.sign(r#"{"alg":"RS256"}"#, &claims().to_string());
    assert_eq!(judge(&token, &ES256.keys(), &expected()), Err(ServerMisbehaved::IdTokenKey));
}

/// The header names one algorithm, and the signature uses another that fits the key.
#[test]
fn n55_the_signature_must_be_of_the_named_algorithm() {
    for signer in Signer::every() {
        for other in Signer::every() {
            if signer.alg() == other.alg() {
                continue;
            }
            let token = signer.sign(&other.header().to_string(), &claims().to_string());
            let mut jwk = signer.jwk.clone();
            jwk.as_object_mut().unwrap().remove("alg");
            let error = judge(&token, &keys(json!([jwk])), &expected()).unwrap_err();
            assert!(
                matches!(error, ServerMisbehaved::IdTokenKey | ServerMisbehaved::IdTokenSignature),
                "{} as {}: {error}",
                signer.alg(),
                other.alg()
            );
        }
    }
}

#[test]
fn n55_a_key_for_another_algorithm_does_not_fit() {
    let ps256 = Signer::rsa(Algorithm::PS256);
    assert_eq!(judge(&ps256.token(&claims()), &RS256.keys(), &expected()), Err(ServerMisbehaved::IdTokenKey));
}

#[test]
fn n54_t10_a_wrong_rs256_signature_is_refused() {
    wrong_signatures_are_refused(&RS256);
}

#[test]
fn n54_t11_a_wrong_es256_signature_is_refused() {
    wrong_signatures_are_refused(&ES256);
}

#[test]
fn n54_wrong_signatures_of_every_algorithm_are_refused() {
    Signer::every().iter().for_each(wrong_signatures_are_refused);
}

/// Among them are the all-zero signature of CVE-2022-21449 and the valid signature of other claims.
fn wrong_signatures_are_refused(signer: &Signer) {
    let (token, other) = (signer.token(&claims()), signer.token(&with("sub", "another")));
    let (message, signature) = token.expose().rsplit_once('.').unwrap();
    let bytes = crypto::from_base64url(signature).unwrap();
    let zeros = vec![0; bytes.len()];
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let other = crypto::from_base64url(other.expose().rsplit('.').next().unwrap()).unwrap();
    let long = [&bytes[..], &[0]].concat();
    for wrong in [&[][..], &zeros, &reversed, &other, &long, &bytes[1..], &bytes[..bytes.len() - 1]] {
        let token = Secret::new(format!("{message}.{}", crypto::to_base64url(wrong)));
        let verdict = judge(&token, &signer.keys(), &expected());
        assert_eq!(verdict, Err(ServerMisbehaved::IdTokenSignature), "{}", signer.alg());
    }
}

/// JOSE concatenates R and S; the ASN.1 form of other protocols is refused.
#[test]
fn n54_an_asn_1_ecdsa_signature_is_refused() {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let signer = Signer::new(EncodingKey::from_ec_der(&pair.serialize_der()), Algorithm::ES256);
    let message = message(&signer.header().to_string(), &claims().to_string());
    let asn_1 = rcgen::SigningKey::sign(&pair, message.as_bytes()).unwrap();
    let token = Secret::new(format!("{message}.{}", crypto::to_base64url(&asn_1)));
    assert_eq!(judge(&token, &signer.keys(), &expected()), Err(ServerMisbehaved::IdTokenSignature));
}

#[test]
fn n64_t12_without_kid_the_one_fitting_key_is_used() {
    let token = RS256.token(&claims());
    let all = keys(json!([ES256.jwk, Signer::es384().jwk, RS256.jwk, {"kty": "later"}]));
    assert!(judge(&token, &RS256.keys(), &expected()).is_ok());
    assert!(judge(&token, &all, &expected()).is_ok());
}

#[test]
fn n64_t13_without_kid_every_fitting_key_is_tried() {
    let other = json!({"kty": "RSA", "n": RFC_7520_N, "e": "AQAB"});
    let token = RS256.token(&claims());
    assert!(judge(&token, &keys(json!([other, RS256.jwk])), &expected()).is_ok());
    assert!(judge(&token, &keys(json!([RS256.jwk, other])), &expected()).is_ok());
    assert_eq!(
        judge(&token, &keys(json!([other, other])), &expected()),
        Err(ServerMisbehaved::IdTokenSignature)
    );
}

#[test]
fn n64_a_key_for_encryption_does_not_fit() {
    let mut jwk = ES256.jwk.clone();
    jwk["use"] = "enc".into();
    assert_eq!(
        judge(&ES256.token(&claims()), &keys(json!([jwk])), &expected()),
        Err(ServerMisbehaved::IdTokenKey)
    );
}

#[test]
fn n65_an_rsa_key_of_1024_bits_does_not_fit() {
    let jwk = json!({"kty": "RSA", "n": crypto::to_base64url(&[0xff; 128]), "e": "AQAB"});
    assert_eq!(
        judge(&RS256.token(&claims()), &keys(json!([jwk])), &expected()),
        Err(ServerMisbehaved::IdTokenKey)
    );
}

/// A token can contain its own key in four ways.
#[test]
fn n62_keys_in_the_header_are_ignored() {
    let attacker = Signer::es256();
    let jku = "https://evil.test/jwks.json";
    for kid in [None, Some("server"), Some("attacker")] {
        let mut header = json!({"alg": "ES256", "kid": kid.unwrap_or("-"), "jwk": attacker.jwk, "jku": jku, "x5u": jku, "x5c": ["MII"]});
        if kid.is_none() {
            header.as_object_mut().unwrap().remove("kid");
        }
        let token = attacker.sign(&header.to_string(), &claims().to_string());
        let mut server = ES256.jwk.clone();
        server["kid"] = "server".into();
        let error = judge(&token, &keys(json!([server])), &expected()).unwrap_err();
        let known = kid != Some("attacker");
        assert_eq!(
            error,
            if known { ServerMisbehaved::IdTokenSignature } else { ServerMisbehaved::IdTokenKey }
        );
    }
}

#[test]
fn n62_a_header_with_invalid_keys_is_accepted() {
    let header = json!({"alg": "ES256", "jku": 7, "jwk": null, "x5c": {}, "x5u": "x", "later": [1]});
    assert!(header_verdict(&header.to_string()).is_ok());
}

/// OpenID Connect Core §10.1.1.
#[test]
fn n63_an_unknown_kid_needs_fresh_keys() {
    let named = |kid: &str| {
        let mut jwk = ES256.jwk.clone();
        jwk["kid"] = kid.into();
        keys(json!([jwk]))
    };
    let token = ES256.sign(r#"{"alg":"ES256","kid":"new"}"#, &claims().to_string());
    let token = UnverifiedIdToken::parse(&token).unwrap();
    assert_eq!(token.kid(), Some("new"));
    assert!(!token.has_key_in(&named("old")));
    assert_eq!(token.clone().verify(&named("old"), &expected()), Err(ServerMisbehaved::IdTokenKey));
    assert!(token.has_key_in(&named("new")));
    assert!(token.verify(&named("new"), &expected()).is_ok());
}

#[test]
fn an_empty_jwks_has_no_key() {
    assert_eq!(
        judge(&ES256.token(&claims()), &JwkSet::default(), &expected()),
        Err(ServerMisbehaved::IdTokenKey)
    );
}

#[test]
fn n60_at_hash_has_the_size_of_the_algorithm() {
    let access_token = Secret::new("opaque".to_owned());
    let expected = Expectations { access_token: Some(&access_token), ..expected() };
    for signer in Signer::every() {
        for hash in [crypto::Sha2::Sha256, crypto::Sha2::Sha384, crypto::Sha2::Sha512] {
            let half = &hash.hash(b"opaque")[..];
            let token = signer.token(&with("at_hash", crypto::to_base64url(&half[..half.len() / 2])));
            let right = match signer.alg().as_str() {
                "EdDSA" => hash == crypto::Sha2::Sha512,
                name => format!("{hash:?}").ends_with(&name[2..]),
            };
            assert_eq!(judge(&token, &signer.keys(), &expected).is_ok(), right, "{} {hash:?}", signer.alg());
        }
    }
}
