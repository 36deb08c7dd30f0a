//! Hashes, signatures, encryption and base64url. No other module uses the crypto library.
//!
//! All functions take and return plain bytes, so that `ring` can be replaced without changes elsewhere. Verifying
//! returns only yes or no: the reason why a signature is invalid would help only a forger.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{aead, digest, signature};
use zeroize::Zeroizing;

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

/// The accepted sizes of an RSA modulus, in bits. RFC 7518 §3.3 requires 2048; with a key above 8192 a server could
/// make every sign-in slow.
pub(crate) const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The number of bits of a big-endian number without its leading zeros.
pub(crate) fn bit_length(number: &[u8]) -> usize {
    match number.iter().position(|&byte| byte != 0) {
        Some(first) => (number.len() - first) * 8 - number[first].leading_zeros() as usize,
        None => 0,
    }
}

/// Verifies an RS256/384/512 or PS256/384/512 signature. `n` and `e` are big-endian without leading zeros. With a
/// modulus outside [`RSA_MODULUS_BITS`], every signature is invalid.
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
    // ring rounds the size up to whole bytes and would accept 2041 bits.
    RSA_MODULUS_BITS.contains(&bit_length(n))
        && signature::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
}

/// The two supported NIST curves (RFC 7518 §6.2.1.1); each is used with the hash of its own size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// The size of a coordinate in bytes.
    pub(crate) fn coordinate_bytes(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
        }
    }
}

/// Verifies an ES256 or ES384 signature. `x` and `y` have the curve's full size; the signature is R and S
/// concatenated (RFC 7518 §3.4).
pub(crate) fn verify_ecdsa(curve: Curve, x: &[u8], y: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let algorithm = match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
    };
    // SEC 1 §2.3.3: an uncompressed point.
    let point = [&[4], x, y].concat();
    signature::UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
}

/// Verifies an Ed25519 signature (RFC 8037 §3.1).
pub(crate) fn verify_ed25519(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public_key).verify(message, signature).is_ok()
}

/// The size of an AES-256-GCM nonce in bytes.
pub(crate) const NONCE_BYTES: usize = aead::NONCE_LEN;

/// Encrypts with AES-256-GCM (NIST SP 800-38D). The associated data is authenticated and not part of the result.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    associated: &[u8],
    mut bytes: Zeroizing<Vec<u8>>,
) -> Vec<u8> {
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let tag = aead_key(key).seal_in_place_separate_tag(nonce, aead::Aad::from(associated), &mut bytes);
    let tag = tag.expect("a record is smaller than the 64 GiB limit of AES-GCM");
    [bytes.as_slice(), tag.as_ref()].concat()
}

/// Decrypts the result of [`seal`]. Returns `None` if the key, the nonce, the associated data or any byte differs.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    associated: &[u8],
    sealed: Vec<u8>,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(sealed);
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let length = aead_key(key).open_in_place(nonce, aead::Aad::from(associated), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn aead_key(key: &[u8; 32]) -> aead::LessSafeKey {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key).expect("an AES-256 key has 32 bytes");
    aead::LessSafeKey::new(key)
}

