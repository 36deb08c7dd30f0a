//! The command against `glewlwyd`, signed in by a real browser on that server's own pages. What is peculiar to it is
//! asserted too, so that another version which does without is noticed; beside it stands the rule of Hallpass that copes.

use hallpass_end_to_end::wire::{Answer, get, get_as, post};
use hallpass_end_to_end::{Code, Person, Server};
use serde_json::{Value, json};

const SCOPES: [&str; 2] = ["--scope", "openid profile email offline_access"];

fn metadata(server: &Server) -> Value {
    get(&server.url("/.well-known/openid-configuration")).json()
}

/// It compares redirect URIs with their ports (RFC 8252 §7.3 has it otherwise), so those that are registered are
/// given; they are tried one after the other (`loopback::bind`).
fn client(server: &Server) -> Vec<&str> {
    let registered = server.list("redirect_uris").into_iter().flat_map(|uri| ["--redirect-uri", uri]);
    server.at().into_iter().chain(registered).chain(SCOPES).collect()
}

fn refresh(server: &Server, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "cli"), ("refresh_token", token)];
    post(&server.url("/token"), &form)
}

#[test]
fn the_whole_journey_with_a_revocation_that_is_not_for_us() {
    let server = Server::glewlwyd();
    let person = Person::new("glewlwyd");
    person.login(&client(&server)).expect(0);
    let page = person.seen();
    let steps = json!(["sign-in", "consent", "consent"]);
    assert_eq!((&page["status"], &page["steps"]), (&json!(200), &steps), "{page}");
    // `protocol::authorization`: an `iss` that nobody promised is compared all the same, other parameters are ignored.
    let landed = page["landed"].as_str().expect("an address");
    assert!(landed.contains("iss=") && landed.contains("session_state="), "{page}");
    let metadata = metadata(&server);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], Value::Null);
    // Where the list of scopes is not all of them, the rest has to be asked for by name (`flow::login`).
    assert_eq!(metadata["scopes_supported"], json!(["openid"]));

    let id_token = person.secret("id_token");
    person.uses_it();
    // `flow::refresh`: what does not come, stays.
    assert_eq!(person.secret("id_token"), id_token);
    signs_out(&server, &person);
}

/// No client without a secret may revoke. `flow::logout`: it is said, and the tokens are erased here.
fn signs_out(server: &Server, person: &Person) {
    let access = person.access_token();
    let logout = person.hallpass(&["logout", "--json"]).expect(5).json();
    assert_eq!(logout["revoked"], json!({"refresh_token": "failed", "access_token": "failed"}));
    assert_eq!(logout["erased"], true);
    assert_eq!(get_as(&server.url("/userinfo"), &access).status, 200, "it still works");
    let refused = post(&server.url("/revoke"), &[("token", &access), ("client_id", "cli")]);
    assert_eq!(refused.pair(), (401, ""));
    person.hallpass(&["token"]).expect(4);
}

/// `protocol::token`: `bearer` is `Bearer`. An empty 400 says nothing about the session, which is kept
/// (`flow::refresh`): only `invalid_grant` ends one.
#[test]
fn a_refusal_without_a_word_ends_no_session() {
    let server = Server::glewlwyd();
    let person = Person::new("glewlwyd-few").with("IDP_TICK", "email");
    let done = person.login(&client(&server)).expect(0);
    // `flow::exchange`: what the person did not tick is told.
    let told = "the server did not grant these scopes: profile offline_access";
    assert!(done.stderr.contains(told), "{}", done.stderr);
    assert_eq!(person.record()["access"][0]["scopes"], json!(["openid", "email"]));

    let spent = person.secret("refresh_token");
    let renewed = refresh(&server, &spent).json();
    assert_eq!((&renewed["token_type"], &renewed["id_token"]), (&json!("bearer"), &Value::Null));
    assert_eq!(refresh(&server, &spent).pair(), (400, ""));
    let kept = person.hallpass(&["token", "--refresh"]).expect(5);
    assert!(kept.stderr.contains("400"), "{}", kept.stderr);
    person.hallpass(&["token"]).expect(0);
}

/// Its page has no way to say no, and of a person who closes it nothing is heard: the wait ends by itself
/// (`flow::wait`).
#[test]
fn nobody_can_refuse() {
    let server = Server::glewlwyd();
    let person = Person::new("glewlwyd-denied").with("IDP_DENY", "1");
    let waited = person.login_within("12s", &client(&server)).expect(7);
    assert!(waited.stderr.contains("timed out"), "{}", waited.stderr);
    let page = person.seen();
    assert_eq!((&page["steps"], &page["landed"]), (&json!(["sign-in"]), &Value::Null), "{page}");
    assert!(page["text"].as_str().is_some_and(|text| text.contains("Grant access")), "{page}");
}

/// A port that is not registered is refused in the browser, and nothing comes back. `flow::wait`: the hint at the end
/// names the redirect URI.
#[test]
fn any_port_but_those_registered_never_comes_back() {
    let server = Server::glewlwyd();
    let person = Person::new("glewlwyd-port");
    let waited = person.login_within("5s", &server.at()).expect(7);
    assert!(waited.stderr.contains("this redirect URI is registered"), "{}", waited.stderr);
    let page = person.seen();
    assert_eq!((&page["ok"], &page["steps"]), (&json!(false), &json!([])), "{page}");
}

#[test]
fn a_device_on_its_own_pages() {
    let server = Server::glewlwyd();
    let person = Person::new("glewlwyd-device");
    let done = person.device_login(&[&server.at()[..], &SCOPES].concat(), Code::Typed);
    assert_eq!(done.finished.code, 0, "{done:#?}");
    assert_eq!(done.page["steps"], json!(["user-code", "sign-in", "consent", "consent"]));
    person.uses_it();
}
