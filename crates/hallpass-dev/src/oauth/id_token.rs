//! ID tokens (OpenID Connect Core §2, §3.1.3.6).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::oauth::clock::unix_now;
use crate::oauth::signing_key::SigningKey;

/// The shortest lifetime of an ID token. Tests shorten that of access tokens to see a refresh, but an ID token must
/// not expire before the client has checked it.
const MIN_LIFETIME: Duration = Duration::from_secs(300);

/// The contents of an ID token.
pub(crate) struct IdToken<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) lifetime: Duration,
    pub(crate) auth_time: u64,
    /// The `nonce` of the authorization request. ID tokens from a refresh have none (OpenID Connect Core §12.2).
    pub(crate) nonce: Option<&'a str>,
    pub(crate) access_token: &'a str,
    pub(crate) profile: Map<String, Value>,
}

impl IdToken<'_> {
    /// Returns the token in JWS compact serialization (RFC 7515 §3.1), or `None` if it could not be signed.
    pub(crate) fn sign(self, key: &SigningKey) -> Option<String> {
        let header = json!({ "alg": key.alg, "kid": key.kid, "typ": "JWT" });
        let claims = Value::Object(self.claims());
        let message =
            format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
        let signature = BASE64URL.encode(key.sign(message.as_bytes())?);
        Some(format!("{message}.{signature}"))
    }

    fn claims(self) -> Map<String, Value> {
        let iat = unix_now();
        // The left half of the hash. Both algorithms of this server use SHA-256 (OpenID Connect Core §3.1.3.6).
        let at_hash = BASE64URL.encode(&digest(&SHA256, self.access_token.as_bytes()).as_ref()[..16]);
        let mut claims = self.profile;
        claims.insert("iss".to_owned(), json!(self.issuer));
        claims.insert("sub".to_owned(), json!(self.sub));
        claims.insert("aud".to_owned(), json!(self.client_id));
        claims.insert("iat".to_owned(), json!(iat));
        claims.insert("exp".to_owned(), json!(iat + self.lifetime.max(MIN_LIFETIME).as_secs()));
        claims.insert("auth_time".to_owned(), json!(self.auth_time));
        claims.insert("at_hash".to_owned(), json!(at_hash));
        if let Some(nonce) = self.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        claims
    }
}
