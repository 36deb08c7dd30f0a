//! Test vectors and malformed keys.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn set(keys: Value) -> JwkSet {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// Whether a JWS in compact form verifies with a key and an algorithm.
fn verifies(key: &Value, alg: Alg, jws: &str) -> bool {
    let (message, signature) = jws.rsplit_once('.').unwrap();
    let signature = crypto::from_base64url(signature).unwrap();
    let set = set(json!([key]));
    set.keys.iter().any(|key| key.verify(alg, message.as_bytes(), &signature))
}

/// Asserts that only the right algorithm, message and signature verify.
fn only_verifies(key: &Value, alg: Alg, jws: &str) {
    for other in ALGS {
        assert_eq!(verifies(key, other, jws), other == alg, "{other}");
    }
    let (message, signature) = jws.rsplit_once('.').unwrap();
    assert!(!verifies(key, alg, &format!("{message}A.{signature}")));
    assert!(!verifies(key, alg, &format!("{message}.AAAA{signature}")));
    assert!(!verifies(key, alg, &format!("{message}.")));
    assert!(!verifies(key, alg, &format!("{message}.{}", "A".repeat(signature.len()))));
}

const ALGS: [Alg; 9] = [
    Alg::RS256,
    Alg::RS384,
    Alg::RS512,
    Alg::PS256,
    Alg::PS384,
    Alg::PS512,
    Alg::ES256,
    Alg::ES384,
    Alg::EdDSA,
];

