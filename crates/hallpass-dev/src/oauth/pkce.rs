//! PKCE, the server side (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// An S256 `code_challenge`: a SHA-256 hash in base64url, so always 43 characters (RFC 7636 §4.2).
#[derive(Clone)]
pub(crate) struct CodeChallenge(String);

impl CodeChallenge {
    pub(crate) fn parse(text: &str) -> Option<CodeChallenge> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(hash) if hash.len() == 32 => Some(CodeChallenge(text.to_owned())),
            _ => None,
        }
    }

    /// Returns whether `verifier` is 43 to 128 unreserved characters (RFC 7636 §4.1) whose hash is this challenge
    /// (§4.6).
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        let is_well_formed = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        is_well_formed && bool::from(hash.as_bytes().ct_eq(self.0.as_bytes()))
    }
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
