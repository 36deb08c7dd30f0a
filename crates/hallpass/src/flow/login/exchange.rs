//! Turns a grant into a saved session: exchanges it, checks everything, saves. Every kind of login ends here.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::attempt::Attempt;
use super::grant::{Grant, is_temporary};
use super::storage::NewSeal;
use super::superseded;
use crate::error::{Denied, Error, OAuthError, Result, ServerMisbehaved, StoreError};
use crate::flow::endpoint::{post, status_error};
use crate::flow::jwks::{self, Preparation};
use crate::flow::{LOCK_LIMIT, userinfo};
use crate::protocol::authorization::{RequestedIdToken, VerifiedCode};
use crate::protocol::id_token::{Expectations, UnverifiedIdToken};
use crate::protocol::metadata::Endpoint;
use crate::protocol::token::{self, TokenVerdict, Tokens};
use crate::protocol::userinfo as userinfo_rules;
use crate::secret::Secret;
use crate::session::Session;
use crate::store::{Access, Record, Seal, Secrets, StoredRecord, VERSION};
use crate::user::User;

/// The exchange of a grant for a session.
pub(super) struct Exchange {
    pub(super) attempt: Arc<Attempt>,
    pub(super) preparation: Preparation,
    pub(super) seal: NewSeal,
}

/// A new session, and the record it replaced.
pub(super) struct Saved {
    pub(super) session: Session,
    pub(super) replaced: Option<StoredRecord>,
}

/// Checked tokens, with the claims about their owner.
struct Judged {
    tokens: Tokens,
    claims: Map<String, Value>,
    received_at: SystemTime,
    notes: Vec<String>,
}

impl Exchange {
    /// Exchanges a code once, checks the response, and saves the session.
    pub(super) fn finish(self, grant: Grant) -> Result<Saved> {
        let (tokens, asked) = match grant {
            Grant::Code(code) => {
                let asked = code.requested.clone();
                (self.tokens(code)?, asked)
            }
            Grant::Device(tokens) => (tokens, RequestedIdToken::default()),
        };
        let judged = self.judge(tokens, &asked)?;
        self.check_account(&judged)?;
        self.save(&judged)
    }

    /// Compares the account with the one that was required: `login_hint` binds no server. The grant of another account is
    /// revoked.
    fn check_account(&self, judged: &Judged) -> Result<()> {
        let Some(account) = &self.attempt.context.config.account else { return Ok(()) };
        let user = User::from_claims(&judged.claims);
        if user.as_ref().is_some_and(|user| user.matches_account(account)) {
            return Ok(());
        }
        superseded::give_back(&self.attempt.context, &self.record(judged));
        let found = user.map(|user| user.label()).unwrap_or_else(|| "an unknown account".to_owned());
        Err(Denied::OtherAccount { asked: crate::sanitize::text(account), found }.into())
    }

    fn tokens(&self, code: VerifiedCode) -> Result<Tokens> {
        let url = self.attempt.metadata.endpoints.need(Endpoint::Token)?;
        let resources: Vec<String> = self.attempt.context.config.resource.iter().cloned().collect();
        let request = post(url, token::code_request(&self.attempt.client_auth(), code, &resources));
        let response = self.attempt.context.send("token endpoint", request)?;
        match token::judge(response.status, &response.body) {
            TokenVerdict::Granted(tokens) => Ok(tokens),
            TokenVerdict::Refused(error) if is_temporary(&error.error) || response.status >= 500 => {
                Err(status_error(url, &response))
            }
            TokenVerdict::Refused(error) => Err(Denied::ByServer(error).into()),
            TokenVerdict::Status(400 | 401 | 403) => {
                Err(Denied::ByServer(OAuthError::from_status(response.status)).into())
            }
            TokenVerdict::Status(_) => Err(status_error(url, &response)),
            TokenVerdict::Broken(rule) => Err(rule.into()),
            TokenVerdict::Unusable(lack) => Err(lack.into()),
        }
    }

