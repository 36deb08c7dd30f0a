//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2): the public keys for ID token signatures.
//!
//! ```
//! use hallpass::protocol::jwk::{Alg, JwkSet};
//!
//! let keys = JwkSet::parse(br#"{"keys":[
//!     {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
//!     {"kty":"unknown"}
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

/// The number of keys in a set that are used; others are ignored. Real sets have fewer than ten. A token without `kid` is
/// verified with every key that fits, so this limits the work.
const MAX_KEYS: usize = 100;

/// The accepted signature algorithms, all of them asymmetric (RFC 8725 §3.1 and §3.2).
///
/// A token's header can only choose from this list, and the key must be of the algorithm's type. So a token with the
/// algorithm `none`, or with an HMAC made with a public key, is refused.
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
    /// Ed25519 (RFC 8037 §3.1), also called `Ed25519` (RFC 9864 §2.2).
    EdDSA,
}

impl Alg {
    /// The registered name, the value of `alg`.
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

    /// The hash function of this algorithm, which `at_hash` uses as well (OpenID Connect Core §3.1.3.6).
    pub(crate) fn sha2(self) -> Sha2 {
        match self {
            Alg::RS256 | Alg::PS256 | Alg::ES256 => Sha2::Sha256,
            Alg::RS384 | Alg::PS384 | Alg::ES384 => Sha2::Sha384,
            // Ed25519 uses SHA-512 internally (RFC 8032 §5.1).
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

    /// Parses the `alg` of a header, which is case-sensitive (RFC 7515 §4.1.1). All others, such as `none`, `HS256` and
    /// `ES512`, are [`ServerMisbehaved::IdTokenAlg`].
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

/// The usable keys of a server (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

impl JwkSet {
    /// Parses the document at `jwks_uri`. Keys that cannot be used here are ignored, as RFC 7517 §5 requires: those of
    /// unknown types or curves, for another use, malformed or too small, and all after the first 100.
    ///
    /// # Errors
    /// [`ServerMisbehaved::Jwks`] if the document is not a JSON object with an array `keys`.
    pub fn parse(body: &[u8]) -> Result<JwkSet, ServerMisbehaved> {
        let document = json::object(body).map_err(|_| ServerMisbehaved::Jwks)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(ServerMisbehaved::Jwks)?;
        Ok(JwkSet { keys: keys.iter().take(MAX_KEYS).filter_map(Jwk::parse).collect() })
    }

    /// Returns the keys that may have made a signature: those with a fitting type, curve, `alg` and `kid`.
    ///
    /// These are all keys with the token's `kid`, as some servers use one twice. If no key has it, they are the keys without
    /// a `kid`; and if the token has no `kid`, they are all keys. Servers with a single key often set `kid` only in the key
    /// or only in the token. If there is none, fetch the document again, once (OpenID Connect Core §10.1.1).
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

/// The parameters of a key, by its type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    /// Modulus and exponent, big-endian without leading zeros (RFC 7518 §6.3.1).
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point on a curve, with coordinates of full size (RFC 7518 §6.2.1).
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8> },
    /// The public key (RFC 8037 §2).
    Ed25519 { x: Vec<u8> },
}

/// The members of a JWK that are used. `x5c`, `x5u` and private parameters are ignored.
#[derive(Deserialize)]
struct Members {
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
    /// The key ID, if the key has one (RFC 7517 §4.5).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn parse(value: &Value) -> Option<Jwk> {
        // Without `as_object`, serde would accept an array with the members in order.
        let members = Members::deserialize(value.as_object()?).ok().filter(Members::may_verify)?;
        let material = members.material()?;
        Some(Jwk { kid: members.kid, alg: members.alg, material })
    }

    /// Whether the key's type, curve and `alg` allow an algorithm (RFC 7517 §4.4).
    fn fits(&self, alg: Alg) -> bool {
        let allowed = match &self.alg {
            Some(name) => name.parse() == Ok(alg),
            None => true,
        };
        allowed && self.material.fits(alg)
    }

    /// Whether `signature` is valid for `message`. It never is if the key does not fit `alg`.
    pub(crate) fn verify(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        self.fits(alg) && self.material.verify(alg, message, signature)
    }
}

impl Members {
    /// Whether the key's `use` and `key_ops` allow verifying (RFC 7517 §4.2, §4.3). Each of them may be missing.
    fn may_verify(&self) -> bool {
        let is_for_signatures = matches!(self.usage.as_deref(), None | Some("sig"));
        let has_operation = match &self.key_ops {
            Some(operations) => operations.iter().any(|operation| operation == "verify"),
            None => true,
        };
        is_for_signatures && has_operation
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
        if !crypto::RSA_MODULUS_BITS.contains(&crypto::bit_length(&n)) {
            return None;
        }
        Some(Material::Rsa { n, e })
    }

    fn ec(&self, curve: Curve) -> Option<Material> {
        let size = curve.coordinate_bytes();
        Some(Material::Ec { curve, x: bytes(&self.x, size)?, y: bytes(&self.y, size)? })
    }
}

/// Decodes a member of exactly `size` bytes.
fn bytes(member: &Option<String>, size: usize) -> Option<Vec<u8>> {
    crypto::from_base64url(member.as_ref()?).filter(|bytes| bytes.len() == size)
}

/// Decodes a `Base64urlUInt`. Leading zeros are forbidden, but some servers' big-number libraries add one to the modulus
/// (RFC 7518 §6.3.1.1). They are removed.
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

    /// Verifies a signature. The key's type determines how, not the token.
    fn verify(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Material::Rsa { n, e } => {
                let padding = match alg {
                    Alg::PS256 | Alg::PS384 | Alg::PS512 => RsaPadding::Pss,
                    _ => RsaPadding::Pkcs1,
                };
                crypto::verify_rsa(padding, alg.sha2(), n, e, message, signature)
            }
            Material::Ec { curve, x, y } => crypto::verify_ecdsa(*curve, x, y, message, signature),
            Material::Ed25519 { x } => crypto::verify_ed25519(x, message, signature),
        }
    }
}

#[cfg(test)]
mod tests;
