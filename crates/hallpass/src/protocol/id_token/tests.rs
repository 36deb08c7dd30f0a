//! Tests of ID token validation. Keys and tokens are made by another library, `jsonwebtoken`.

mod claims;
mod comparison;
mod format;
mod signatures;
mod times;

use std::sync::LazyLock;

use hallpass_test::jose::RFC_7515_A_2_KEY;
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

/// A server's key, with which `jsonwebtoken` signs.
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

    /// Signs any two texts as header and claims.
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

/// Verifies claims that are signed with the right key.
fn verdict(claims: Value) -> Result<IdTokenClaims, ServerMisbehaved> {
    judge(&ES256.token(&claims), &ES256.keys(), &expected())
}

fn refused(claims: Value) -> ServerMisbehaved {
    verdict(claims.clone()).expect_err(&claims.to_string())
}

/// Verifies a header that is signed with the right key.
fn header_verdict(header: &str) -> Result<IdTokenClaims, ServerMisbehaved> {
    judge(&ES256.sign(header, &claims().to_string()), &ES256.keys(), &expected())
}

fn parsed(raw: &str) -> Result<UnverifiedIdToken, ServerMisbehaved> {
    UnverifiedIdToken::parse(&Secret::new(raw.to_owned()))
}

/// The public key of [`RFC_7515_A_2_KEY`].
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

/// The modulus of the key in RFC 7520 §3.3.
const RFC_7520_N: &str = "\
    n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMa\
    JMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6c\
    S6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd\
    q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
