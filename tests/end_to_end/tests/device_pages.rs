//! `hallpass login --device` against `oidc-provider`, whose device pages a real browser answers. Its answer names no
//! interval, so five seconds are between two questions (`protocol::device`).

use hallpass_end_to_end::{Code, Person, Server};
use serde_json::json;

#[test]
fn a_code_that_is_typed() {
    let server = Server::oidc_provider(&[]);
    let person = Person::new("oidc-provider-device");
    let at = ["--issuer", server.issuer(), "--client-id", "cli"];
    let done = person.device_login(&at, Code::Typed);
    assert_eq!(done.finished.code, 0, "{done:#?}");
    assert_eq!(done.page["steps"], json!(["user-code", "consent", "sign-in", "consent"]));
    person.uses_it();
    let logout = person.hallpass(&["logout", "--json"]).expect(0).json();
    assert_eq!(logout["revoked"]["refresh_token"], "revoked");
}

#[test]
fn a_code_from_a_picture() {
    let server = Server::oidc_provider(&[]);
    let person = Person::new("oidc-provider-device-link");
    let at = ["--issuer", server.issuer(), "--client-id", "cli"];
    let done = person.device_login(&at, Code::Scanned);
    assert_eq!(done.finished.code, 0, "{done:#?}");
    person.hallpass(&["whoami"]).expect(0);
}

#[test]
fn a_person_who_says_no() {
    let server = Server::oidc_provider(&[]);
    let person = Person::new("oidc-provider-device-denied").with("IDP_DENY", "1");
    let at = ["--issuer", server.issuer(), "--client-id", "cli"];
    let denied = person.device_login(&at, Code::Typed);
    assert_eq!(denied.finished.code, 6, "{denied:#?}");
    assert!(denied.event("error")["error"]["message"].to_string().contains("access_denied"), "{denied:#?}");
    person.hallpass(&["whoami"]).expect(4);
}
