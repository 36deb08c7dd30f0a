//! PKCE, the server's half (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// An S256 `code_challenge`: always 43 characters, as it is the base64url of a SHA-256 (RFC 7636 §4.2).
#[derive(Clone)]
pub(crate) struct CodeChallenge(String);

impl CodeChallenge {
    pub(crate) fn parse(text: &str) -> Option<CodeChallenge> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
        (decoded.len() == 32).then(|| CodeChallenge(text.to_owned()))
    }

    /// Whether `verifier` is well formed and hashes to this challenge (RFC 7636 §4.6).
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        let hashed = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        is_well_formed(verifier) && bool::from(hashed.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
fn is_well_formed(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_of_the_rfc_meets_its_challenge() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.is_met_by(VERIFIER));
    }

    #[test]
    fn s05_a_wrong_short_or_plain_verifier_does_not_meet_it() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        for wrong in ["", "short", CHALLENGE, &VERIFIER.to_lowercase(), &format!("{VERIFIER}=")] {
            assert!(!challenge.is_met_by(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_the_base64url_of_a_sha_256_is_a_challenge() {
        for wrong in ["", "abc", &CHALLENGE[..42], &format!("{CHALLENGE}="), &format!("{CHALLENGE}A")] {
            assert!(CodeChallenge::parse(wrong).is_none(), "{wrong}");
        }
    }
}
