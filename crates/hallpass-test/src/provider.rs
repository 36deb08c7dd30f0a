//! Clerk and Paylent as their contracts describe them, on a scripted server.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::jose::{self, RS256};
use crate::ports::free_port;
use crate::scripted_server::{Request, Response, ScriptedServer};

pub const CLIENT: &str = "cli";
pub const EMAIL: &str = "ada@example.com";
pub const SUB: &str = "019c2b7e-4d11-7c3a-9a55-2f0b6a1f3c77";

pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
pub const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
pub const JWKS: &str = "/.well-known/jwks.json";
pub const AUTHORIZE: &str = "/oauth/authorize";
pub const TOKEN: &str = "/oauth/token";
pub const USERINFO: &str = "/oauth/userinfo";

/// Part of every secret that a provider makes.
pub const CANARY: &str = "CANARY";

/// A provider that keeps to its contract until a test changes that.
pub struct Provider {
    server: ScriptedServer,
    contract: Arc<Contract>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
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

/// The codes and tokens that are valid.
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

/// Deviations from the contract.
#[derive(Default)]
struct Twists {
    metadata: Option<Twist>,
    tokens: Option<Twist>,
    claims: Option<Twist>,
    sign: Option<Sign>,
}

impl Deref for Provider {
    type Target = ScriptedServer;

    fn deref(&self) -> &ScriptedServer {
        &self.server
    }
}

impl Provider {
    pub fn clerk() -> Provider {
        Provider::start(Kind::Clerk, String::new())
    }

    /// Paylent with this one registered redirect URI, as `http://localhost:9999/callback` is in the tutorial.
    pub fn paylent(registered: &str) -> Provider {
        Provider::start(Kind::Paylent, registered.to_owned())
    }

    fn start(kind: Kind, registered: String) -> Provider {
        let server = ScriptedServer::start();
        let contract = Arc::new(Contract {
            kind,
            issuer: server.origin(),
            registered,
            count: AtomicUsize::new(0),
            issued: Mutex::default(),
            twists: Mutex::default(),
        });
        let serve = |path: &str, endpoint: fn(&Contract, &Request) -> Response| {
            let contract = contract.clone();
            server.on(path, move |request| Some(endpoint(&contract, request)));
        };
        serve(OPENID_CONFIGURATION, |contract, _| Response::json(200, &contract.openid_configuration()));
        serve(OAUTH_METADATA, |contract, _| Response::json(200, &contract.oauth_metadata()));
        serve(JWKS, |_, _| Response::json(200, &json!({ "keys": [RS256.jwk] })));
        serve(AUTHORIZE, Contract::authorize);
        serve(TOKEN, Contract::token);
        serve(USERINFO, Contract::userinfo);
        serve(kind.revoke_path(), Contract::revoke);
        Provider { server, contract }
    }

    pub fn kind(&self) -> Kind {
        self.contract.kind
    }

    pub fn issuer(&self) -> &str {
        &self.contract.issuer
    }

    pub fn revoke_path(&self) -> &'static str {
        self.contract.kind.revoke_path()
    }

    /// The redirect URI to configure a client with.
    pub fn redirect_uri(&self) -> &str {
        match self.contract.kind {
            Kind::Clerk => "http://127.0.0.1/callback",
            Kind::Paylent => &self.contract.registered,
        }
    }

    /// Changes both metadata documents.
    pub fn twist_metadata(&self, twist: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().metadata = Some(Arc::new(twist));
    }

    /// Changes the token endpoint's successful responses.
    pub fn twist_tokens(&self, twist: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().tokens = Some(Arc::new(twist));
    }

    /// Changes the claims of ID tokens before they are signed.
    pub fn twist_claims(&self, twist: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().claims = Some(Arc::new(twist));
    }

    /// Signs ID tokens with this function.
    pub fn sign_by(&self, sign: impl Fn(&Value) -> String + Send + Sync + 'static) {
        self.contract.twists.lock().unwrap().sign = Some(Arc::new(sign));
    }

    /// Ends every session, as an administrator can.
    pub fn end_sessions(&self) {
        *self.contract.issued.lock().unwrap() = Issued::default();
    }

