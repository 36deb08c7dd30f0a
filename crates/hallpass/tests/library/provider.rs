//! Clerk and Paylent as their contracts describe them, on a scripted server.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::jose::{self, RS256};
use crate::scripted::{Answer, Received, Scripted};

pub(crate) const CLIENT: &str = "cli";
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const SUB: &str = "019c2b7e-4d11-7c3a-9a55-2f0b6a1f3c77";

pub(crate) const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
pub(crate) const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
pub(crate) const JWKS: &str = "/.well-known/jwks.json";
pub(crate) const AUTHORIZE: &str = "/oauth/authorize";
pub(crate) const TOKEN: &str = "/oauth/token";
pub(crate) const USERINFO: &str = "/oauth/userinfo";

/// Every secret that a provider here makes has this in it.
pub(crate) const CANARY: &str = "CANARY";

/// A provider that keeps to its contract until it is told otherwise.
pub(crate) struct Provider {
    server: Scripted,
    contract: Arc<Contract>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Clerk,
    Paylent,
}

struct Contract {
    kind: Kind,
    issuer: String,
    /// The only redirect URI that Paylent accepts.
    registered: String,
    count: AtomicUsize,
    issued: Mutex<Issued>,
    twists: Mutex<Twists>,
}

/// What is alive.
#[derive(Default)]
struct Issued {
    codes: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
    access: HashMap<String, Grant>,
}

#[derive(Clone)]
struct Grant {
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scope: String,
}

type Twist = Arc<dyn Fn(&mut Value) + Send + Sync>;
type Sign = Arc<dyn Fn(&Value) -> String + Send + Sync>;

/// How it departs from the contract.
#[derive(Default)]
struct Twists {
    metadata: Option<Twist>,
    tokens: Option<Twist>,
    claims: Option<Twist>,
    sign: Option<Sign>,
}

impl Deref for Provider {
    type Target = Scripted;

    fn deref(&self) -> &Scripted {
        &self.server
    }
}

impl Provider {
    pub(crate) fn clerk() -> Provider {
        Provider::start(Kind::Clerk, String::new())
    }

    /// With the one redirect URI that is registered, as `http://localhost:9999/callback` is in the tutorial.
    pub(crate) fn paylent(registered: &str) -> Provider {
        Provider::start(Kind::Paylent, registered.to_owned())
    }

    fn start(kind: Kind, registered: String) -> Provider {
        let server = Scripted::start();
        let contract = Arc::new(Contract {
            kind,
            issuer: server.origin(),
            registered,
            count: AtomicUsize::new(0),
            issued: Mutex::default(),
            twists: Mutex::default(),
        });
        let serve = |path: &str, endpoint: fn(&Contract, &Received) -> Answer| {
            let contract = contract.clone();
            server.on(path, move |request| Some(endpoint(&contract, request)));
        };
        serve(OPENID_CONFIGURATION, |contract, _| Answer::json(200, &contract.openid_configuration()));
        serve(OAUTH_METADATA, |contract, _| Answer::json(200, &contract.oauth_metadata()));
        serve(JWKS, |_, _| Answer::json(200, &json!({ "keys": [RS256.jwk] })));
        serve(AUTHORIZE, Contract::authorize);
        serve(TOKEN, Contract::token);
        serve(USERINFO, Contract::userinfo);
        serve(kind.revoke_path(), Contract::revoke);
        Provider { server, contract }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.contract.kind
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.contract.issuer
    }

    pub(crate) fn revoke_path(&self) -> &'static str {
        self.contract.kind.revoke_path()
    }

    /// What a client has to be configured with.
    pub(crate) fn redirect_uri(&self) -> &str {
        match self.contract.kind {
            Kind::Clerk => "http://127.0.0.1/callback",
            Kind::Paylent => &self.contract.registered,
        }
    }

    /// Changes both metadata documents.
    pub(crate) fn twist_metadata(&self, twist: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().metadata = Some(Arc::new(twist));
    }

    /// Changes what the token endpoint answers when it grants.
    pub(crate) fn twist_tokens(&self, twist: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().tokens = Some(Arc::new(twist));
    }

    /// Changes the claims of ID tokens before they are signed.
    pub(crate) fn twist_claims(&self, twist: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().claims = Some(Arc::new(twist));
    }

    /// Signs ID tokens in another way.
    pub(crate) fn sign_by(&self, sign: impl Fn(&Value) -> String + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().sign = Some(Arc::new(sign));
    }

    /// Ends every session, as an administrator would.
    pub(crate) fn end_sessions(&self) {
        *self.contract.issued.lock().unwrap() = Issued::default();
    }

    /// Forgets access tokens only, so that they get 401.
    pub(crate) fn end_access_tokens(&self) {
        self.contract.issued.lock().unwrap().access.clear();
    }
}

