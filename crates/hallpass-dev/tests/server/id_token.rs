//! ID tokens, checked with an independent library.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_dev::{Alg, DevServer};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::support::*;

fn claims(server: &DevServer, id_token: &str, alg: Algorithm) -> Value {
    let keys = get(&format!("{}/jwks", server.issuer()), &[]).body;
    let keys: JwkSet = serde_json::from_str(&keys).unwrap();
    let header = decode_header(id_token).unwrap();
    assert_eq!(header.alg, alg);
    let key = keys.find(&header.kid.expect("a kid")).expect("the key is published");
    let mut rules = Validation::new(alg);
    rules.set_issuer(&[server.issuer()]);
    rules.set_audience(&["demo"]);
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    decode::<Value>(id_token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims
}

#[test]
fn s22_an_es256_id_token_says_who_signed_in_when_and_for_whom() {
    let server = server();
    let tokens = sign_in(&server);
    let claims = claims(&server, text(&tokens, "id_token"), Algorithm::ES256);
    assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(claims["email"], "test@example.com");
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["given_name"], "Test");
    assert_eq!(claims["family_name"], "User");
    let (iat, auth_time) = (claims["iat"].as_u64().unwrap(), claims["auth_time"].as_u64().unwrap());
    assert!(auth_time <= iat && iat - auth_time < 60);
    assert_eq!(claims["exp"].as_u64().unwrap() - iat, 3600);
    assert_eq!(claims["sub"], userinfo(&server, text(&tokens, "access_token")).json()["sub"]);
}

#[test]
fn s22_the_id_token_of_a_device_has_no_nonce() {
    let server = server();
    let tokens = approved(&server, &begin_device(&server));
    let claims = claims(&server, text(&tokens, "id_token"), Algorithm::ES256);
    assert_eq!((claims.get("nonce"), claims["email"].as_str()), (None, Some("test@example.com")));
    assert!(claims["auth_time"].is_u64() && claims["at_hash"].is_string());
}

#[test]
fn s22_at_hash_is_the_left_half_of_the_access_tokens_hash() {
    let server = server();
    let tokens = sign_in(&server);
    let claims = claims(&server, text(&tokens, "id_token"), Algorithm::ES256);
    let hash = ring::digest::digest(&ring::digest::SHA256, text(&tokens, "access_token").as_bytes());
    let at_hash = URL_SAFE_NO_PAD.decode(text(&claims, "at_hash")).unwrap();
    assert_eq!(at_hash, hash.as_ref()[..16]);
}

#[test]
fn s22_rs256_waits_for_its_key_and_is_then_valid() {
    let server = DevServer::builder().signing_alg(Alg::Rs256).start().unwrap();
    let tokens = sign_in(&server);
    claims(&server, text(&tokens, "id_token"), Algorithm::RS256);
}

#[test]
fn a_refresh_returns_an_id_token_of_the_same_sign_in_without_nonce() {
    let server = server();
    let first = sign_in(&server);
    let before = claims(&server, text(&first, "id_token"), Algorithm::ES256);
    let second = refresh(&server, text(&first, "refresh_token")).json();
    let after = claims(&server, text(&second, "id_token"), Algorithm::ES256);
    assert!(after.get("nonce").is_none());
    for name in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(before[name], after[name], "{name}");
    }
}

#[test]
fn an_authorization_request_without_nonce_gets_an_id_token_without_nonce() {
    let server = server();
    let tokens = redeem(&server, &Authorization::valid().without("nonce").code(&server)).json();
    assert!(claims(&server, text(&tokens, "id_token"), Algorithm::ES256).get("nonce").is_none());
}

#[test]
fn a_short_access_token_does_not_shorten_the_id_token() {
    let server = DevServer::builder().token_ttl(Duration::from_secs(2)).start().unwrap();
    let tokens = sign_in(&server);
    assert_eq!(tokens["expires_in"], 2);
    let claims = claims(&server, text(&tokens, "id_token"), Algorithm::ES256);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
}

#[test]
fn the_profile_can_be_limited_to_userinfo() {
    let server = DevServer::builder().profile_only_in_userinfo().start().unwrap();
    let tokens = sign_in(&server);
    let claims = claims(&server, text(&tokens, "id_token"), Algorithm::ES256);
    assert!(claims.get("email").is_none() && claims.get("name").is_none());
    assert_eq!(userinfo(&server, text(&tokens, "access_token")).json()["email"], "test@example.com");
}

#[test]
fn s23_only_public_members_of_keys_are_served() {
    let server = DevServer::builder().signing_alg(Alg::Rs256).start().unwrap();
    sign_in(&server); // waits for the RSA key
    let keys = get(&format!("{}/jwks", server.issuer()), &[]).json();
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        assert_eq!(key["use"], "sig");
        assert!(key["kid"].is_string() && key["alg"].is_string());
    }
}