fn rsa(n: &str) -> Value {
    json!({"kty": "RSA", "n": n, "e": "AQAB"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

fn p384() -> Value {
    json!({"kty": "EC", "crv": "P-384", "x": P384_X, "y": P384_Y})
}

fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn with(mut key: Value, name: &str, value: impl Into<Value>) -> Value {
    key[name] = value.into();
    key
}

#[test]
fn rfc_7515_a_2_rs256() {
    only_verifies(&rsa(RFC_7515_A_2_N), Alg::RS256, RFC_7515_A_2);
}

#[test]
fn rfc_7515_a_3_es256() {
    only_verifies(&p256(), Alg::ES256, RFC_7515_A_3);
}

#[test]
fn rfc_8037_a_4_ed25519() {
    only_verifies(&ed25519(), Alg::EdDSA, RFC_8037_A_4);
}

#[test]
fn rfc_7520_4_1_rs256() {
    only_verifies(&with(rsa(RFC_7520_N), "use", "sig"), Alg::RS256, RFC_7520_4_1);
}

#[test]
fn rfc_7520_4_2_ps384() {
    only_verifies(&with(rsa(RFC_7520_N), "use", "sig"), Alg::PS384, RFC_7520_4_2);
}

#[test]
fn rfc_7520_4_3_es512_is_not_supported() {
    assert_eq!("ES512".parse::<Alg>(), Err(ServerMisbehaved::IdTokenAlg("ES512".to_owned())));
    let key = json!({"kty": "EC", "crv": "P-521",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"});
    assert_eq!(set(json!([key])), JwkSet::default());
}

#[test]
fn es384_of_another_library() {
    only_verifies(&p384(), Alg::ES384, &format!("message.{P384_SIGNATURE}"));
}

#[test]
fn rfc_7517_a_1_public_keys() {
    let body = format!(
        r#"{{"keys": [{{"kty":"EC", "crv":"P-256", "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use":"enc", "kid":"1"}},
           {{"kty":"RSA", "n": "{RFC_7517_N}", "e":"AQAB", "alg":"RS256", "kid":"2011-04-29"}}]}}"#
    );
    let set = JwkSet::parse(body.as_bytes()).unwrap();
    assert!(set.candidates(Some("1"), Alg::ES256).is_empty(), "use: enc");
    for alg in ALGS {
        assert_eq!(set.candidates(Some("2011-04-29"), alg).len(), usize::from(alg == Alg::RS256), "{alg}");
    }
    assert_eq!(set.candidates(None, Alg::RS256)[0].kid(), Some("2011-04-29"));
}

#[test]
fn rfc_7517_a_3_symmetric_keys_are_left_out() {
    let set = set(json!([
        {"kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg"},
        {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},
    ]));
    assert_eq!(set, JwkSet::default());
}

#[test]
fn only_listed_algorithms_are_accepted() {
    for alg in ALGS {
        assert_eq!(alg.as_str().parse(), Ok(alg));
    }
    assert_eq!("Ed25519".parse(), Ok(Alg::EdDSA));
    for name in [
        "none", "None", "NONE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "ES256K", "ES512", "Ed448",
        "RS1",
    ] {
        assert_eq!(name.parse::<Alg>(), Err(ServerMisbehaved::IdTokenAlg(name.trim_end().to_owned())));
    }
    assert_eq!(
        "\u{1b}[31mx".parse::<Alg>(),
        Err(ServerMisbehaved::IdTokenAlg("[31mx".to_owned())),
        "cleaned"
    );
}

#[test]
fn n64_use_key_ops_and_alg_must_fit() {
    let fitting = |key: Value| set(json!([key])).candidates(None, Alg::RS256).len();
    let key = || rsa(RFC_7515_A_2_N);
    for (name, value, expected) in [
        ("use", json!("sig"), 1),
        ("use", json!("enc"), 0),
        ("use", json!("tls"), 0),
        ("use", json!(1), 0),
        ("key_ops", json!(["verify"]), 1),
        ("key_ops", json!(["sign", "verify"]), 1),
        ("key_ops", json!(["encrypt", "wrapKey"]), 0),
        ("key_ops", json!([]), 0),
        ("key_ops", json!("verify"), 0),
        ("alg", json!("RS256"), 1),
        ("alg", json!("RS512"), 0),
        ("alg", json!("PS256"), 0),
        ("alg", json!("ES256"), 0),
        ("alg", json!("RSA-OAEP"), 0),
        ("alg", json!("none"), 0),
        ("alg", json!(256), 0),
        ("kid", json!(7), 0),
        ("crv", json!("P-256"), 1),
        ("x5c", json!(7), 1),
        ("ext", json!(true), 1),
    ] {
        assert_eq!(fitting(with(key(), name, value.clone())), expected, "{name}: {value}");
    }
    assert_eq!(fitting(with(with(key(), "use", "sig"), "key_ops", json!(["sign"]))), 0, "both must fit");
}

#[test]
fn n64_kty_and_crv_must_fit() {
    let set = set(json!([rsa(RFC_7515_A_2_N), p256(), p384(), ed25519()]));
    assert_eq!(set.keys.len(), 4);
    for alg in ALGS {
        let [key] = set.candidates(None, alg)[..] else { panic!("{alg}: not one key") };
        let index = set.keys.iter().position(|other| other == key);
        let expected = match alg {
            Alg::ES256 => 1,
            Alg::ES384 => 2,
            Alg::EdDSA => 3,
            _ => 0,
        };
        assert_eq!(index, Some(expected), "{alg}");
    }
}

#[test]
fn n65_rsa_keys_of_absurd_size_are_left_out() {
    let modulus = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= n.len() * 8 - bits;
        rsa(&crypto::to_base64url(&n))
    };
    for (bits, kept) in [
        (512, 0),
        (1024, 0),
        (2047, 0),
        (2048, 1),
        (3072, 1),
        (4096, 1),
        (8192, 1),
        (8193, 0),
        (16_384, 0),
        (32_768, 0),
    ] {
        assert_eq!(set(json!([modulus(bits)])).keys.len(), kept, "{bits}");
    }
}

#[test]
fn a_zero_before_the_modulus_does_not_matter() {
    let n = [&[0], &crypto::from_base64url(RFC_7515_A_2_N).unwrap()[..]].concat();
    assert!(verifies(&rsa(&crypto::to_base64url(&n)), Alg::RS256, RFC_7515_A_2));
}

#[test]
fn malformed_keys_are_left_out() {
    let good = with(p256(), "kid", "good");
    for bad in [
        json!(null),
        json!(7),
        json!("RSA"),
        json!([]),
        json!({}),
        json!(["RSA", null, null, null, null, null, RFC_7515_A_2_N, "AQAB"]),
        json!({"kty": "RSA"}),
        json!({"kty": "RSA", "n": RFC_7515_A_2_N}),
        json!({"kty": "rsa", "n": RFC_7515_A_2_N, "e": "AQAB"}),
        rsa(""),
        rsa("AA"),
        rsa("not base64url!"),
        with(rsa(RFC_7515_A_2_N), "n", 7),
        with(rsa(RFC_7515_A_2_N), "e", "AQAB="),
        with(p256(), "crv", "P-521"),
        with(p256(), "crv", "secp256k1"),
        with(p256(), "crv", "P-384"),
        with(p256(), "crv", "p-256"),
        with(p256(), "x", "AA"),
        with(p256(), "y", Value::Null),
        with(p256(), "kty", "EC2"),
        with(ed25519(), "crv", "Ed448"),
        with(ed25519(), "crv", "X25519"),
        with(ed25519(), "x", "AA"),
        with(ed25519(), "kty", "EC"),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
    ] {
        let set = set(json!([bad, good]));
        assert_eq!(set.keys.len(), 1, "{bad}");
        assert_eq!(set.candidates(Some("good"), Alg::ES256).len(), 1, "{bad}");
    }
}

#[test]
fn a_jwks_is_an_object_with_a_list_of_keys() {
    for body in [
        "",
        "null",
        "[]",
        "[[]]",
        "{}",
        "7",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":"x"}"#,
        r#"{"keys":[]"#,
        "<html>",
        r#"{"keys":[]} x"#,
        "\u{feff}{\"keys\":[]}",
    ] {
        assert_eq!(JwkSet::parse(body.as_bytes()), Err(ServerMisbehaved::Jwks), "{body}");
    }
    assert_eq!(JwkSet::parse(b"{\"keys\":[\"\xff\"]}"), Err(ServerMisbehaved::Jwks));
    assert_eq!(JwkSet::parse(br#"{"keys":[],"more":1}"#), Ok(JwkSet::default()));
    let deep = format!(r#"{{"keys":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(JwkSet::parse(deep.as_bytes()), Err(ServerMisbehaved::Jwks));
}

#[test]
fn at_most_a_hundred_keys_are_used() {
    let keys: Vec<Value> = (0..1000).map(|i| with(p256(), "kid", i.to_string())).collect();
    let set = set(json!(keys));
    assert_eq!(set.candidates(None, Alg::ES256).len(), MAX_KEYS);
    assert_eq!(set.candidates(Some("99"), Alg::ES256).len(), 1);
    assert!(set.candidates(Some("100"), Alg::ES256).is_empty());
}

#[test]
fn kid_selects_the_keys() {
    let kid = |key: Value, kid: &str| with(key, "kid", kid);
    let set = set(json!([
        kid(rsa(RFC_7515_A_2_N), "a"),
        kid(rsa(RFC_7520_N), "b"),
        kid(rsa(RFC_7517_N), "b"),
        kid(p256(), "b"),
        kid(p384(), "c"),
    ]));
    for (token, alg, found) in [
        (Some("a"), Alg::RS256, 1),
        (Some("b"), Alg::RS256, 2),
        (Some("b"), Alg::ES256, 1),
        (Some("c"), Alg::RS256, 0),
        (Some("A"), Alg::RS256, 0),
        (Some(""), Alg::RS256, 0),
        (Some("new"), Alg::RS256, 0),
        (None, Alg::RS256, 3),
        (None, Alg::ES384, 1),
        (None, Alg::EdDSA, 0),
    ] {
        assert_eq!(set.candidates(token, alg).len(), found, "{token:?} {alg}");
    }
}

#[test]
fn an_unknown_kid_falls_back_to_keys_without_one() {
    let set = set(json!([with(rsa(RFC_7515_A_2_N), "kid", "a"), rsa(RFC_7520_N), p256()]));
    assert_eq!(set.candidates(Some("a"), Alg::RS256).len(), 1, "the named one only");
    assert_eq!(set.candidates(Some("new"), Alg::RS256), [&set.keys[1]]);
    assert_eq!(set.candidates(Some("a"), Alg::ES256).len(), 0, "its name is taken by another key");
    assert_eq!(set.candidates(None, Alg::RS256).len(), 2);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[A-Za-z0-9_-]{0,90}|RSA|EC|OKP|P-256|Ed25519|sig|AQAB".prop_map(Value::from),
    ];
    let name = "kty|kid|alg|use|key_ops|crv|n|e|x|y|keys|[a-z]{0,3}";
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..8).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = JwkSet::parse(&body);
    }

    #[test]
    fn no_keys_panic(keys in prop::collection::vec(json_value(), 0..10), signature in prop::collection::vec(any::<u8>(), 0..600)) {
        for key in &set(json!(keys)).keys {
            for alg in ALGS {
                prop_assert!(!key.verify(alg, b"message", &signature));
            }
        }
    }

    #[test]
    fn no_key_material_panics(n in prop::collection::vec(any::<u8>(), 0..1100), e in prop::collection::vec(any::<u8>(), 0..9), x: [u8; 32], y: [u8; 32]) {
        let [n, e, x, y] = [&n[..], &e, &x, &y].map(crypto::to_base64url);
        let keys = json!([
            {"kty": "RSA", "n": n, "e": e}, {"kty": "EC", "crv": "P-256", "x": x, "y": y}, {"kty": "OKP", "crv": "Ed25519", "x": x},
        ]);
        for key in &set(keys).keys {
            for alg in ALGS {
                prop_assert!(!key.verify(alg, b"message", &[1; 256]));
            }
        }
    }
}

const RFC_7515_A_2_N: &str = "\
    ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql\
    L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs\
    LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud\
    F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_7515_A_2: &str = "\
    eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
    pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q\
    c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN\
    PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6I\
    eYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_7515_A_3: &str = "\
    eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
    pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP\
    P3-Kg6NU1Q";
const RFC_8037_A_4: &str = "\
    eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AI\
    bQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
/// RFC 7517 appendix A.1.
const RFC_7517_N: &str = "\
    0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK\
    RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic\
    AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3\
    XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// RFC 7520 §3.3.
const RFC_7520_N: &str = "\
    n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMa\
    JMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6c\
    S6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd\
    q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
const RFC_7520_4_1: &str = "\
    eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3V\
    zIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHl\
    vdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9\
    mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp8\
    3xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6\
    x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI\
    -ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
const RFC_7520_4_2: &str = "\
    eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3V\
    zIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHl\
    vdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9\
    mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP\
    6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqr\
    YRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64\
    QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw";
/// Made with OpenSSL for these tests, like the two below. The message is "message".
const P384_X: &str = "\
    wRYc-NDGdzWiLOnUeHDIe-uB0o9Jpnlr4crnU-HrtVgPx8flexNUn9SUeNvRSDYP";
const P384_Y: &str = "\
    35YE-jkEFZnJ3l6y4j_o2h5DdkqZr2pIyBJSsL_75GTyR0MDobCAABBJEdafOhxR";
const P384_SIGNATURE: &str = "\
    mf7efQC1kuwbwkdntc-uWEqx63mQqDPKi1uEG2a7OrrDxgdSji6hGA-3hNfwqPRF3M78XLX1WKaBDxUS3Z8Vfp1gYn1pL1iX\
    Ldk1zdyCQlSLoK7n2J0Xn3J_OTZVQFCr";