impl Kind {
    fn revoke_path(self) -> &'static str {
        match self {
            Kind::Clerk => "/oauth/token/revoke",
            Kind::Paylent => "/oauth/revoke",
        }
    }
}

impl Contract {
    fn openid_configuration(&self) -> Value {
        let mut document = self.oauth_metadata();
        document["userinfo_endpoint"] = json!(format!("{}{USERINFO}", self.issuer));
        document["introspection_endpoint"] = json!(format!("{}/oauth/introspect", self.issuer));
        self.twist(|twists| &twists.metadata, &mut document);
        document
    }

    /// Neither userinfo nor introspection, as in Clerk's schema.
    fn oauth_metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at(AUTHORIZE),
            "token_endpoint": at(TOKEN),
            "revocation_endpoint": at(self.kind.revoke_path()),
            "jwks_uri": at(JWKS),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        });
        if self.kind == Kind::Paylent {
            document["resource_indicators_supported"] = json!(true);
        }
        self.twist(|twists| &twists.metadata, &mut document);
        document
    }

    fn twist(&self, which: impl Fn(&Twists) -> &Option<Twist>, value: &mut Value) {
        if let Some(twist) = which(&self.twists.lock().unwrap()) {
            twist(value);
        }
    }

    /// What is wrong with a request is told in the browser, which never comes back.
    fn authorize(&self, request: &Received) -> Answer {
        let param = |name: &str| request.param(name).unwrap_or_default();
        let right = param("client_id") == CLIENT
            && param("response_type") == "code"
            && param("state").len() >= 8
            && param("code_challenge_method") == "S256"
            && param("code_challenge").len() == 43
            && self.is_registered(param("redirect_uri"));
        if !right {
            return Answer::html(400, "<h1>Something is wrong with this request</h1>");
        }
        let code = self.secret("code");
        let location = format!("{}?code={code}&state={}", param("redirect_uri"), param("state"));
        let grant = Grant {
            redirect_uri: param("redirect_uri").to_owned(),
            challenge: param("code_challenge").to_owned(),
            nonce: request.param("nonce").map(str::to_owned),
            scope: param("scope").to_owned(),
        };
        self.issued.lock().unwrap().codes.insert(code, grant);
        Answer::redirect(302, &location)
    }

    /// Clerk takes any port of 127.0.0.1, Paylent only what is registered, character for character.
    fn is_registered(&self, uri: &str) -> bool {
        let port = uri.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/callback"));
        match self.kind {
            Kind::Clerk => port.is_some_and(|port| port.parse::<u16>().is_ok()),
            Kind::Paylent => uri == self.registered,
        }
    }

    fn token(&self, request: &Received) -> Answer {
        if request.param("client_id") != Some(CLIENT) || request.header("authorization").is_some() {
            return Answer::oauth_error(401, "invalid_client");
        }
        match request.param("grant_type") {
            Some("authorization_code") => self.by_code(request),
            Some("refresh_token") => self.by_refresh_token(request),
            _ => Answer::oauth_error(self.refusal(), "unsupported_grant_type"),
        }
    }

    /// Clerk refuses grants with 401, which RFC 6749 §5.2 has for clients only.
    fn refusal(&self) -> u16 {
        if self.kind == Kind::Clerk { 401 } else { 400 }
    }

    fn by_code(&self, request: &Received) -> Answer {
        let param = |name: &str| request.param(name).unwrap_or_default();
        let grant = self.issued.lock().unwrap().codes.remove(param("code"));
        let fits = |grant: &Grant| {
            grant.redirect_uri == param("redirect_uri")
                && grant.challenge == jose::s256(param("code_verifier"))
        };
        match grant.filter(fits) {
            Some(grant) => self.grant(grant, true),
            None => Answer::oauth_error(self.refusal(), "invalid_grant"),
        }
    }

    /// Clerk rotates, Paylent does not.
    fn by_refresh_token(&self, request: &Received) -> Answer {
        let token = request.param("refresh_token").unwrap_or_default();
        let mut issued = self.issued.lock().unwrap();
        let grant = match self.kind {
            Kind::Clerk => issued.refresh.remove(token),
            Kind::Paylent => issued.refresh.get(token).cloned(),
        };
        drop(issued);
        match grant {
            Some(grant) => self.grant(Grant { nonce: None, ..grant }, self.kind == Kind::Clerk),
            None => Answer::oauth_error(self.refusal(), "invalid_grant"),
        }
    }

    fn grant(&self, grant: Grant, with_refresh_token: bool) -> Answer {
        let access_token = self.secret("oat");
        let has = |scope: &str| grant.scope.split(' ').any(|s| s == scope);
        let mut body = match self.kind {
            Kind::Clerk => json!({ "token_type": "bearer", "expires_in": 7200, "scope": grant.scope }),
            Kind::Paylent => json!({ "token_type": "Bearer", "expires_in": 3600 }),
        };
        body["access_token"] = json!(access_token);
        if has("openid") {
            body["id_token"] = json!(self.id_token(&grant, &access_token));
        }
        let mut issued = self.issued.lock().unwrap();
        if with_refresh_token && has("offline_access") {
            let refresh_token = self.secret("refresh");
            body["refresh_token"] = json!(refresh_token);
            issued.refresh.insert(refresh_token, grant.clone());
        }
        issued.access.insert(access_token, grant);
        drop(issued);
        self.twist(|twists| &twists.tokens, &mut body);
        Answer::json(200, &body)
    }

    fn id_token(&self, grant: &Grant, access_token: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = person();
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!(CLIENT);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 24 * 3600);
        claims["at_hash"] = json!(jose::at_hash(access_token));
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        self.twist(|twists| &twists.claims, &mut claims);
        match &self.twists.lock().unwrap().sign {
            Some(sign) => sign(&claims),
            None => RS256.sign(&RS256.header(), &claims),
        }
    }

    fn userinfo(&self, request: &Received) -> Answer {
        let is_alive =
            request.bearer().is_some_and(|token| self.issued.lock().unwrap().access.contains_key(token));
        match (is_alive, self.kind) {
            (true, Kind::Clerk) => {
                let mut body = person();
                body["object"] = json!("oauth_user_info");
                body["instance_id"] = json!("ins_1");
                Answer::json(200, &body)
            }
            (true, Kind::Paylent) => Answer::json(200, &person()),
            (false, Kind::Clerk) => clerk_error(),
            (false, Kind::Paylent) => Answer::oauth_error(401, "invalid_token"),
        }
    }

    /// Clerk cannot revoke access tokens; a token that nobody knows is as good as revoked (RFC 7009 §2.2).
    fn revoke(&self, request: &Received) -> Answer {
        if request.param("client_id") != Some(CLIENT) {
            return Answer::oauth_error(401, "invalid_client");
        }
        let token = request.param("token").unwrap_or_default();
        if self.kind == Kind::Clerk && token.starts_with("oat_") {
            return Answer::oauth_error(400, "unsupported_token_type");
        }
        let mut issued = self.issued.lock().unwrap();
        issued.refresh.remove(token);
        issued.access.remove(token);
        Answer::empty(200)
    }

    fn secret(&self, what: &str) -> String {
        format!("{what}_{CANARY}_{:08}", self.count.fetch_add(1, Ordering::SeqCst))
    }
}

/// The claims about the user.
pub(crate) fn person() -> Value {
    json!({
        "sub": SUB, "email": EMAIL, "email_verified": true, "given_name": "Ada", "family_name": "Lovelace"
    })
}

/// Not OAuth's shape.
pub(crate) fn clerk_error() -> Answer {
    Answer::json(
        401,
        &json!({
            "errors": [{
                "message": "Unauthorized",
                "long_message": "The access token was revoked by an administrator",
                "code": "oauth_token_revoked",
                "meta": {},
            }],
            "clerk_trace_id": "trace_4711",
        }),
    )
}
