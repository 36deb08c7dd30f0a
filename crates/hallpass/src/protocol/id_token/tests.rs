//! RFC vectors, forgeries, time tables and a second library against the rules of ID tokens.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use proptest::prelude::*;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData as _};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://login.example";
const CLIENT_ID: &str = "mytool";
const NONCE: &str = "n-0S6_WzA2Mj";
/// 2023-11-14T22:13:20Z.
const NOW: i64 = 1_700_000_000;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A server's key, and another library to sign with it.
struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    jwk: Value,
}

impl Signer {
    fn rsa(algorithm: Algorithm) -> Signer {
        let der = crypto::from_base64url(RFC_7515_A_2_KEY).unwrap();
        Signer::new(EncodingKey::from_rsa_der(&der), algorithm)
    }

    fn es256() -> Signer {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Signer::new(EncodingKey::from_ec_der(&pair.serialize_der()), Algorithm::ES256)
    }

    fn es384() -> Signer {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        Signer::new(EncodingKey::from_ec_der(&pair.serialize_der()), Algorithm::ES384)
    }

    fn ed25519() -> Signer {
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": crypto::to_base64url(pair.der_bytes())});
        let key = EncodingKey::from_ed_der(&pair.serialize_der());
        Signer { key, algorithm: Algorithm::EdDSA, jwk }
    }

    fn new(key: EncodingKey, algorithm: Algorithm) -> Signer {
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, algorithm).unwrap();
        Signer { key, algorithm, jwk: serde_json::to_value(jwk).unwrap() }
    }

    fn every() -> Vec<Signer> {
        use Algorithm::*;
        let rsa = [RS256, RS384, RS512, PS256, PS384, PS512].map(Signer::rsa);
        rsa.into_iter().chain([Signer::es256(), Signer::es384(), Signer::ed25519()]).collect()
    }

    fn alg(&self) -> Alg {
        format!("{:?}", self.algorithm).parse().unwrap()
    }

    fn keys(&self) -> JwkSet {
        keys(json!([self.jwk]))
    }

    fn header(&self) -> Value {
        json!({"alg": self.alg().as_str(), "typ": "JWT"})
    }

    /// Header and claims as texts, so that they may be anything.
    fn sign(&self, header: &str, claims: &str) -> Secret {
        let message = message(header, claims);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        Secret::new(format!("{message}.{signature}"))
    }

    fn token(&self, claims: &Value) -> Secret {
        self.sign(&self.header().to_string(), &claims.to_string())
    }
}

static RS256: LazyLock<Signer> = LazyLock::new(|| Signer::rsa(Algorithm::RS256));
static ES256: LazyLock<Signer> = LazyLock::new(Signer::es256);

fn message(header: &str, claims: &str) -> String {
    [header, claims].map(|part| crypto::to_base64url(part.as_bytes())).join(".")
}

fn keys(keys: Value) -> JwkSet {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn time(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "248289761001", "aud": CLIENT_ID, "exp": NOW + HOUR, "iat": NOW, "nonce": NONCE})
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn expected() -> Expectations<'static> {
    Expectations {
        issuer: ISSUER,
        client_id: CLIENT_ID,
        nonce: Some(NONCE),
        max_age: None,
        access_token: None,
        now: time(NOW),
    }
}

fn judge(
    token: &Secret,
    keys: &JwkSet,
    expected: &Expectations<'_>,
) -> Result<IdTokenClaims, ServerMisbehaved> {
    UnverifiedIdToken::parse(token)?.verify(keys, expected)
}

/// The verdict on claims that the right key signed.
fn verdict(claims: Value) -> Result<IdTokenClaims, ServerMisbehaved> {
    judge(&ES256.token(&claims), &ES256.keys(), &expected())
}

fn refused(claims: Value) -> ServerMisbehaved {
    verdict(claims.clone()).expect_err(&claims.to_string())
}

/// The verdict on a header that the right key signed.
fn header_verdict(header: &str) -> Result<IdTokenClaims, ServerMisbehaved> {
    judge(&ES256.sign(header, &claims().to_string()), &ES256.keys(), &expected())
}

fn parsed(raw: &str) -> Result<UnverifiedIdToken, ServerMisbehaved> {
    UnverifiedIdToken::parse(&Secret::new(raw.to_owned()))
}

