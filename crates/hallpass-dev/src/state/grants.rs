//! What was granted: a family of tokens for each sign-in (RFC 6749 §1.4, §1.5).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::oauth::id_token::unix_now;
use crate::oauth::oauth_error::{ErrorCode, OAuthError};
use crate::oauth::random;
use crate::oauth::scope::Scope;
use crate::state::fingerprint::Fingerprint;
use crate::user::User;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GrantId(u64);

/// One sign-in of one user at one client. All its tokens die with it.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) user: Arc<User>,
    pub(crate) scope: Scope,
    pub(crate) auth_time: u64,
}

/// A live token and the grant it belongs to.
pub(crate) struct Live<'a> {
    pub(crate) grant: &'a Grant,
    pub(crate) scope: &'a Scope,
    pub(crate) issued_at: u64,
    /// `None` for a refresh token, which lives until it is used or revoked.
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
    next: u64,
    grants: HashMap<GrantId, Grant>,
    access: HashMap<Fingerprint, AccessToken>,
    refresh: HashMap<Fingerprint, RefreshToken>,
}

impl Grants {
    /// The id that the next grant gets. It exists only when [`open`](Grants::open) says so.
    pub(crate) fn reserve(&mut self) -> GrantId {
        self.next += 1;
        GrantId(self.next)
    }

    pub(crate) fn open(&mut self, id: GrantId, grant: Grant) {
        self.grants.insert(id, grant);
    }

    /// Ends a grant with every token that came of it.
    pub(crate) fn revoke(&mut self, id: GrantId) {
        self.grants.remove(&id);
        self.access.retain(|_, token| token.grant != id);
        self.refresh.retain(|_, token| token.grant != id);
    }

    pub(crate) fn issue_access(&mut self, id: GrantId, scope: Scope, lifetime: Duration) -> String {
        let token = random::token();
        let access =
            AccessToken { grant: id, scope, issued_at: unix_now(), lifetime, issued: Instant::now() };
        self.access.insert(Fingerprint::of(&token), access);
        token
    }

    pub(crate) fn issue_refresh(&mut self, id: GrantId) -> String {
        let token = random::token();
        let refresh = RefreshToken { grant: id, issued_at: unix_now(), used: None };
        self.refresh.insert(Fingerprint::of(&token), refresh);
        token
    }

    pub(crate) fn access(&self, token: &str) -> Option<Live<'_>> {
        let found = self.access.get(&Fingerprint::of(token))?;
        (found.issued.elapsed() < found.lifetime).then_some(())?;
        let expires_at = Some(found.issued_at + found.lifetime.as_secs());
        let grant = self.grants.get(&found.grant)?;
        Some(Live { grant, scope: &found.scope, issued_at: found.issued_at, expires_at })
    }

    /// A refresh token that was not used yet.
    pub(crate) fn refresh(&self, token: &str) -> Option<Live<'_>> {
        let found = self.refresh.get(&Fingerprint::of(token)).filter(|found| found.used.is_none())?;
        let grant = self.grants.get(&found.grant)?;
        Some(Live { grant, scope: &grant.scope, issued_at: found.issued_at, expires_at: None })
    }

    /// Spends a refresh token (RFC 9700 §4.14.2). A second use ends the family: one of the two who
    /// have the token stole it, and the server cannot tell which.
    pub(crate) fn rotate(
        &mut self,
        token: &str,
        client_id: &str,
        grace: Duration,
    ) -> Result<(GrantId, Grant), OAuthError> {
        let refused = || OAuthError::new(ErrorCode::InvalidGrant, "The refresh token is not valid.");
        let found = self.refresh.get_mut(&Fingerprint::of(token)).ok_or_else(refused)?;
        let id = found.grant;
        let grant = self.grants.get(&id).filter(|grant| grant.client_id == client_id).ok_or_else(refused)?;
        if found.used.is_some_and(|used| used.elapsed() >= grace) {
            self.revoke(id);
            return Err(refused());
        }
        found.used.get_or_insert_with(Instant::now);
        Ok((id, grant.clone()))
    }

    /// Revokes what `token` is, if it is `client_id`'s: an access token alone, a refresh token with
    /// its whole family (RFC 7009 §2.1). A token nobody knows is as good as revoked (§2.2).
    pub(crate) fn revoke_token(&mut self, token: &str, client_id: &str) -> Result<(), OAuthError> {
        let key = Fingerprint::of(token);
        let refresh = self.refresh.get(&key).map(|found| found.grant);
        let Some(id) = refresh.or_else(|| Some(self.access.get(&key)?.grant)) else { return Ok(()) };
        if self.grants.get(&id).is_some_and(|grant| grant.client_id != client_id) {
            let why = "The token was issued to another client.";
            return Err(OAuthError::new(ErrorCode::InvalidGrant, why));
        }
        match refresh {
            Some(id) => self.revoke(id),
            None => drop(self.access.remove(&key)),
        }
        Ok(())
    }
}
