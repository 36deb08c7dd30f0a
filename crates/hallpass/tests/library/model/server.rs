//! The model of an authorization server that rotates refresh tokens. It accepts a used token again only within its grace
//! period; after that, reuse ends the grant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::world::http::{Http, HttpRequest, HttpResponse};
use hallpass_test::jose::ES256;
use hallpass_test::library::param;
use hallpass_test::provider::CANARY;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

/// No server listens there: requests arrive through [`Http`].
pub(super) const ISSUER: &str = "http://127.0.0.1:9";
/// How long access tokens live, in seconds.
pub(super) const LIFETIME: u64 = 3600;

#[derive(Clone)]
pub(super) struct Server(Arc<Shared>);

struct Shared {
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    grace: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    count: usize,
    codes: BTreeMap<String, Code>,
    grants: Vec<Grant>,
    refresh: BTreeMap<String, RefreshToken>,
    access: BTreeMap<String, SystemTime>,
    refused: BTreeSet<String>,
    /// The fault of the next code exchange.
    login_fault: Option<LoginFault>,
}

/// How a sign-in fails at its last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginFault {
    /// The response is lost.
    Lost,
    /// The ID token's signature is wrong.
    Forged,
}

struct Code {
    user: u8,
    nonce: String,
}

struct Grant {
    user: u8,
    is_alive: bool,
}

#[derive(Clone)]
struct RefreshToken {
    grant: usize,
    /// The refresh token it replaced; `None` if it came with a code.
    parent: Option<String>,
    used: Option<SystemTime>,
}

impl Server {
    pub(super) fn new(grace: Duration, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Server {
        Server(Arc::new(Shared { clock: Box::new(clock), grace, known: Mutex::default() }))
    }

    /// Signs a user in, and returns the callback URL.
    pub(super) fn authorize(&self, url: &Url, user: u8) -> Url {
        let mut known = self.known();
        let code = known.new_secret("code");
        known.codes.insert(code.clone(), Code { user, nonce: param(url, "nonce") });
        hallpass_test::library::callback(url, &format!("code={code}&state={{state}}"))
    }

    pub(super) fn break_next_login(&self, login_fault: Option<LoginFault>) {
        self.known().login_fault = login_fault;
    }

    /// Ends every session, as an administrator can.
    pub(super) fn end_all(&self) {
        self.known().grants.iter_mut().for_each(|grant| grant.is_alive = false);
    }

    /// Returns whether it would accept this refresh token now.
    pub(super) fn would_grant(&self, token: &str) -> bool {
        let known = self.known();
        let Some(found) = known.refresh.get(token) else { return false };
        known.grants[found.grant].is_alive && !self.is_spent(found)
    }

    pub(super) fn was_used(&self, token: &str) -> bool {
        self.known().refresh[token].used.is_some()
    }

    /// Returns whether it has refused exactly this refresh token.
    pub(super) fn has_refused(&self, token: &str) -> bool {
        self.known().refused.contains(token)
    }

    /// Returns whether `new` replaced `old`.
    pub(super) fn follows(&self, new: &str, old: &str) -> bool {
        self.known().refresh[new].parent.as_deref() == Some(old)
    }

    pub(super) fn came_by_login(&self, token: &str) -> bool {
        self.known().refresh[token].parent.is_none()
    }

    pub(super) fn user_of(&self, token: &str) -> u8 {
        let known = self.known();
        known.grants[known.refresh[token].grant].user
    }

    pub(super) fn is_grant_alive(&self, token: &str) -> bool {
        let known = self.known();
        known.grants[known.refresh[token].grant].is_alive
    }

    /// Returns whether it issued this access token, and it has not expired.
    pub(super) fn knows_access_token(&self, token: &str) -> bool {
        self.known().access.get(token).is_some_and(|end| *end > (self.0.clock)())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap()
    }

    fn is_spent(&self, token: &RefreshToken) -> bool {
        let age = |used: SystemTime| (self.0.clock)().duration_since(used).unwrap_or_default();
        token.used.is_some_and(|used| age(used) >= self.0.grace)
    }

    fn token(&self, form: &BTreeMap<String, String>) -> Result<HttpResponse, NetworkError> {
        match form["grant_type"].as_str() {
            "authorization_code" => self.by_code(&form["code"]),
            _ => Ok(self.by_refresh_token(&form["refresh_token"])),
        }
    }

    fn by_code(&self, code: &str) -> Result<HttpResponse, NetworkError> {
        let mut known = self.known();
        let login_fault = known.login_fault.take();
        let Some(code) = known.codes.remove(code) else { return Ok(refusal()) };
        known.grants.push(Grant { user: code.user, is_alive: true });
        let grant = known.grants.len() - 1;
        let mut body = known.tokens(grant, None, (self.0.clock)());
        let id_token = id_token(code.user, &code.nonce);
        body["id_token"] = match login_fault {
            None => json!(id_token),
            Some(LoginFault::Forged) => json!(format!("{}AAAA", &id_token[..id_token.len() - 4])),
            Some(LoginFault::Lost) => {
                return Err(NetworkError::new(NetworkErrorKind::Broken, "127.0.0.1:9", "as told"));
            }
        };
        Ok(response(200, &body))
    }

    fn by_refresh_token(&self, token: &str) -> HttpResponse {
        let mut known = self.known();
        let found = known.refresh.get(token).cloned();
        let grant =
            found.as_ref().filter(|found| known.grants[found.grant].is_alive).map(|found| found.grant);
        let (Some(found), Some(grant)) = (found, grant) else { return known.refuse(token) };
        if self.is_spent(&found) {
            known.grants[grant].is_alive = false;
            return known.refuse(token);
        }
        let now = (self.0.clock)();
        known.refresh.get_mut(token).unwrap().used.get_or_insert(now);
        response(200, &known.tokens(grant, Some(token.to_owned()), now))
    }

    fn revoke(&self, token: &str) -> HttpResponse {
        let mut known = self.known();
        if let Some(grant) = known.refresh.get(token).map(|found| found.grant) {
            known.grants[grant].is_alive = false;
        }
        response(200, &json!({}))
    }
}

impl Known {
    fn new_secret(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}_{CANARY}_{}", self.count)
    }