#[test]
fn claims_are_handed_out_whole() {
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

/// L23: exact strings, no parts and no other case.
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
fn after_a_refresh_nonce_is_not_judged() {
    let refreshed = Expectations { nonce: None, ..expected() };
    for claims in [without("nonce"), claims(), with("nonce", "another")] {
        assert!(judge(&ES256.token(&claims), &ES256.keys(), &refreshed).is_ok());
    }
}

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

/// The oldest forgery (CVE-2015-9235): a public key used as the secret of an HMAC.
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
fn n55_a_key_of_another_type_is_no_key() {
    let header = r#"{"alg":"ES256"}"#;
    let token = RS256.sign(header, &claims().to_string());
    assert_eq!(judge(&token, &RS256.keys(), &expected()), Err(ServerMisbehaved::IdTokenKey));
    let token = ES256.sign(r#"{"alg":"RS256"}"#, &claims().to_string());
    assert_eq!(judge(&token, &ES256.keys(), &expected()), Err(ServerMisbehaved::IdTokenKey));
}

/// The header names one algorithm, the signature is of another that the key could make.
#[test]
fn n55_the_signature_is_of_the_named_algorithm() {
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
fn n55_a_key_for_one_algorithm_is_no_key_for_another() {
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

/// Among them the all-zero signature of CVE-2022-21449, and one that is right for other claims.
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

/// JOSE joins R and S; the ASN.1 form of other protocols is not taken.
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
fn n64_a_key_for_encryption_is_no_key() {
    let mut jwk = ES256.jwk.clone();
    jwk["use"] = "enc".into();
    assert_eq!(
        judge(&ES256.token(&claims()), &keys(json!([jwk])), &expected()),
        Err(ServerMisbehaved::IdTokenKey)
    );
}

#[test]
fn n65_an_rsa_key_of_1024_bits_is_no_key() {
    let jwk = json!({"kty": "RSA", "n": crypto::to_base64url(&[0xff; 128]), "e": "AQAB"});
    assert_eq!(
        judge(&RS256.token(&claims()), &keys(json!([jwk])), &expected()),
        Err(ServerMisbehaved::IdTokenKey)
    );
}

/// A token that brings its own key, in each of the four ways.
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
fn n62_a_header_with_keys_is_still_judged_by_ours() {
    let header = json!({"alg": "ES256", "jku": 7, "jwk": null, "x5c": {}, "x5u": "x", "later": [1]});
    assert!(header_verdict(&header.to_string()).is_ok());
}

/// OpenID Connect Core §10.1.1: the second, fresh JWKS decides.
#[test]
fn n63_an_unknown_kid_asks_for_the_keys_again() {
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
fn no_keys_at_all_is_no_key() {
    assert_eq!(
        judge(&ES256.token(&claims()), &JwkSet::default(), &expected()),
        Err(ServerMisbehaved::IdTokenKey)
    );
}

#[test]
fn n66_headers() {
    use ServerMisbehaved::{IdTokenAlg, IdTokenHeader, IdTokenMalformed};
    let malformed = || IdTokenMalformed("the header is no JSON object of unique members");
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
            ServerMisbehaved::IdTokenMalformed("the claims are no JSON object of unique members"),
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
            ServerMisbehaved::IdTokenMalformed("the claims are no JSON object of unique members"),
            "{payload}"
        );
    }
}

#[test]
fn n67_base64url_has_one_spelling() {
    let token = ES256.token(&claims());
    let parts: Vec<&str> = token.expose().split('.').collect();
    for index in 0..3 {
        for spelling in ["{}=", "{}==", " {}", "{}\n", "{}A=", "{}+", "{}/", "{}é", "{}\0"] {
            let mut parts = parts.clone();
            let other = spelling.replace("{}", parts[index]);
            parts[index] = &other;
            assert_eq!(parsed(&parts.join(".")).unwrap_err(), NO_BASE64URL, "part {index} as {spelling:?}");
        }
    }
    // 64 bytes leave four bits of the last letter unused: only one of sixteen spellings is right.
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
fn deep_claims_end_the_parser_not_the_program() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    assert!(UnverifiedIdToken::parse(&ES256.sign(&ES256.header().to_string(), &deep)).is_err());
}

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
fn n56_old_tokens_name_their_age_and_young_ones_their_distance() {
    assert_eq!(
        refused(with("exp", NOW - HOUR)).to_string(),
        "the ID token expired 1h ago by this computer's clock"
    );
    assert_eq!(
        refused(with("iat", NOW + HOUR + 1)).to_string(),
        "the ID token is from 1h 1s in the future by this computer's clock"
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
fn n61_auth_time_fits_the_max_age_that_was_asked_for() {
    let judge = |claims: &Value, max_age| {
        let max_age = Some(Duration::from_secs(max_age));
        judge(&ES256.token(claims), &ES256.keys(), &Expectations { max_age, ..expected() }).err()
    };
    let before = |seconds: i64| with("auth_time", NOW - seconds);
    let too_old =
        |seconds: i64| Some(ServerMisbehaved::IdTokenAuthTime(Duration::from_secs(seconds.unsigned_abs())));
    assert_eq!(judge(&before(0), 0), None);
    assert_eq!(judge(&before(5 * MINUTE), 0), None, "the person read the consent page");
    assert_eq!(judge(&before(5 * MINUTE + 1), 0), too_old(5 * MINUTE + 1));
    assert_eq!(judge(&before(HOUR + 5 * MINUTE), 3600), None);
    assert_eq!(judge(&before(DAY), 3600), too_old(DAY));
    assert_eq!(judge(&before(DAY), u64::MAX), None);
    assert_eq!(judge(&claims(), 3600), Some(ServerMisbehaved::IdTokenClaim("auth_time")));
    assert!(at(NOW, before(DAY)).is_ok(), "nobody asked");
}

/// OpenID Connect Core appendix A.3 has the first pair.
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

#[test]
fn judged_in_the_standards_order() {
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
fn contradicts_tells_another_session() {
    let contradicts = |claims: Value| {
        // Signed by nobody we know, and long over: neither is judged here.
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

/// Two libraries, one verdict: what the other signs is accepted here, and both agree on the rest.
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

    /// Whatever one claim and the clock are: no panic, and what is accepted says what was asked.
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

    /// What is accepted here, the other library accepts too: the reverse need not hold.
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

/// RFC 7515 appendix A.2's private key, as PKCS #1 (base64url).
const RFC_7515_A_2_KEY: &str = "\
    MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ\
    PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
    ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG\
    hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S\
    bEUAVx8dYXUdZOlJcHtiWQ-dC6V8ljxAHj_PLyzTveyI5QO_xkObCyjIL303l2cfUhPu2MFaJdjVzqACXuOrLot_eSFvxjvq\
    VidTtAZExqFRJ9mylUVAoLvhowVWmC1On95fZCXxTUtxNEG1Xcc7m0rtzJKs45J-N_V9DP1edYH6USyPSWGp6wuA-KgHRnKK\
    Vf9GRx80JQY7nVNkL17eHoTWEwga-lwi0FEoW9Y7lDtWXYmKBWhUE-U8PGxlJf8f40493HDw1WRQ_aSLoS4QTp3rn7gYgeHE\
    vfJdkkf0UMhlknlo53M09EFPdadQ4TlUbjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnE\
    tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTB\
    gIPgtldC-KDV5z-y2XDwGUcCgYEAuQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs\
    p1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJID\
    Ez9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7DOX4IKjzdahm-ctDAJN4O_y7OW5FKebvUjdAIt2GuoTZ71iTG-7F0F-lP88jtjP4\
    U4qe7VHoewl4MKOfXZKTe-YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q-d5PCsDzqtm27kxuvULVeya-TEdAB1ijQKBgQCH_3r6\
    YrVH_uCWGy6bzV1nGNOdjKc9tmkfOJmN54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC\
    Mx3bD1yPPf_6TI2XECva_ggqEY2mYzmIiA5LVVmc5nrybr-lssFKneeyxN2Wq93S0iJMdQKBgCGHewxzoa1r8ZMD0LETNrTo\
    K423K377UCYqXfg5XMclbrjPbEC3YI1ZNqMtuhdBJqUnBi6tjKMF-34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE\
    6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1";

/// The public half of it.
const RFC_7515_A_2_PEM: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n\
NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n\
P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n\
9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n\
EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n\
FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n\
oQIDAQAB\n\
-----END PUBLIC KEY-----\n";

/// RFC 7520 §3.3.
const RFC_7520_N: &str = "\
    n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMa\
    JMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6c\
    S6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd\
    q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
