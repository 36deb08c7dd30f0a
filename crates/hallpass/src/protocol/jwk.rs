//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2): the keys that a server signs ID tokens with.
//!
//! ```
//! use hallpass::protocol::jwk::{Alg, JwkSet};
//!
//! let keys = JwkSet::parse(br#"{"keys":[
//!     {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
//!     {"kty":"a later standard's"}
//! ]}"#)?;
//! assert_eq!(keys.candidates(Some("a"), Alg::EdDSA).len(), 1);
//! # Ok::<(), hallpass::error::ServerMisbehaved>(())
//! ```

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::json;
use crate::crypto::{self, Curve, RsaPadding, Sha2};
use crate::error::ServerMisbehaved;

/// How many keys of a set are looked at. Real sets hold fewer than ten; a token without `kid` is
/// tried against every fitting key, so the number bounds the work.
const MAX_KEYS: usize = 100;

/// The signature algorithms that are accepted: asymmetric ones only (RFC 8725 §3.1 and §3.2).
///
/// An algorithm is read from a token's header, but only to choose from this list; the key must fit
/// it too. So a token cannot bring `none` or an HMAC "signed" with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alg {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3).
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3).
    RS512,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5).
    PS256,
    /// RSASSA-PSS with SHA-384 (RFC 7518 §3.5).
    PS384,
    /// RSASSA-PSS with SHA-512 (RFC 7518 §3.5).
    PS512,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    ES256,
    /// ECDSA on P-384 with SHA-384 (RFC 7518 §3.4).
    ES384,
    /// Ed25519 (RFC 8037 §3.1), also under its own name `Ed25519` (RFC 9864 §2.2).
    EdDSA,
}

impl Alg {
    /// The registered name, as `alg` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Alg::RS256 => "RS256",
            Alg::RS384 => "RS384",
            Alg::RS512 => "RS512",
            Alg::PS256 => "PS256",
            Alg::PS384 => "PS384",
            Alg::PS512 => "PS512",
            Alg::ES256 => "ES256",
            Alg::ES384 => "ES384",
            Alg::EdDSA => "EdDSA",
        }
    }

    /// The hash of this algorithm, which `at_hash` uses too (OpenID Connect Core §3.1.3.6).
    pub(crate) fn sha2(self) -> Sha2 {
        match self {
            Alg::RS256 | Alg::PS256 | Alg::ES256 => Sha2::Sha256,
            Alg::RS384 | Alg::PS384 | Alg::ES384 => Sha2::Sha384,
            // Ed25519 hashes with SHA-512 inside (RFC 8032 §5.1).
            Alg::RS512 | Alg::PS512 | Alg::EdDSA => Sha2::Sha512,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Alg {
    type Err = ServerMisbehaved;

    /// Reads a header's `alg`, which is case-sensitive (RFC 7515 §4.1.1). What is not in the list
    /// (`none` in any spelling, `HS256`, `ES512`, …) is [`ServerMisbehaved::IdTokenAlg`].
    fn from_str(name: &str) -> Result<Alg, ServerMisbehaved> {
        Ok(match name {
            "RS256" => Alg::RS256,
            "RS384" => Alg::RS384,
            "RS512" => Alg::RS512,
            "PS256" => Alg::PS256,
            "PS384" => Alg::PS384,
            "PS512" => Alg::PS512,
            "ES256" => Alg::ES256,
            "ES384" => Alg::ES384,
            "EdDSA" | "Ed25519" => Alg::EdDSA,
            _ => return Err(ServerMisbehaved::IdTokenAlg(crate::sanitize::text(name))),
        })
    }
}

/// A server's keys that can verify something here (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

impl JwkSet {
    /// Reads the document at `jwks_uri`. Only a document that is no JSON object with an array
    /// `keys` is an error: keys of unknown types or curves, malformed, too small, or for another
    /// use are left out, as RFC 7517 §5 says, so that a server may publish what this version does
    /// not know. At most 100 keys are looked at.
    pub fn parse(body: &[u8]) -> Result<JwkSet, ServerMisbehaved> {
        let document = json::object(body).map_err(|_| ServerMisbehaved::Jwks)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(ServerMisbehaved::Jwks)?;
        Ok(JwkSet { keys: keys.iter().take(MAX_KEYS).filter_map(Jwk::parse).collect() })
    }

    /// The keys that may have made a signature: type, curve and `alg` fit, and so does `kid`.
    ///
    /// A `kid` chooses all keys of that name, for servers that use one twice. Where no key has it,
    /// or the token names none, the keys without `kid` (or all of them) are tried: a server of one
    /// key often names it on one side only. Nothing found: fetch the document again, once
    /// (OpenID Connect Core §10.1.1).
    pub fn candidates(&self, kid: Option<&str>, alg: Alg) -> Vec<&Jwk> {
        let named = |kid| move |key: &&Jwk| key.kid.as_deref() == kid;
        let keys: Vec<&Jwk> = match kid {
            None => self.keys.iter().collect(),
            Some(_) if self.keys.iter().any(|key| named(kid)(&key)) => {
                self.keys.iter().filter(named(kid)).collect()
            }
            Some(_) => self.keys.iter().filter(named(None)).collect(),
        };
        keys.into_iter().filter(|key| key.fits(alg)).collect()
    }
}

/// One public key (RFC 7517 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    kid: Option<String>,
    alg: Option<String>,
    material: Material,
}

/// The key itself, in the parts that its type has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    /// Modulus and exponent, big-endian without leading zeros (RFC 7518 §6.3.1).
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point on a curve, coordinates of full size (RFC 7518 §6.2.1).
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8> },
    /// RFC 8037 §2.
    Ed25519 { x: Vec<u8> },
}

