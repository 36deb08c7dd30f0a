//! Proof Key for Code Exchange (RFC 7636), with the method `S256` only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto;
use crate::secret::Secret;

/// The code verifier, a secret that binds a code to the login that requested it (RFC 7636 §4.1). It has 43 characters,
/// from 32 random bytes.
#[derive(Debug, Clone)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Creates a verifier from random bytes.
    pub fn from_random(bytes: [u8; 32]) -> CodeVerifier {
        CodeVerifier(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The verifier, which the token request contains (RFC 7636 §4.5).
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The challenge, `BASE64URL(SHA256(verifier))`, which the authorization request contains (RFC 7636 §4.2).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(crypto::sha256(self.0.expose().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7636_appendix_b() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::from_random(octets);
        assert_eq!(verifier.secret().expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn n02_a_verifier_has_43_unreserved_characters() {
        let verifier = CodeVerifier::from_random([255; 32]);
        let text = verifier.secret().expose();
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)));
    }
}
