//! Hashes, signatures and base64url: the one module that knows which crypto library is used.
//!
//! Everything takes and gives plain bytes, so that another library can take the place of `ring`
//! without a change elsewhere. Verifying answers yes or no: why a signature is wrong helps only
//! somebody who forges one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, signature};

/// The SHA-2 functions of JOSE (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sha2 {
    Sha256,
    Sha384,
    Sha512,
}

impl Sha2 {
    /// The hash of `data`: 32, 48 or 64 bytes.
    pub(crate) fn hash(self, data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Sha2::Sha256 => &digest::SHA256,
            Sha2::Sha384 => &digest::SHA384,
            Sha2::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }
}

/// SHA-256 (PKCE's `S256`, fingerprints of tokens).
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

/// The two RSA signature schemes (RFC 7518 §3.3 and §3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RsaPadding {
    Pkcs1,
    Pss,
}

/// Sizes of an RSA modulus that are used, in bits. RFC 7518 §3.3 demands 2048; above 8192 a
/// server could make every sign-in slow by publishing an absurd key.
pub(crate) const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// How many bits a big-endian number has without its leading zeros.
pub(crate) fn bit_length(number: &[u8]) -> usize {
    match number.iter().position(|&byte| byte != 0) {
        Some(first) => (number.len() - first) * 8 - number[first].leading_zeros() as usize,
        None => 0,
    }
}

/// Verifies RS256/384/512 and PS256/384/512. `n` and `e` are big-endian without leading zeros;
/// a modulus outside [`RSA_MODULUS_BITS`] verifies nothing.
pub(crate) fn verify_rsa(
    padding: RsaPadding,
    hash: Sha2,
    n: &[u8],
    e: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let parameters = match (padding, hash) {
        (RsaPadding::Pkcs1, Sha2::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (RsaPadding::Pkcs1, Sha2::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (RsaPadding::Pkcs1, Sha2::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (RsaPadding::Pss, Sha2::Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (RsaPadding::Pss, Sha2::Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (RsaPadding::Pss, Sha2::Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
    };
    // The library rounds the size up to whole bytes, and would take 2041 bits.
    RSA_MODULUS_BITS.contains(&bit_length(n))
        && signature::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
}

/// The two NIST curves (RFC 7518 §6.2.1.1); each is signed with the hash of its own size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// Bytes of one coordinate.
    pub(crate) fn coordinate_bytes(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
        }
    }
}

/// Verifies ES256 and ES384. `x` and `y` have the curve's full size; the signature is R and S,
/// joined (RFC 7518 §3.4).
pub(crate) fn verify_ecdsa(curve: Curve, x: &[u8], y: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let algorithm = match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
    };
    // SEC 1 §2.3.3: an uncompressed point.
    let point = [&[4], x, y].concat();
    signature::UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
}

/// Verifies Ed25519 (RFC 8037 §3.1).
pub(crate) fn verify_ed25519(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public_key).verify(message, signature).is_ok()
}

/// Base64url without padding (RFC 7515 §2).
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding. There is one spelling for each value: padding, white space,
/// the letters `+` and `/`, and bits that are left over at the end and not zero are refused.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
