//! The command against `django-oauth-toolkit`, signed in by a real browser. What is peculiar to that server is asserted
//! too, so that another version which does without is noticed; beside it stands the rule of Hallpass that copes.

use hallpass_end_to_end::wire::{get, get_as, jwt, post};
use hallpass_end_to_end::{Code, Person, Server};
use serde_json::{Value, json};

fn openid(server: &Server) -> Value {
    get(&server.url("/.well-known/openid-configuration")).json()
}

fn rfc_8414(server: &Server) -> Value {
    let (origin, path) = server.issuer().split_at(server.issuer().len() - "/o".len());
    get(&format!("{origin}/.well-known/oauth-authorization-server{path}")).json()
}

fn refresh(server: &Server, token: &str) -> Value {
    let form = [("grant_type", "refresh_token"), ("client_id", "cli"), ("refresh_token", token)];
    post(&server.url("/token/"), &form).json()
}

#[test]
fn the_whole_journey_with_a_revocation_that_only_rfc_8414_names() {
    let server = Server::django_oauth_toolkit();
    let person = Person::new("django-oauth-toolkit");
    person.login(&server.at()).expect(0);
    let page = person.seen();
    assert_eq!((&page["status"], &page["steps"]), (&json!(200), &json!(["sign-in", "consent"])), "{page}");
    assert!(page["text"].as_str().is_some_and(|text| text.contains("test@example.com")), "{page}");
    asks_for_what_it_supports(&server, &person);

    let [_, first] = jwt(&person.secret("id_token"));
    let spent = person.access_token();
    person.uses_it();
    let [_, renewed] = jwt(&person.secret("id_token"));
    // `protocol::id_token`: after a refresh the nonce is not judged; what comes is kept.
    assert!(first["nonce"].is_string() && renewed["nonce"].is_null(), "{renewed}");
    assert_ne!(first["jti"], renewed["jti"]);
    ends_what_was_renewed(&server, &spent);

    // `flow::discover`: what the OpenID document lacks is taken from the other one.
    assert_eq!(openid(&server)["revocation_endpoint"], Value::Null);
    assert_eq!(rfc_8414(&server)["revocation_endpoint"], server.url("/revoke_token/"));
    let last = person.secret("refresh_token");
    let logout = person.hallpass(&["logout", "--json"]).expect(0).json();
    assert_eq!(logout["revoked"], json!({"refresh_token": "revoked", "access_token": "revoked"}));
    assert_eq!(refresh(&server, &last)["error"], "invalid_grant");
    person.hallpass(&["token"]).expect(4);
}

/// It refuses a scope that it does not have, and knows no `offline_access`: of the default scopes those are asked for
/// that it lists (`flow::login`). It gives a refresh token all the same (`flow::exchange`: whatever comes is kept).
/// Its metadata is silent about clients without a secret, which it has (`protocol::client`: none is sent).
fn asks_for_what_it_supports(server: &Server, person: &Person) {
    let (metadata, record) = (openid(server), person.record());
    assert_eq!(metadata["scopes_supported"], json!(["openid", "profile", "email"]));
    assert_eq!(record["scopes_requested"], metadata["scopes_supported"]);
    assert_eq!(record["renewable"], true);
    assert!(!metadata["token_endpoint_auth_methods_supported"].to_string().contains("none"), "{metadata}");
    assert_eq!(record["auth_method"], "none");
}

/// A refresh ends the access token before it, however long that was to live: whoever asks next gets the new one, since
/// it is saved before it is handed out (`flow::refresh`). The error is JSON that says it is HTML.
fn ends_what_was_renewed(server: &Server, spent: &str) {
    let refused = get_as(&server.url("/userinfo/"), spent);
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_token")));
    assert!(refused.content_type.starts_with("text/html"), "{refused:?}");
}

/// RFC 9207 §2 demands `iss` in error answers too. `protocol::authorization`: it is demanded of a code, while the error
/// of an answer with our `state` counts without.
#[test]
fn a_refusal_without_the_promised_iss_is_a_refusal() {
    let server = Server::django_oauth_toolkit();
    assert_eq!(openid(&server)["authorization_response_iss_parameter_supported"], true);
    let person = Person::new("django-oauth-toolkit-denied").with("IDP_DENY", "1");
    let denied = person.login(&server.at()).expect(6);
    assert!(denied.stderr.contains("access_denied"), "{}", denied.stderr);
    let page = person.seen();
    let landed = page["landed"].as_str().expect("an address");
    assert!(landed.contains("error=access_denied") && !landed.contains("iss="), "{page}");
    person.hallpass(&["whoami"]).expect(4);
}

/// Its device grant wants a client of its own and stands in no metadata, so the endpoint is given by hand
/// (`flow::discover`). Neither does its answer have the address with the code in it, nor the tokens an ID token: who it
/// is, is asked at userinfo (`flow::exchange`).
#[test]
fn a_device_whose_endpoint_is_given_by_hand() {
    let server = Server::django_oauth_toolkit();
    let person = Person::new("django-oauth-toolkit-device");
    let client = ["--issuer", server.issuer(), "--client-id", server.said("device_client_id")];
    for metadata in [openid(&server), rfc_8414(&server)] {
        assert_eq!(metadata["device_authorization_endpoint"], Value::Null);
    }
    let without = person.hallpass(&[&["login", "--device"][..], &client].concat());
    assert!(without.stderr.contains("device_authorization_endpoint"), "{without:?}");

    let endpoint = format!("device_authorization={}", server.said("device_authorization_endpoint"));
    let done = person.device_login(&[&client[..], &["--endpoint", &endpoint]].concat(), Code::Typed);
    assert_eq!(done.finished.code, 0, "{done:#?}");
    assert_eq!(done.page["steps"], json!(["sign-in", "user-code", "consent"]));
    assert_eq!(done.event("user_code")["verification_uri_complete"], Value::Null);
    assert_eq!(person.record()["secret"]["id_token"], Value::Null);
    person.uses_it();
    person.hallpass(&["logout"]).expect(0);
}
