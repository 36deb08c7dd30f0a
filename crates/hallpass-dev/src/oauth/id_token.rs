//! The ID token (OpenID Connect Core §2, §3.1.3.6).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::oauth::signing_key::SigningKey;

/// An ID token tells who signed in, an access token what may be done. A test that shortens the
/// second to watch a refresh does not want the first to expire on its way to the client.
pub(crate) const LEAST_LIFETIME: Duration = Duration::from_secs(300);

/// What an ID token says.
pub(crate) struct IdToken<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) lifetime: Duration,
    pub(crate) auth_time: u64,
    /// Only in the answer to an authorization code (OpenID Connect Core §12.2).
    pub(crate) nonce: Option<&'a str>,
    pub(crate) access_token: &'a str,
    pub(crate) profile: Map<String, Value>,
}

impl IdToken<'_> {
    pub(crate) fn signed_by(self, key: &SigningKey) -> Option<String> {
        let header = json!({ "alg": key.alg, "kid": key.kid, "typ": "JWT" });
        let message = format!("{}.{}", encoded(&header), encoded(&self.claims()));
        let signature = BASE64URL.encode(key.sign(message.as_bytes())?);
        Some(format!("{message}.{signature}"))
    }

    fn claims(self) -> Value {
        let iat = unix_now();
        let mut claims = self.profile;
        claims.insert("iss".to_owned(), json!(self.issuer));
        claims.insert("sub".to_owned(), json!(self.sub));
        claims.insert("aud".to_owned(), json!(self.client_id));
        claims.insert("iat".to_owned(), json!(iat));
        claims.insert("exp".to_owned(), json!(iat + self.lifetime.max(LEAST_LIFETIME).as_secs()));
        claims.insert("auth_time".to_owned(), json!(self.auth_time));
        claims.insert("at_hash".to_owned(), json!(at_hash(self.access_token)));
        if let Some(nonce) = self.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        Value::Object(claims)
    }
}

fn encoded(json: &Value) -> String {
    BASE64URL.encode(json.to_string())
}

/// The left half of the token's SHA-256: both of our algorithms end in 256 (OpenID Connect Core §3.1.3.6).
fn at_hash(access_token: &str) -> String {
    BASE64URL.encode(&digest(&SHA256, access_token.as_bytes()).as_ref()[..16])
}

/// Seconds since 1970, as JWTs count (RFC 7519 §2).
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