    fn tokens(&mut self, grant: usize, parent: Option<String>, now: SystemTime) -> Value {
        let (access, refresh) = (self.new_secret("access"), self.new_secret("refresh"));
        self.access.insert(access.clone(), now + Duration::from_secs(LIFETIME));
        self.refresh.insert(refresh.clone(), RefreshToken { grant, parent, used: None });
        json!({ "access_token": access, "token_type": "Bearer", "expires_in": LIFETIME, "refresh_token": refresh })
    }

    fn refuse(&mut self, token: &str) -> HttpResponse {
        self.refused.insert(token.to_owned());
        refusal()
    }
}

impl Http for Server {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        let form = request.form.as_ref().map(|form| form.as_bytes()).unwrap_or_default();
        let form: BTreeMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
        match request.url.path() {
            "/.well-known/openid-configuration" => Ok(response(200, &metadata())),
            "/jwks" => Ok(response(200, &json!({ "keys": [ES256.jwk] }))),
            "/token" => self.token(&form),
            "/revoke" => Ok(self.revoke(&form["token"])),
            other => panic!("unexpected request for {other}"),
        }
    }
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "revocation_endpoint": format!("{ISSUER}/revoke"),
        "jwks_uri": format!("{ISSUER}/jwks"),
        "code_challenge_methods_supported": ["S256"],
    })
}

fn id_token(user: u8, nonce: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": ISSUER,
        "aud": "cli",
        "sub": format!("user-{user}"),
        "email": format!("user-{user}@example.com"),
        "nonce": nonce,
        "iat": now,
        // Histories are long, and no step uses the ID token.
        "exp": now + 365 * 24 * 3600,
    });
    ES256.sign(&ES256.header(), &claims)
}

fn refusal() -> HttpResponse {
    response(400, &json!({ "error": "invalid_grant" }))
}

fn response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse {
        status,
        headers: Vec::new(),
        body: Zeroizing::new(body.to_string().into_bytes()),
        truncated: false,
    }
}