/// Encodes as base64url without padding (RFC 7515 §2).
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding. Each value has exactly one encoding: padding, white space, `+`, `/` and nonzero
/// trailing bits are refused.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    /// The example "abc" of FIPS 180-4.
    #[test]
    fn sha2_of_abc() {
        let expected = unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(b"abc").to_vec(), expected);
        assert_eq!(Sha2::Sha256.hash(b"abc"), expected);
        assert_eq!(Sha2::Sha384.hash(b"abc")[..8], unhex("cb00753f45a35e8b"));
        assert_eq!(Sha2::Sha384.hash(b"abc").len(), 48);
        assert_eq!(Sha2::Sha512.hash(b"abc")[..8], unhex("ddaf35a193617aba"));
        assert_eq!(Sha2::Sha512.hash(b"abc").len(), 64);
    }

    /// RFC 7515 appendix C.
    #[test]
    fn base64url_has_no_padding() {
        assert_eq!(to_base64url(&[3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(from_base64url("A-z_4ME"), Some(vec![3, 236, 255, 224, 193]));
        assert_eq!(from_base64url(""), Some(vec![]));
    }

    #[test]
    fn base64url_has_one_encoding_per_value() {
        for other in [
            "A-z_4ME=",
            "A+z/4ME",
            "A-z_4MF",
            "A-z_4M",
            "A-z_4ME\n",
            " A-z_4ME",
            "A-z _4ME",
            "A",
            "AB",
            "A-z_4ME.",
            "A-z_4M\u{e9}",
            "====",
        ] {
            assert_eq!(from_base64url(other), None, "{other:?}");
        }
    }

    #[test]
    fn bit_length_ignores_leading_zeros() {
        for (number, bits) in
            [(&[][..], 0), (&[0, 0], 0), (&[1], 1), (&[0, 1, 0], 9), (&[0x80, 0], 16), (&[0x7f, 0], 15)]
        {
            assert_eq!(bit_length(number), bits, "{number:?}");
        }
    }

    /// Both signatures are valid, but the keys are too small. ring alone accepts 2047 bits.
    #[test]
    fn n65_small_rsa_keys_are_refused() {
        for (n, signature, bits) in [(N_1024, SIGNATURE_1024, 1024), (N_2047, SIGNATURE_2047, 2047)] {
            let (n, signature) = (from_base64url(n).unwrap(), from_base64url(signature).unwrap());
            assert_eq!(bit_length(&n), bits);
            assert!(!verify_rsa(RsaPadding::Pkcs1, Sha2::Sha256, &n, &[1, 0, 1], b"message", &signature));
        }
        let n = from_base64url(N_2047).unwrap();
        let key = signature::RsaPublicKeyComponents { n: &n[..], e: &[1, 0, 1][..] };
        let signature = from_base64url(SIGNATURE_2047).unwrap();
        assert!(key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, b"message", &signature).is_ok());
    }

    #[test]
    fn n65_huge_rsa_keys_are_refused_fast() {
        let start = std::time::Instant::now();
        let n = vec![0xff; 32_768 / 8];
        assert!(!verify_rsa(RsaPadding::Pss, Sha2::Sha512, &n, &n, b"message", &n));
        assert!(start.elapsed() < std::time::Duration::from_secs(1));
    }

    #[test]
    fn keys_and_signatures_of_any_size_do_not_panic() {
        for size in [0, 1, 31, 32, 33, 48, 57, 64, 96, 97, 256, 257, 1024, 5000] {
            let bytes = vec![0x5a; size];
            for hash in [Sha2::Sha256, Sha2::Sha384, Sha2::Sha512] {
                assert!(!verify_rsa(RsaPadding::Pkcs1, hash, &bytes, &bytes, b"", &bytes), "{size}");
                assert!(!verify_rsa(RsaPadding::Pss, hash, &bytes, &bytes, b"", &bytes), "{size}");
            }
            assert!(!verify_ecdsa(Curve::P256, &bytes, &bytes, b"", &bytes), "{size}");
            assert!(!verify_ecdsa(Curve::P384, &bytes, &bytes, b"", &bytes), "{size}");
            assert!(!verify_ed25519(&bytes, b"", &bytes), "{size}");
        }
    }

    /// Generated for these tests, like the three below.
    const N_1024: &str = "\
        1bOs1fxik568vVDxq-T_eV3RBE_R-OTUKOOVqt8gYBv2kvzmN43Q9GoiHOumUGxW7LuIorWx2KjtdmvdE9fYRsDAB1vv7Bh_\
        wE2D1fKJZ6Nt9EJs4PMJH205r_Ulyh8Z4hN0THB8eCUYxRVURLP8Qx28H09ufbeI_cvjOomn98k";
    const SIGNATURE_1024: &str = "\
        jfadHvsDoiZuZvv7q2lBZWaaiBxrtTJWZ4S5-MDtHBh2NuBsEWncxOhoZGr2aUlL5Zvs3MebsTXgUXVze1z0qy3vraTt3iBg\
        f0lj2Q8H89aX1XWrimU76HTO5h5HKRlCPa0LOXYAlGFvnqn8izO3SWK_wULtPKj8VeLLAh0Mhww";
    const N_2047: &str = "\
        fq4e2E9iAz9xqTHvBGdEO12yJ4891G--VaZtJFycogA6-b_Tu6HDZ_5q3FGKNyzgHcQj-9qiDtl-1rPrOAWzXj1Q90F7W89w\
        JcZlR6UU5Kedbqku6gs34MV-6p5ROhqAe6lPwQS2iDtS7r77pYec48rq54qN7Yo1c-tfimbG1FYuIW-RZpcCKww_eebmcF47\
        RlskLjF5-TCwfqI_neawdDEChq62Y4lCvn_iBZFeKXaa9V3hha1lhFSA9W8-WRuCrFJ-ra3XY6o9Dc6C9ZFhOZEAomV7BOIP\
        JcdWzetKUKApTb-eYGG0EROEWsJrMjbIJBN0DBB_5hnl1P_DQcViYQ";
    const SIGNATURE_2047: &str = "\
        RmusfrNZspGYR3TpCXrC57ZbdHd-RHvgHOHzY9Ml8MQa8A3AzMcNmRHLDC40fEQlfSweZtN1dkmT_c1F3ZSNfhd6YFf37WZN\
        PvyeAlsQ7cNW4_i0oXOQR-UNlSzMCf0LzF4d8E2GO1lXsYjCB0KqUocDpGcL9ZxFpocdG4GyixJ6MZhJw9u1LDJBWpYR-eGt\
        bJ95krpbc__GPfg9dnNd95SyKMbeEWu1H-2llTPo4-uNE_zruQv7DdFc0fngh6DSPqI14CKBpLuoApcK1fz_GOwFdPqsSs1c\
        eyjx3tu_LYNb-I__GcozOFdtKXu4toyzoFyyawj0znntUqu-lbvExA";
}