    /// Finds out who signed in: from the ID token, checked in full, and from userinfo for what it lacks.
    fn judge(&self, tokens: Tokens, asked: &RequestedIdToken) -> Result<Judged> {
        let received_at = self.attempt.context.now();
        let mut judged = Judged { tokens, claims: Map::new(), received_at, notes: Vec::new() };
        match &judged.tokens.id_token {
            Some(id_token) => {
                let verified = self.id_token(id_token, asked, &judged)?;
                judged.notes.extend(other_acr(asked, &verified));
                judged.claims = userinfo_rules::profile_claims(verified);
            }
            None if asked.max_age.is_some() => return Err(ServerMisbehaved::IdTokenClaim("auth_time").into()),
            None => {}
        }
        self.complete(&mut judged)?;
        Ok(judged)
    }

    fn id_token(
        &self,
        id_token: &Secret,
        asked: &RequestedIdToken,
        judged: &Judged,
    ) -> Result<Map<String, Value>> {
        let token = UnverifiedIdToken::parse(id_token)?;
        let (keys, url) = self.preparation.keys(&self.attempt.context)?;
        let expected = Expectations {
            issuer: &self.attempt.metadata.issuer,
            client_id: &self.attempt.client.client_id,
            nonce: asked.nonce.as_ref().map(Secret::expose),
            max_age: asked.max_age,
            access_token: Some(&judged.tokens.access_token),
            now: judged.received_at,
        };
        Ok(jwks::verify(&self.attempt.context, &url, keys, token, &expected)?.all)
    }

    /// Requests userinfo if the scopes promise more claims than there are. A failure only costs those claims, unless the
    /// response is about another user.
    fn complete(&self, judged: &mut Judged) -> Result<()> {
        let granted = judged.tokens.scopes.as_ref().unwrap_or(&self.attempt.scopes);
        let is_needed =
            judged.tokens.id_token.is_none() || userinfo_rules::is_needed(granted, &judged.claims);
        let Some(url) = self.attempt.metadata.endpoints.get(Endpoint::Userinfo).filter(|_| is_needed) else {
            return Ok(());
        };
        let sub = judged.claims.get("sub").and_then(Value::as_str);
        match userinfo::ask(
            &self.attempt.context,
            url,
            &judged.tokens.access_token,
            &self.attempt.client.claim_names,
            sub,
        ) {
            Ok(claims) => judged.claims.extend(claims),
            Err(Error::ServerMisbehaved(ServerMisbehaved::UserinfoSub)) => {
                return Err(ServerMisbehaved::UserinfoSub.into());
            }
            Err(error) => judged
                .notes
                .push(format!("could not fetch your user information ({error}); `whoami` tries again")),
        }
        Ok(())
    }

    fn save(self, judged: &Judged) -> Result<Saved> {
        let _guard = self.attempt.context.lock(LOCK_LIMIT)?;
        self.seal.write(|seal| self.write(judged, seal))
    }

