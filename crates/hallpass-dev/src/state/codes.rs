//! Authorization codes (RFC 6749 §4.1.2).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::random;
use crate::state::fingerprint::Fingerprint;
use crate::state::grants::{Grant, GrantId};

/// How long a code can be redeemed. Clients need less than a second; a minute allows for a debugger.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long a code is remembered after it was issued, so that its reuse is noticed.
const RETENTION: Duration = Duration::from_secs(600);

/// The grant that a code stands for, and the values that the code is bound to.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: CodeChallenge,
    pub(crate) nonce: Option<String>,
}

/// The parameters of a token request with a code (RFC 6749 §4.1.3).
pub(crate) struct Redemption<'a> {
    pub(crate) code: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: &'a str,
}

/// The outcome for a client that proved the code to be its own.
pub(crate) enum Redeemed {
    /// The code was used for the first time.
    First(Authorization),
    /// The code has already been used, for this grant.
    Again(GrantId),
}

struct Code {
    authorization: Authorization,
    issued: Instant,
    used_for: Option<GrantId>,
}

#[derive(Default)]
pub(crate) struct Codes(HashMap<Fingerprint, Code>);

impl Codes {
    pub(crate) fn issue(&mut self, authorization: Authorization) -> String {
        self.0.retain(|_, code| code.issued.elapsed() < RETENTION);
        let value = random::token();
        let code = Code { authorization, issued: Instant::now(), used_for: None };
        self.0.insert(Fingerprint::of(&value), code);
        value
    }

    /// Redeems a code for `grant`.
    ///
    /// Reuse is checked last: an attacker who replays the code without the verifier must not cause the client's
    /// tokens to be revoked (OAuth 2.1 §7.5.2).
    pub(crate) fn redeem(
        &mut self,
        request: &Redemption<'_>,
        grant: GrantId,
    ) -> Result<Redeemed, OAuthError> {
        let invalid = |description: &str| OAuthError::new(ErrorCode::InvalidGrant, description);
        let code = self.0.get_mut(&Fingerprint::of(request.code));
        let code = code.ok_or_else(|| invalid("The code is unknown or has expired."))?;
        let bound = &code.authorization;
        if bound.grant.client_id != request.client_id {
            return Err(invalid("The code was issued to another client."));
        }
        if request.redirect_uri.unwrap_or(&bound.redirect_uri) != bound.redirect_uri {
            return Err(invalid("redirect_uri differs from the authorization request."));
        }
        if !bound.challenge.is_met_by(request.verifier) {
            return Err(invalid("code_verifier does not match code_challenge."));
        }
        if let Some(grant) = code.used_for {
            return Ok(Redeemed::Again(grant));
        }
        if code.issued.elapsed() >= LIFETIME {
            return Err(invalid("The code is unknown or has expired."));
        }
        code.used_for = Some(grant);
        Ok(Redeemed::First(bound.clone()))
    }
}
