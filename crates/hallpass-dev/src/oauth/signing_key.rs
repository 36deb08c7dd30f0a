//! Signing keys (RFC 7517, RFC 7518 §3.3 and §3.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaPair;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// The algorithm that signs ID tokens (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every OpenID provider must support (OpenID Connect Core §15.1).
    Rs256,
}

/// A key pair, with its public half as a JWK.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) alg: &'static str,
    pub(crate) jwk: Value,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaPair),
}

impl SigningKey {
    /// Generates a P-256 key.
    pub(crate) fn es256() -> Option<SigningKey> {
        let random = SystemRandom::new();
        let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(alg, &random).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(alg, document.as_ref(), &random).ok()?;
        // SEC 1 §2.3.3: 0x04, then both coordinates.
        let (x, y) = pair.public_key().as_ref().get(1..65)?.split_at(32);
        let (x, y) = (BASE64URL.encode(x), BASE64URL.encode(y));
        let kid = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        let jwk =
            json!({ "kty": "EC", "use": "sig", "alg": "ES256", "kid": kid, "crv": "P-256", "x": x, "y": y });
        Some(SigningKey { kid, alg: "ES256", jwk, pair: Pair::Es256(pair) })
    }

    /// Generates a 2048-bit RSA key, which can take seconds.
    pub(crate) fn rs256() -> Option<SigningKey> {
        let generated = rsa::RsaPrivateKey::new(&mut OsRng, 2048).ok()?;
        let der = generated.to_pkcs1_der().ok()?;
        let pair = RsaPair::from_der(der.as_bytes()).ok()?;
        let n = BASE64URL.encode(generated.n().to_bytes_be());
        let e = BASE64URL.encode(generated.e().to_bytes_be());
        let kid = thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
        let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e });
        Some(SigningKey { kid, alg: "RS256", jwk, pair: Pair::Rs256(pair) })
    }

    /// Returns the JWS signature of `message` (RFC 7518 §3.3, §3.4), or `None` if signing failed.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

/// Returns the thumbprint of a JWK, given its required members in alphabetical order (RFC 7638 §3.2). It serves as
/// `kid` because no two keys have the same.
fn thumbprint(canonical: &str) -> String {
    BASE64URL.encode(digest(&SHA256, canonical.as_bytes()))
}
