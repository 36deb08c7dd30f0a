//! The command against `better-auth`, signed in by a real browser. What is peculiar to that server is asserted too, so
//! that another version which does without is noticed; beside it stands the rule of Hallpass that copes.

use hallpass_end_to_end::wire::{get, get_as, jwt, post};
use hallpass_end_to_end::{Code, Person, Server};
use serde_json::json;

fn revoke(server: &Server, token: &str) -> (u16, String) {
    let form = [("token", token), ("client_id", server.said("client_id"))];
    let answer = post(&server.url("/oauth2/revoke"), &form);
    (answer.status, answer.body)
}

#[test]
fn the_whole_journey_with_id_tokens_of_eddsa() {
    let server = Server::better_auth();
    let person = Person::new("better-auth");
    let login = person.login(&server.at()).expect(0);
    // `flow::browser`: where the server lists it, consent is asked for, so that a refresh token comes.
    assert!(login.stderr.contains("prompt=consent"), "{}", login.stderr);
    let page = person.seen();
    assert_eq!((&page["status"], &page["steps"]), (&json!(200), &json!(["sign-in", "consent"])), "{page}");

    // `protocol::jwk`: Ed25519 (RFC 8037), and with it SHA-512 for `at_hash`.
    let [header, first] = jwt(&person.secret("id_token"));
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(first["at_hash"].as_str().map(str::len), Some(43), "half of 64 bytes: {first}");
    person.uses_it();
    let [header, renewed] = jwt(&person.secret("id_token"));
    assert_eq!(header["alg"], "EdDSA");
    // `protocol::id_token`: after a refresh the nonce is not judged; what comes is kept.
    assert!(first["nonce"].is_string() && renewed["nonce"].is_null(), "{renewed}");

    let metadata = get(&server.url("/.well-known/openid-configuration")).json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["EdDSA"]));
    // `protocol::client`: what it says of secrets concerns nobody who has none.
    assert!(!metadata["token_endpoint_auth_methods_supported"].to_string().contains("none"), "{metadata}");
    signs_out(&server, &person);
}

/// It ends the access token with the refresh token and then has a token that it does not know for an error, where
/// RFC 7009 §2.2 wants 200. `flow::logout`: what the endpoint says of the access token, right after it has revoked the
/// refresh token, is no failure.
fn signs_out(server: &Server, person: &Person) {
    let access = person.access_token();
    let logout = person.hallpass(&["logout", "--json"]).expect(0).json();
    assert_eq!(logout["revoked"], json!({"refresh_token": "revoked", "access_token": "unsupported"}));
    assert_eq!(get_as(&server.url("/oauth2/userinfo"), &access).status, 401);
    let (status, body) = revoke(server, "unknown");
    assert!(status == 400 && body.contains("\"invalid_request\""), "{status}: {body}");
    person.hallpass(&["token"]).expect(4);
}

#[test]
fn a_refusal() {
    let server = Server::better_auth();
    let person = Person::new("better-auth-denied").with("IDP_DENY", "1");
    let denied = person.login(&server.at()).expect(6);
    assert!(denied.stderr.contains("access_denied"), "{}", denied.stderr);
    assert!(person.seen()["landed"].as_str().is_some_and(|landed| landed.contains("iss=")));
}

#[test]
fn a_device_with_a_code_from_a_picture() {
    let server = Server::better_auth();
    let person = Person::new("better-auth-device");
    let done = person.device_login(&server.at(), Code::Scanned);
    assert_eq!(done.finished.code, 0, "{done:#?}");
    assert_eq!(done.page["steps"], json!(["user-code", "sign-in", "consent"]));
    person.uses_it();
    person.hallpass(&["logout"]).expect(0);
}