    fn write(&self, judged: &Judged, seal: Option<&Seal>) -> Result<Saved> {
        let context = &*self.attempt.context;
        let mut notes = judged.notes.clone();
        let replaced = match context.store.read() {
            Ok(old) => old,
            Err(StoreError::Corrupt { .. }) => {
                let aside = context.store.set_aside()?;
                notes.extend(aside.map(|path| {
                    format!("the old record could not be read and was moved to {}", path.display())
                }));
                None
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(replaced) = &replaced {
            replaced.check_writable(context.store.path())?;
        }
        let generation = replaced.as_ref().map_or(0, |record| record.generation);
        let record = Record { generation, seal: seal.cloned(), ..self.record(judged) };
        notes.extend(context.store.sweep().err().map(|error| error.to_string()));
        let saved = context.store.stage()?.save(record)?;
        context.store.settle_journal();
        notes.extend(self.notes(judged, &saved));
        let session = Session::new(&context.store, &saved, notes);
        Ok(Saved { session, replaced })
    }

    fn record(&self, judged: &Judged) -> Record {
        let Judged { tokens, claims, received_at, .. } = judged;
        let Attempt { context, client, metadata, scopes: requested } = &*self.attempt;
        let scopes = tokens.scopes.clone().unwrap_or_else(|| requested.clone());
        let expires_at = tokens.expires_in.map(|lifetime| *received_at + lifetime);
        let resource = context.config.resource.clone();
        let endpoints = metadata.endpoints.iter();
        Record {
            version: VERSION,
            service: context.config.service.clone(),
            profile: context.config.profile.clone(),
            generation: 0,
            issuer: metadata.issuer.clone(),
            client_id: client.client_id.clone(),
            auth_method: self.attempt.client_auth().method,
            endpoints: endpoints.map(|(name, url)| (name.name().to_owned(), url.to_string())).collect(),
            scopes_requested: requested.clone(),
            user: User::from_claims(claims),
            claims: claims.clone(),
            claim_names: client.claim_names.clone(),
            obtained_at: *received_at,
            renewable: tokens.refresh_token.is_some(),
            tombstone: None,
            access: vec![Access { resource, scopes, expires_at, obtained_at: None, unknown: Map::new() }],
            seal: None,
            secret: Secrets {
                access_tokens: vec![tokens.access_token.clone()],
                refresh_token: tokens.refresh_token.clone(),
                id_token: tokens.id_token.clone(),
                client_secret: client.secret.clone(),
                unknown: Map::new(),
            },
            unknown: Map::new(),
        }
    }

    /// Notes for the user about a login that succeeded.
    fn notes(&self, judged: &Judged, record: &Record) -> Vec<String> {
        let mut notes = Vec::new();
        if self.attempt.metadata.issuer != self.attempt.client.issuer.as_str() {
            notes.push(format!("the server writes its issuer as {}", self.attempt.metadata.issuer));
        }
        if let Some(granted) = &judged.tokens.scopes {
            let requested = self.attempt.scopes.iter().map(String::as_str);
            let missing: Vec<&str> = requested.filter(|scope| !granted.iter().any(|g| g == scope)).collect();
            // Some servers return a refresh token without naming the scope that asked for it.
            let has_all = missing.is_empty() || (missing == ["offline_access"] && record.renewable);
            if !has_all {
                notes.push(format!("the server did not grant these scopes: {}", missing.join(" ")));
            }
        }
        if !record.renewable {
            notes.extend(self.not_renewable(judged));
        }
        notes
    }

    /// Explains a missing refresh token, if one was wanted.
    fn not_renewable(&self, judged: &Judged) -> Option<String> {
        let has = |scopes: &[String]| scopes.iter().any(|scope| scope == "offline_access");
        let why = match (has(&self.attempt.context.config.scopes), has(&self.attempt.scopes)) {
            (_, true) => "the server returned no refresh token; signing in again with consent may bring one",
            (true, false) => {
                "the server does not support the scope offline_access, which requests a refresh token"
            }
            (false, false) => return None,
        };
        let lasts = judged.tokens.expires_in.map(humantime::format_duration);
        let lasts = lasts.map(|lifetime| format!("lasts {lifetime} and ")).unwrap_or_default();
        Some(format!("this session {lasts}cannot be refreshed: {why}"))
    }
}

/// Notes that the server did not confirm the requested `acr_values`, which bind no server.
fn other_acr(requested: &RequestedIdToken, claims: &Map<String, Value>) -> Option<String> {
    let acr = claims.get("acr").and_then(Value::as_str);
    if requested.allows_acr(acr) {
        return None;
    }
    let stated = match acr {
        Some(acr) => format!("states \"{}\"", crate::sanitize::text(acr)),
        None => "states none".to_owned(),
    };
    Some(format!("you may not have signed in the way acr_values requests: the server {stated}"))
}
