//! From a grant to a saved session: exchanged, judged, saved. Every way to sign in ends here.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::storage::NewSeal;
use super::superseded;
use crate::error::{
    Denied, Error, NetworkError, NetworkErrorKind, OAuthError, Result, ServerMisbehaved, StoreError,
};
use crate::flow::endpoint::{client_auth_for, post, status_error};
use crate::flow::jwks::{self, Preparation};
use crate::flow::{Context, LOCK_LIMIT, userinfo};
use crate::protocol::authorization::{RequestedIdToken, VerifiedCode};
use crate::protocol::client::ClientAuth;
use crate::protocol::id_token::{Expectations, UnverifiedIdToken};
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::protocol::token::{self, TokenVerdict, Tokens};
use crate::protocol::userinfo as userinfo_rules;
use crate::secret::Secret;
use crate::session::Session;
use crate::settings::Client;
use crate::store::{Access, Record, Seal, Secrets, StoredRecord, VERSION};
use crate::user::User;

/// What the person's answer gave us.
pub(super) enum Grant {
    /// A code, still to be exchanged.
    Code(VerifiedCode),
    /// Tokens of a device grant, still to be judged.
    Device(Tokens),
}

/// A login that knows its server.
pub(super) struct Exchange {
    pub(super) context: Arc<Context>,
    pub(super) client: Client,
    pub(super) metadata: ServerMetadata,
    pub(super) scopes: Vec<String>,
    pub(super) preparation: Preparation,
    pub(super) seal: NewSeal,
}

/// A new session, and the record that it took the place of.
pub(super) struct Saved {
    pub(super) session: Session,
    pub(super) replaced: Option<StoredRecord>,
}

/// Tokens whose owner is known as far as the server tells.
struct Judged {
    tokens: Tokens,
    claims: Map<String, Value>,
    received_at: SystemTime,
    notes: Vec<String>,
}

impl Exchange {
    /// Exchanges a code once, judges everything that comes, and saves it.
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

    /// The server need not care for a hint, so who came is compared with who was meant. The grant of somebody else
    /// is given back.
    fn check_account(&self, judged: &Judged) -> Result<()> {
        let Some(account) = &self.context.config.account else { return Ok(()) };
        let user = User::from_claims(&judged.claims);
        if user.as_ref().is_some_and(|user| user.matches_account(account)) {
            return Ok(());
        }
        superseded::give_back(&self.context, &self.record(judged));
        let found = user.map(|user| user.label()).unwrap_or_else(|| "an unknown account".to_owned());
        Err(Denied::OtherAccount { asked: crate::sanitize::text(account), found }.into())
    }

    fn tokens(&self, code: VerifiedCode) -> Result<Tokens> {
        let url = self.metadata.endpoints.need(Endpoint::Token)?;
        let resources: Vec<String> = self.context.config.resource.iter().cloned().collect();
        let request = post(url, token::code_request(&self.client_auth(), code, &resources));
        let answer = self.context.send("token endpoint", request)?;
        match token::judge(answer.status, &answer.body) {
            TokenVerdict::Granted(tokens) => Ok(tokens),
            TokenVerdict::Refused(error) if is_passing(&error.error) || answer.status >= 500 => {
                Err(status_error(url, &answer))
            }
            TokenVerdict::Refused(error) => Err(Denied::ByServer(error).into()),
            TokenVerdict::Status(400 | 401 | 403) => {
                Err(Denied::ByServer(OAuthError::from_status(answer.status)).into())
            }
            TokenVerdict::Status(_) => Err(status_error(url, &answer)),
            TokenVerdict::Broken(rule) => Err(rule.into()),
            TokenVerdict::Unusable(lack) => Err(lack.into()),
        }
    }

