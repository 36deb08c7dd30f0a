//! The metadata at both well-known URLs.

use serde_json::json;

use crate::support::*;

#[test]
fn s21_both_documents_are_complete_and_equal() {
    let server = server();
    let at = |path: &str| get(&format!("{}/.well-known/{path}", server.issuer()), &[]);
    let openid = at("openid-configuration");
    assert_eq!((openid.status, openid.header("content-type")), (200, Some("application/json")));
    let metadata = openid.json();
    assert_eq!(metadata, at("oauth-authorization-server").json());
    assert_eq!(metadata["issuer"], server.issuer());
    for required in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "userinfo_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "device_authorization_endpoint",
    ] {
        assert!(metadata.get(required).is_some(), "{required}");
    }
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    assert_eq!(metadata["scopes_supported"], json!(["openid", "profile", "email", "offline_access"]));
}

#[test]
fn s34_the_metadata_announces_only_what_is_supported() {
    let server = server();
    let metadata = get(&format!("{}/.well-known/openid-configuration", server.issuer()), &[]).json();
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(
        metadata["grant_types_supported"],
        json!(["authorization_code", "refresh_token", DEVICE_CODE])
    );
    for (name, value) in metadata.as_object().unwrap() {
        let is_endpoint = name.ends_with("_endpoint") || name == "jwks_uri";
        if let Some(url) = value.as_str().filter(|_| is_endpoint) {
            assert!(url.starts_with(server.issuer()), "{name}");
            assert_ne!(get(url, &[]).status, 404, "{name}");
        }
    }
}

#[test]
fn s22_rs256_is_announced() {
    let server = server();
    let metadata = get(&format!("{}/.well-known/openid-configuration", server.issuer()), &[]).json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["ES256", "RS256"]));
}
