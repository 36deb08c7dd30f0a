//! A scripted OpenID provider: answers in microseconds, remembers what it was asked, and believes everything.
//!
//! Any code is good, and is the nonce of the sign-in that it belongs to, so nothing has to be remembered
//! between two requests.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{Outcome, far};

pub(crate) const CLIENT: &str = "bench";
pub(crate) const METADATA: &str = "/.well-known/openid-configuration";
pub(crate) const TOKEN: &str = "/token";

/// An endless answer is this long.
const FLOOD_BYTES: usize = 300 * 1024 * 1024;

/// How it behaves.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) round_trip: Duration,
    /// Connections are closed after this long without a request.
    pub(crate) idle: Duration,
    /// Whether ID tokens tell about the user; else a client has to ask userinfo.
    pub(crate) profile_in_id_token: bool,
    pub(crate) id_token_at_refresh: bool,
    /// This path's answer has no end.
    pub(crate) flood: Option<&'static str>,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            tls: None,
            round_trip: Duration::ZERO,
            idle: Duration::from_secs(30),
            profile_in_id_token: true,
            id_token_at_refresh: true,
            flood: None,
        }
    }
}

/// A running provider. It runs as long as this program does.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    shared: Arc<Shared>,
}

struct Shared {
    issuer: String,
    script: Script,
    key: Key,
    connections: AtomicUsize,
    requests: Mutex<BTreeMap<String, usize>>,
}

impl Provider {
    pub(crate) fn start(script: Script) -> Outcome<Provider> {
        let near = TcpListener::bind("127.0.0.1:0")?;
        let scheme = if script.tls.is_some() { "https" } else { "http" };
        let issuer = format!("{scheme}://{}", near.local_addr()?);
        let listener = if script.round_trip.is_zero() {
            near
        } else {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            far::relay(near, listener.local_addr()?, script.round_trip);
            listener
        };
        let shared = Arc::new(Shared {
            issuer: issuer.clone(),
            script,
            key: Key::generate()?,
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
        });
        let served = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                // A client that goes away is no news.
                thread::spawn(move || drop(served.serve(stream)));
            }
        });
        Ok(Provider { issuer, shared })
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How often each path was asked for.
    pub(crate) fn requests(&self) -> BTreeMap<String, usize> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        self.connections.fetch_add(1, Ordering::SeqCst);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.script.idle))?;
        match &self.script.tls {
            None => self.answer_all(&mut &stream),
            Some(config) => {
                let tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
                let mut tls = StreamOwned::new(tls, stream);
                let served = self.answer_all(&mut tls);
                tls.conn.send_close_notify();
                served.and(tls.flush())
            }
        }
    }

    fn answer_all(&self, connection: &mut dyn Connection) -> io::Result<()> {
        while let Some(request) = Request::read(connection)? {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            *requests.entry(request.path.clone()).or_default() += 1;
            drop(requests);
            if self.script.flood == Some(request.path.as_str()) {
                return flood(connection);
            }
            let (status, body) = self.answer(&request);
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            connection.write_all((head + &body).as_bytes())?;
            connection.flush()?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> (&'static str, Value) {
        match request.path.as_str() {
            METADATA => ("200 OK", self.metadata()),
            "/jwks" => ("200 OK", json!({"keys": [self.key.jwk]})),
            TOKEN => ("200 OK", self.tokens(request)),
            "/userinfo" => ("200 OK", person()),
            _ => ("404 Not Found", json!({})),
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at(TOKEN),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "revocation_endpoint": at("/revoke"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        })
    }

    /// Tokens as long as real ones: a record with them is about 4 KiB.
    fn tokens(&self, request: &Request) -> Value {
        let nonce = request.param("code");
        let mut tokens = json!({
            "access_token": "a".repeat(1700),
            "refresh_token": "r".repeat(180),
            "token_type": "Bearer",
            "expires_in": 86400,
            "scope": "openid profile email offline_access",
        });
        if nonce.is_some() || self.script.id_token_at_refresh {
            tokens["id_token"] = json!(self.id_token(nonce));
        }
        tokens
    }

    fn id_token(&self, nonce: Option<String>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims =
            if self.script.profile_in_id_token { person() } else { json!({"sub": person()["sub"]}) };
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!(CLIENT);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 86400);
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.key.sign(&claims)
    }
}

fn person() -> Value {
    json!({
        "sub": "019c2b7e-4d11-7c3a-9a55-2f0b6a1f3c77",
        "email": "ada.lovelace@example.com",
        "email_verified": true,
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "picture": "https://img.example.com/019c2b7e-4d11-7c3a-9a55-2f0b6a1f3c77.png",
        "groups": ["analysts", "engine-builders", "everybody", "mathematicians", "translators"],
    })
}

/// JSON that does not end before long.
fn flood(connection: &mut dyn Connection) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {FLOOD_BYTES}\r\n\r\n{{\"a\":\""
    );
    connection.write_all(head.as_bytes())?;
    let chunk = vec![b'a'; 64 * 1024];
    for _ in 0..FLOOD_BYTES / chunk.len() {
        connection.write_all(&chunk)?;
    }
    Ok(())
}

struct Request {
    path: String,
    form: Vec<u8>,
}

impl Request {
    /// `None` where the client says no more, or nothing for too long.
    fn read(connection: &mut dyn Connection) -> io::Result<Option<Request>> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 8 * 1024];
        loop {
            if let Some(request) = Request::parse(&bytes) {
                return Ok(Some(request));
            }
            match connection.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(amount) => bytes.extend_from_slice(&buffer[..amount]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn parse(bytes: &[u8]) -> Option<Request> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let form = bytes.get(end..end + length.unwrap_or(0))?.to_vec();
        let target = head.split(' ').nth(1)?;
        Some(Request { path: target.split('?').next()?.to_owned(), form })
    }

    fn param(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.form).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

/// An ES256 key (RFC 7518 §3.4).
struct Key {
    pair: EcdsaKeyPair,
    jwk: Value,
    random: SystemRandom,
}

impl Key {
    fn generate() -> Outcome<Key> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document =
            EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| "no key could be made")?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random)
            .map_err(|_| "no key could be made")?;
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (BASE64URL.encode(x), BASE64URL.encode(y));
        let jwk =
            json!({"kty": "EC", "use": "sig", "alg": "ES256", "kid": "1", "crv": "P-256", "x": x, "y": y});
        Ok(Key { pair, jwk, random })
    }

    fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let message = format!("{}.{}", part(&json!({"alg": "ES256", "kid": "1"})), part(claims));
        let signature = self.pair.sign(&self.random, message.as_bytes());
        let signature = signature.map(|signature| BASE64URL.encode(signature.as_ref())).unwrap_or_default();
        format!("{message}.{signature}")
    }
}
