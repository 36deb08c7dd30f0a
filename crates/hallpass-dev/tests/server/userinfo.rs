//! `/userinfo` (OpenID Connect Core §5.3, RFC 6750 §3).

use crate::support::*;

#[test]
fn s24_get_and_post_return_the_same() {
    let server = server();
    let tokens = sign_in(&server);
    let header = format!("bearer {}", text(&tokens, "access_token"));
    let by_post = post(&format!("{}/userinfo", server.issuer()), &[("Authorization", &header)], &[]);
    assert_eq!(by_post.status, 200);
    assert_eq!(by_post.json(), userinfo(&server, text(&tokens, "access_token")).json());
}

#[test]
fn s24_a_request_without_token_gets_a_challenge() {
    let server = server();
    let response = get(&format!("{}/userinfo", server.issuer()), &[]);
    assert_eq!(response.status, 401);
    assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"hallpass-dev\""));
}

#[test]
fn s24_a_wrong_token_is_rejected_as_invalid() {
    let server = server();
    let tokens = sign_in(&server);
    for wrong in ["x", "", text(&tokens, "refresh_token"), text(&tokens, "id_token")] {
        let response = userinfo(&server, wrong);
        assert_eq!(response.status, 401);
        assert!(response.header("www-authenticate").unwrap().starts_with("Bearer"), "{wrong}");
    }
    let challenge = userinfo(&server, "x");
    assert!(challenge.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
}

#[test]
fn a_token_without_openid_has_insufficient_scope() {
    let server = server();
    let code = Authorization::valid().with("scope", "email").code(&server);
    let tokens = redeem(&server, &code).json();
    let response = userinfo(&server, text(&tokens, "access_token"));
    assert_eq!((response.status, response.error().as_str()), (403, "insufficient_scope"));
}

#[test]
fn claims_follow_the_scope() {
    let server = server();
    let code = Authorization::valid().with("scope", "openid").code(&server);
    let tokens = redeem(&server, &code).json();
    let user = userinfo(&server, text(&tokens, "access_token")).json();
    let names: Vec<_> = user.as_object().unwrap().keys().collect();
    assert_eq!(names, ["sub"]);
}