/// The members that matter, as they are on the wire. `x5c`, `x5u` and private parts are ignored.
#[derive(Deserialize)]
struct Wire {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// The key's name, if the server gave it one (RFC 7517 §4.5).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn parse(value: &Value) -> Option<Jwk> {
        // `Wire` alone would read an array as its fields in order.
        let wire = Wire::deserialize(value.as_object()?).ok().filter(Wire::may_verify)?;
        let material = wire.material()?;
        Some(Jwk { kid: wire.kid, alg: wire.alg, material })
    }

    /// Whether type, curve and the key's own `alg` allow this algorithm (RFC 7517 §4.4).
    fn fits(&self, alg: Alg) -> bool {
        let allowed = match &self.alg {
            Some(name) => name.parse() == Ok(alg),
            None => true,
        };
        allowed && self.material.fits(alg)
    }

    /// Whether this key made `signature` over `message`; never, if the key does not fit `alg`.
    pub(crate) fn verify(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        self.fits(alg) && self.material.verify(alg, message, signature)
    }
}

impl Wire {
    /// `use` and `key_ops` each name what the key is for, and may both be there (RFC 7517 §4.2, §4.3).
    fn may_verify(&self) -> bool {
        self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"))
    }

    fn material(&self) -> Option<Material> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => self.rsa(),
            ("EC", Some("P-256")) => self.ec(Curve::P256),
            ("EC", Some("P-384")) => self.ec(Curve::P384),
            ("OKP", Some("Ed25519")) => Some(Material::Ed25519 { x: bytes(&self.x, 32)? }),
            _ => None,
        }
    }

    fn rsa(&self) -> Option<Material> {
        let (n, e) = (number(&self.n)?, number(&self.e)?);
        crypto::RSA_MODULUS_BITS.contains(&crypto::bit_length(&n)).then_some(Material::Rsa { n, e })
    }

    fn ec(&self, curve: Curve) -> Option<Material> {
        let size = curve.coordinate_bytes();
        Some(Material::Ec { curve, x: bytes(&self.x, size)?, y: bytes(&self.y, size)? })
    }
}

/// A member of exactly `size` bytes.
fn bytes(member: &Option<String>, size: usize) -> Option<Vec<u8>> {
    crypto::from_base64url(member.as_ref()?).filter(|bytes| bytes.len() == size)
}

/// A `Base64urlUInt`. Leading zeros are forbidden, and yet some servers' big-number libraries put
/// one before the modulus (RFC 7518 §6.3.1.1); they do not change the number.
fn number(member: &Option<String>) -> Option<Vec<u8>> {
    let bytes = crypto::from_base64url(member.as_ref()?)?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    Some(bytes[zeros..].to_vec())
}

impl Material {
    fn fits(&self, alg: Alg) -> bool {
        use Alg::*;
        match self {
            Material::Rsa { .. } => matches!(alg, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Material::Ec { curve: Curve::P256, .. } => alg == ES256,
            Material::Ec { curve: Curve::P384, .. } => alg == ES384,
            Material::Ed25519 { .. } => alg == EdDSA,
        }
    }

    /// The key's type chooses the kind of verification, never the token alone.
    fn verify(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Material::Rsa { n, e } => crypto::verify_rsa(padding(alg), alg.sha2(), n, e, message, signature),
            Material::Ec { curve, x, y } => crypto::verify_ecdsa(*curve, x, y, message, signature),
            Material::Ed25519 { x } => crypto::verify_ed25519(x, message, signature),
        }
    }
}

fn padding(alg: Alg) -> RsaPadding {
    match alg {
        Alg::PS256 | Alg::PS384 | Alg::PS512 => RsaPadding::Pss,
        _ => RsaPadding::Pkcs1,
    }
}

#[cfg(test)]
mod tests;
