//! Fuzz targets: one function per kind of input from outside. They accept any bytes and must not panic, hang or violate
//! an assertion. The fuzzer calls them; the test below replays its seeds and the inputs that once caused a failure.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::protocol::authorization::{
    AuthorizationRequest, CallbackVerdict, PendingAuthorization, Randomness,
};
use crate::protocol::client::{AuthMethod, ClientAuth};
use crate::protocol::device;
use crate::protocol::id_token::{Expectations, UnverifiedIdToken};
use crate::protocol::issuer::Issuer;
use crate::protocol::jwk::JwkSet;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::token::{self, TokenVerdict};
use crate::protocol::{bearer, oauth_error, revocation, userinfo};
use crate::secret::Secret;
use crate::store::StoredRecord;

const ISSUER: &str = "https://a.example";

/// A function that accepts any bytes.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("callback", callback),
    ("metadata", metadata),
    ("jwks", jwks),
    ("id_token", id_token),
    ("token_response", token_response),
    ("device_response", device_response),
    ("record", record),
    ("pasted", pasted),
];

fn issuer() -> Issuer {
    Issuer::parse(ISSUER).expect("an issuer")
}

fn pending(iss_promised: bool) -> PendingAuthorization {
    let request = AuthorizationRequest {
        authorization_endpoint: &url::Url::parse("https://a.example/authorize").expect("a URL"),
        issuer: ISSUER,
        iss_promised,
        client_id: "cli",
        redirect_uri: "http://127.0.0.1:5/callback",
        scopes: &["openid".to_owned()],
        resources: &[],
        prompt: None,
        login_hint: None,
        extra: &[],
    };
    request.begin(Randomness([[1; 32], [2; 32], [3; 32]])).1
}

/// The head of an HTTP request to the callback port. Without our `state`, it is ignored.
pub fn callback(bytes: &[u8]) {
    let query = crate::loopback::query_of(bytes).unwrap_or_default();
    let has_state = query.contains("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE");
    let verdict = pending(true).judge(&query);
    assert!(has_state || query.contains('%') || matches!(verdict, CallbackVerdict::NotOurs));
}

/// A metadata document. All accepted endpoints are https.
pub fn metadata(bytes: &[u8]) {
    if let Ok(Some(metadata)) = ServerMetadata::judge(&issuer(), None, bytes) {
        assert!(metadata.endpoints.iter().all(|(_, url)| url.scheme() == "https"));
    }
}

/// A JWKS.
pub fn jwks(bytes: &[u8]) {
    let _ = JwkSet::parse(bytes);
}

/// An ID token. Without the private key, none is valid.
pub fn id_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(token) = UnverifiedIdToken::parse(&Secret::new(text.to_owned())) else { return };
    assert!(!format!("{token:?}").contains("CANARY"));
    let keys = JwkSet::parse(
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    )
    .expect("a JWKS");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let expected = Expectations {
        issuer: ISSUER,
        client_id: "cli",
        nonce: None,
        max_age: None,
        access_token: None,
        now,
    };
    assert!(token.verify(&keys, &expected).is_err());
}

/// A response of the token, revocation or userinfo endpoint. An accepted token can be sent in a header.
pub fn token_response(bytes: &[u8]) {
    let public = ClientAuth { client_id: "cli", secret: None, method: AuthMethod::None };
    for status in [200, 400, 503] {
        if let TokenVerdict::Granted(tokens) = token::judge(status, bytes) {
            assert!(bearer::is_valid_token(tokens.access_token.expose()));
        }
        let _ = revocation::judge(&public, status, bytes);
        let _ = device::judge_poll(status, bytes);
    }
    let _ = userinfo::judge(bytes, &Default::default(), Some("sub"));
    if let Some(error) = oauth_error::from_body(bytes) {
        assert!(error.to_string().chars().all(|c| !c.is_control()));
    }
}

/// A response of the device authorization endpoint. All that is shown is safe to print.
pub fn device_response(bytes: &[u8]) {
    if let device::DeviceVerdict::Started(code) = device::judge(&issuer(), 200, bytes) {
        assert!(code.user_code.chars().all(|c| !c.is_control()));
        assert_eq!(code.verification_uri.scheme(), "https");
        assert!(!code.interval.is_zero() && !code.expires_in.is_zero());
    }
}

/// A record's file. Writing a parsed record and parsing it again changes nothing.
pub fn record(bytes: &[u8]) {
    if let Ok(record) = StoredRecord::parse(bytes, Path::new("record")) {
        let written = record.to_bytes();
        let again = StoredRecord::parse(&written, Path::new("record")).expect("a written record");
        assert_eq!(*written, *again.to_bytes());
    }
}

/// A pasted text.
pub fn pasted(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for iss_promised in [false, true] {
        let _ = pending(iss_promised).judge_pasted(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fuzzer_seed_passes() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        for (name, target) in TARGETS {
            let entries: Vec<_> = std::fs::read_dir(seeds.join(name)).unwrap().collect();
            assert!(!entries.is_empty(), "{name}");
            for entry in entries {
                target(&std::fs::read(entry.unwrap().path()).unwrap());
            }
        }
    }
}
