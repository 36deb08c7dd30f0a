//! Authorization codes (RFC 6749 §4.1.2).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::random;
use crate::oauth::scope::Scope;
use crate::state::fingerprint::Fingerprint;
use crate::state::grants::GrantId;
use crate::user::User;

/// A client exchanges its code within the second; a minute also survives a debugger.
const LIFETIME: Duration = Duration::from_secs(60);

/// A used code is remembered longer than it lives, so that its second use is noticed.
const MEMORY: Duration = Duration::from_secs(600);

/// What a user allowed a client, and what the code is bound to.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: CodeChallenge,
    pub(crate) scope: Scope,
    pub(crate) nonce: Option<String>,
    pub(crate) user: Arc<User>,
    pub(crate) auth_time: u64,
}

/// A token request by `authorization_code` (RFC 6749 §4.1.3).
pub(crate) struct Redemption<'a> {
    pub(crate) code: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: &'a str,
}

/// What became of a code that was presented by its rightful client.
pub(crate) enum Redeemed {
    First(Authorization),
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
        self.0.retain(|_, code| code.issued.elapsed() < MEMORY);
        let value = random::token();
        let code = Code { authorization, issued: Instant::now(), used_for: None };
        self.0.insert(Fingerprint::of(&value), code);
        value
    }

    /// Checks all that the code is bound to before looking at its use: a replay by someone who
    /// lacks the verifier must not end the session of the one who has it (OAuth 2.1 §7.5.2).
    pub(crate) fn redeem(
        &mut self,
        request: &Redemption<'_>,
        grant: GrantId,
    ) -> Result<Redeemed, OAuthError> {
        let refused = |why: &str| OAuthError::new(ErrorCode::InvalidGrant, why);
        let code = self.0.get_mut(&Fingerprint::of(request.code));
        let code = code.ok_or_else(|| refused("The code is unknown or has expired."))?;
        let bound = &code.authorization;
        if bound.client_id != request.client_id {
            return Err(refused("The code was issued to another client."));
        }
        if request.redirect_uri.is_some_and(|uri| uri != bound.redirect_uri) {
            return Err(refused("redirect_uri is not the one of the authorization request."));
        }
        if !bound.challenge.is_met_by(request.verifier) {
            return Err(refused("code_verifier does not match the code_challenge."));
        }
        if let Some(grant) = code.used_for {
            return Ok(Redeemed::Again(grant));
        }
        if code.issued.elapsed() >= LIFETIME {
            return Err(refused("The code is unknown or has expired."));
        }
        code.used_for = Some(grant);
        Ok(Redeemed::First(bound.clone()))
    }
}
