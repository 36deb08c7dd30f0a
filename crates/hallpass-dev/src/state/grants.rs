//! Grants and the tokens issued for them (RFC 6749 §1.4, §1.5).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::oauth::clock::unix_now;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::random;
use crate::oauth::scope::Scope;
use crate::state::fingerprint::Fingerprint;
use crate::user::SignedIn;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GrantId(u64);

/// The access that a user has granted to a client. Revoking it revokes all of its tokens.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) session: SignedIn,
    pub(crate) scope: Scope,
}

/// The tokens of one token response.
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
}

/// A valid token, as seen by introspection (RFC 7662).
pub(crate) struct ActiveToken<'a> {
    pub(crate) grant: &'a Grant,
    pub(crate) scope: &'a Scope,
    pub(crate) issued_at: u64,
    /// `None` for a refresh token, which is valid until it is used or revoked.
    pub(crate) expires_at: Option<u64>,
}

struct AccessToken {
    grant: GrantId,
    scope: Scope,
    issued_at: u64,
    lifetime: Duration,
    issued: Instant,
}

struct RefreshToken {
    grant: GrantId,
    issued_at: u64,
    used: Option<Instant>,
}

#[derive(Default)]
pub(crate) struct Grants {
    last_id: u64,
    grants: HashMap<GrantId, Grant>,
    access_tokens: HashMap<Fingerprint, AccessToken>,
    refresh_tokens: HashMap<Fingerprint, RefreshToken>,
}

impl Grants {
    /// Reserves the ID of a grant to be [added](Grants::add) later.
    pub(crate) fn reserve_id(&mut self) -> GrantId {
        self.last_id += 1;
        GrantId(self.last_id)
    }

    pub(crate) fn add(&mut self, id: GrantId, grant: Grant) {
        self.grants.insert(id, grant);
    }

    /// Revokes a grant with all of its tokens.
    pub(crate) fn revoke(&mut self, id: GrantId) {
        self.grants.remove(&id);
        self.access_tokens.retain(|_, token| token.grant != id);
        self.refresh_tokens.retain(|_, token| token.grant != id);
    }

    /// Issues an access token for `scope`, and a refresh token if the grant includes `offline_access`.
    pub(crate) fn issue(&mut self, id: GrantId, grant: &Grant, scope: &Scope, lifetime: Duration) -> Tokens {
        let issued_at = unix_now();
        let access_token = random::token();
        let access =
            AccessToken { grant: id, scope: scope.clone(), issued_at, lifetime, issued: Instant::now() };
        self.access_tokens.insert(Fingerprint::of(&access_token), access);
        if !grant.scope.contains("offline_access") {
            return Tokens { access_token, refresh_token: None };
        }
        let refresh_token = random::token();
        let refresh = RefreshToken { grant: id, issued_at, used: None };
        self.refresh_tokens.insert(Fingerprint::of(&refresh_token), refresh);
        Tokens { access_token, refresh_token: Some(refresh_token) }
    }

    pub(crate) fn active_access_token(&self, token: &str) -> Option<ActiveToken<'_>> {
        let found = self.access_tokens.get(&Fingerprint::of(token))?;
        if found.issued.elapsed() >= found.lifetime {
            return None;
        }
        let grant = self.grants.get(&found.grant)?;
        let expires_at = Some(found.issued_at + found.lifetime.as_secs());
        Some(ActiveToken { grant, scope: &found.scope, issued_at: found.issued_at, expires_at })
    }

    /// Returns a refresh token that has not been used yet.
    pub(crate) fn active_refresh_token(&self, token: &str) -> Option<ActiveToken<'_>> {
        let found = self.refresh_tokens.get(&Fingerprint::of(token))?;
        if found.used.is_some() {
            return None;
        }
        let grant = self.grants.get(&found.grant)?;
        Some(ActiveToken { grant, scope: &grant.scope, issued_at: found.issued_at, expires_at: None })
    }

    /// Uses up a refresh token and returns its grant (RFC 9700 §4.14.2).
    ///
    /// A second use after `grace` revokes the grant: one of the two requests came from an attacker, and the server
    /// cannot tell which.
    pub(crate) fn rotate(
        &mut self,
        token: &str,
        client_id: &str,
        grace: Duration,
    ) -> Result<(GrantId, Grant), OAuthError> {
        let invalid =
            || OAuthError::new(ErrorCode::InvalidGrant, "The refresh token is invalid or was revoked.");
        let found = self.refresh_tokens.get_mut(&Fingerprint::of(token)).ok_or_else(invalid)?;
        let id = found.grant;
        let grant = self.grants.get(&id).filter(|grant| grant.client_id == client_id).ok_or_else(invalid)?;
        if let Some(used) = found.used
            && used.elapsed() >= grace
        {
            self.revoke(id);
            return Err(invalid());
        }
        found.used.get_or_insert_with(Instant::now);
        Ok((id, grant.clone()))
    }

    /// Revokes a token of `client_id`: an access token alone, a refresh token with its whole grant (RFC 7009 §2.1).
    /// An unknown token is no error (§2.2).
    pub(crate) fn revoke_token(&mut self, token: &str, client_id: &str) -> Result<(), OAuthError> {
        let key = Fingerprint::of(token);
        let refresh = self.refresh_tokens.get(&key).map(|found| found.grant);
        let access = self.access_tokens.get(&key).map(|found| found.grant);
        let Some(id) = refresh.or(access) else { return Ok(()) };
        if let Some(grant) = self.grants.get(&id)
            && grant.client_id != client_id
        {
            let description = "The token was issued to another client.";
            return Err(OAuthError::new(ErrorCode::InvalidGrant, description));
        }
        self.access_tokens.remove(&key);
        if refresh.is_some() {
            self.revoke(id);
        }
        Ok(())
    }
}