    fn client_auth(&self) -> ClientAuth<'_> {
        client_auth_for(&self.client, &self.metadata)
    }

    /// Who signed in: the ID token in full, and userinfo for what it lacks.
    fn judge(&self, tokens: Tokens, asked: &RequestedIdToken) -> Result<Judged> {
        let received_at = self.context.now();
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
        let (keys, url) = self.preparation.keys(&self.context)?;
        let expected = Expectations {
            issuer: &self.metadata.issuer,
            client_id: &self.client.client_id,
            nonce: asked.nonce.as_ref().map(Secret::expose),
            max_age: asked.max_age,
            access_token: Some(&judged.tokens.access_token),
            now: judged.received_at,
        };
        Ok(jwks::verify(&self.context, &url, keys, token, &expected)?.all)
    }

    /// Asks userinfo where the scopes promise more than is there. A server that does not answer costs
    /// nobody the sign-in; one that answers about another user does.
    fn complete(&self, judged: &mut Judged) -> Result<()> {
        let granted = judged.tokens.scopes.as_ref().unwrap_or(&self.scopes);
        let is_needed =
            judged.tokens.id_token.is_none() || userinfo_rules::is_needed(granted, &judged.claims);
        let Some(url) = self.metadata.endpoints.get(Endpoint::Userinfo).filter(|_| is_needed) else {
            return Ok(());
        };
        let sub = judged.claims.get("sub").and_then(Value::as_str);
        match userinfo::ask(&self.context, url, &judged.tokens.access_token, &self.client.claim_names, sub) {
            Ok(claims) => judged.claims.extend(claims),
            Err(Error::ServerMisbehaved(ServerMisbehaved::UserinfoSub)) => {
                return Err(ServerMisbehaved::UserinfoSub.into());
            }
            Err(error) => judged
                .notes
                .push(format!("the server did not say who you are ({error}); `whoami` asks again")),
        }
        Ok(())
    }

    fn save(self, judged: &Judged) -> Result<Saved> {
        let _guard = self.context.lock(LOCK_LIMIT)?;
        self.seal.write(|seal| self.write(judged, seal))
    }

    fn write(&self, judged: &Judged, seal: Option<&Seal>) -> Result<Saved> {
        let context = &*self.context;
        let mut notes = judged.notes.clone();
        let replaced = match context.store.read() {
            Ok(old) => old,
            Err(StoreError::Corrupt { .. }) => {
                let aside = context.store.set_aside()?;
                notes.extend(aside.map(|path| {
                    format!("the old record could not be read; it is kept as {}", path.display())
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
        notes.extend(self.remarks(judged, &saved));
        let session = Session::new(&context.store, &saved, notes);
        Ok(Saved { session, replaced })
    }

    fn record(&self, judged: &Judged) -> Record {
        let Judged { tokens, claims, received_at, .. } = judged;
        let scopes = tokens.scopes.clone().unwrap_or_else(|| self.scopes.clone());
        let expires_at = tokens.expires_in.map(|lifetime| *received_at + lifetime);
        let resource = self.context.config.resource.clone();
        Record {
            version: VERSION,
            service: self.context.config.service.clone(),
            profile: self.context.config.profile.clone(),
            generation: 0,
            issuer: self.metadata.issuer.clone(),
            client_id: self.client.client_id.clone(),
            auth_method: self.client_auth().method,
            endpoints: self
                .metadata
                .endpoints
                .iter()
                .map(|(name, url)| (name.name().to_owned(), url.to_string()))
                .collect(),
            scopes_requested: self.scopes.clone(),
            user: User::from_claims(claims),
            claims: claims.clone(),
            claim_names: self.client.claim_names.clone(),
            obtained_at: *received_at,
            renewable: tokens.refresh_token.is_some(),
            tombstone: None,
            access: vec![Access { resource, scopes, expires_at, obtained_at: None, unknown: Map::new() }],
            seal: None,
            secret: Secrets {
                access_tokens: vec![tokens.access_token.clone()],
                refresh_token: tokens.refresh_token.clone(),
                id_token: tokens.id_token.clone(),
                client_secret: self.client.secret.clone(),
                unknown: Map::new(),
            },
            unknown: Map::new(),
        }
    }

    /// What the user should know about a sign-in that worked.
    fn remarks(&self, judged: &Judged, record: &Record) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.metadata.issuer != self.client.issuer.as_str() {
            remarks.push(format!("the server spells its issuer {}", self.metadata.issuer));
        }
        if let Some(granted) = &judged.tokens.scopes {
            let missing: Vec<&str> =
                self.scopes.iter().filter(|scope| !granted.contains(scope)).map(String::as_str).collect();
            let is_only_a_word = missing == ["offline_access"] && record.renewable;
            if !missing.is_empty() && !is_only_a_word {
                remarks.push(format!("the server did not grant: {}", missing.join(" ")));
            }
        }
        if !record.renewable {
            remarks.extend(self.not_renewable(judged));
        }
        remarks
    }

    /// Nothing where nobody wanted a refresh token.
    fn not_renewable(&self, judged: &Judged) -> Option<String> {
        let has = |scopes: &[String]| scopes.iter().any(|scope| scope == "offline_access");
        let why = match (has(&self.context.config.scopes), has(&self.scopes)) {
            (_, true) => "the server gave no refresh token. Sign in again with consent to get one",
            (true, false) => {
                "the server does not list the scope offline_access, which asks for a refresh token"
            }
            (false, false) => return None,
        };
        let lasts = judged.tokens.expires_in.map(humantime::format_duration);
        let lasts = lasts.map(|lifetime| format!("lasts {lifetime} and ")).unwrap_or_default();
        Some(format!("this sign-in {lasts}cannot renew itself: {why}"))
    }
}

/// The server need not care for `acr_values`, but who asked should know.
fn other_acr(asked: &RequestedIdToken, claims: &Map<String, Value>) -> Option<String> {
    let acr = claims.get("acr").and_then(Value::as_str);
    let said =
        acr.map_or("does not say how".to_owned(), |acr| format!("says \"{}\"", crate::sanitize::text(acr)));
    (!asked.allows_acr(acr))
        .then(|| format!("you may have signed in by other means than acr_values asks for: the server {said}"))
}

/// Error codes that stand for a server in trouble (RFC 6749 §4.1.2.1).
pub(super) fn is_passing(error: &str) -> bool {
    matches!(error, "server_error" | "temporarily_unavailable")
}

/// A callback may carry the two errors that HTTP would answer with a status (RFC 6749 §4.1.2.1).
pub(super) fn passing_error(host: &str, error: &OAuthError) -> Error {
    let status = if error.error == "server_error" { 500 } else { 503 };
    NetworkError::new(NetworkErrorKind::Status(status), host, &error.to_string()).into()
}