    /// Ends every access token, so that each gets a 401.
    pub fn end_access_tokens(&self) {
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

    /// Has neither userinfo nor introspection, as in Clerk's schema.
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

    /// Shows an invalid request in the browser and does not redirect.
    fn authorize(&self, request: &Request) -> Response {
        let param = |name: &str| request.param(name).unwrap_or_default();
        let right = param("client_id") == CLIENT
            && param("response_type") == "code"
            && param("state").len() >= 8
            && param("code_challenge_method") == "S256"
            && param("code_challenge").len() == 43
            && self.is_registered(param("redirect_uri"));
        if !right {
            return Response::html(400, "<h1>Something is wrong with this request</h1>");
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
        Response::redirect(302, &location)
    }

    /// Clerk takes any port of 127.0.0.1, Paylent only what is registered, character for character.
    fn is_registered(&self, uri: &str) -> bool {
        let port = uri.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/callback"));
        match self.kind {
            Kind::Clerk => port.is_some_and(|port| port.parse::<u16>().is_ok()),
            Kind::Paylent => uri == self.registered,
        }
    }

    fn token(&self, request: &Request) -> Response {
        if request.param("client_id") != Some(CLIENT) || request.header("authorization").is_some() {
            return Response::oauth_error(401, "invalid_client");
        }
        match request.param("grant_type") {
            Some("authorization_code") => self.by_code(request),
            Some("refresh_token") => self.by_refresh_token(request),
            _ => Response::oauth_error(self.refusal(), "unsupported_grant_type"),
        }
    }

    /// Clerk refuses grants with 401, which RFC 6749 §5.2 has for clients only.
    fn refusal(&self) -> u16 {
        if self.kind == Kind::Clerk { 401 } else { 400 }
    }

    fn by_code(&self, request: &Request) -> Response {
        let param = |name: &str| request.param(name).unwrap_or_default();
        let grant = self.issued.lock().unwrap().codes.remove(param("code"));
        let fits = |grant: &Grant| {
            grant.redirect_uri == param("redirect_uri")
                && grant.challenge == jose::s256(param("code_verifier"))
        };
        match grant.filter(fits) {
            Some(grant) => self.grant(grant, true),
            None => Response::oauth_error(self.refusal(), "invalid_grant"),
        }
    }

    /// Clerk rotates, Paylent does not.
    fn by_refresh_token(&self, request: &Request) -> Response {
        let token = request.param("refresh_token").unwrap_or_default();
        let mut issued = self.issued.lock().unwrap();
        let grant = match self.kind {
            Kind::Clerk => issued.refresh.remove(token),
            Kind::Paylent => issued.refresh.get(token).cloned(),
        };
        drop(issued);
        match grant {
            Some(grant) => self.grant(Grant { nonce: None, ..grant }, self.kind == Kind::Clerk),
            None => Response::oauth_error(self.refusal(), "invalid_grant"),
        }
    }

    fn grant(&self, grant: Grant, with_refresh_token: bool) -> Response {
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
        Response::json(200, &body)
    }

    fn id_token(&self, grant: &Grant, access_token: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = user_claims();
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

    fn userinfo(&self, request: &Request) -> Response {
        let is_alive =
            request.bearer().is_some_and(|token| self.issued.lock().unwrap().access.contains_key(token));
        match (is_alive, self.kind) {
            (true, Kind::Clerk) => {
                let mut body = user_claims();
                body["object"] = json!("oauth_user_info");
                body["instance_id"] = json!("ins_1");
                Response::json(200, &body)
            }
            (true, Kind::Paylent) => Response::json(200, &user_claims()),
            (false, Kind::Clerk) => clerk_error(),
            (false, Kind::Paylent) => Response::oauth_error(401, "invalid_token"),
        }
    }

    /// Clerk cannot revoke access tokens. An unknown token counts as revoked (RFC 7009 §2.2).
    fn revoke(&self, request: &Request) -> Response {
        if request.param("client_id") != Some(CLIENT) {
            return Response::oauth_error(401, "invalid_client");
        }
        let token = request.param("token").unwrap_or_default();
        if self.kind == Kind::Clerk && token.starts_with("oat_") {
            return Response::oauth_error(400, "unsupported_token_type");
        }
        let mut issued = self.issued.lock().unwrap();
        issued.refresh.remove(token);
        issued.access.remove(token);
        Response::empty(200)
    }

    fn secret(&self, what: &str) -> String {
        format!("{what}_{CANARY}_{:08}", self.count.fetch_add(1, Ordering::SeqCst))
    }
}

/// The claims about the user.
pub fn user_claims() -> Value {
    json!({
        "sub": SUB, "email": EMAIL, "email_verified": true, "given_name": "Ada", "family_name": "Lovelace"
    })
}

/// An error in Clerk's own format, not OAuth's.
pub fn clerk_error() -> Response {
    Response::json(
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

/// Paylent with a registered `localhost` redirect URI on a free port.
pub fn paylent() -> Provider {
    Provider::paylent(&format!("http://localhost:{}/callback", free_port()))
}

/// Both contracts.
pub fn providers() -> [Provider; 2] {
    [Provider::clerk(), paylent()]
}
