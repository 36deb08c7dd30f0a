//! The development server as others see it: a real browser, two foreign client libraries.

use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_end_to_end::{Finished, Home, artefacts, browser_option, client};
use serde_json::Value;

#[test]
fn a_real_browser_signs_in_and_every_page_is_kept_to_look_at() {
    let server = DevServer::start().expect("the server starts");
    let shots = artefacts("hallpass-dev");
    let home = Home::new().with("SHOTS", shots.to_str().expect("a plain path")).with("SHOTS_THEMES", "1");
    let browser = browser_option("browser.mjs");
    home.hallpass(&[
        "login",
        "--issuer",
        server.issuer(),
        "--client-id",
        "demo",
        &browser,
        "--timeout",
        "60s",
    ])
    .expect(0);
    home.hallpass(&["whoami"]).expect(0);
    home.hallpass(&["token", "--refresh"]).expect(0);
    home.hallpass(&["logout"]).expect(0);
    let pages = std::fs::read_dir(shots).expect("the folder is there").count();
    assert!(pages >= 6, "{pages} screenshots");
}

#[test]
fn openid_client_signs_in_refreshes_asks_and_revokes() {
    let server = DevServer::start().expect("the server starts");
    client("openid-client.mjs", server.issuer(), &[]).expect(0);
    assert!(server.journal().count("/revoke") >= 1);
}

#[test]
fn oauth4webapi_accepts_every_answer() {
    let server = DevServer::start().expect("the server starts");
    client("strict.mjs", server.issuer(), &[]).expect(0);
}

/// One that devices need not wait long for.
fn hasty_server() -> DevServer {
    DevServer::builder().device_interval(Duration::from_secs(1)).start().expect("the server starts")
}

#[test]
fn openid_client_signs_a_device_in_and_is_told_that_another_was_denied() {
    let server = hasty_server();
    client("device.mjs", server.issuer(), &[]).expect(0);
    assert_eq!(server.journal().count("/device_authorization"), 2);
}

fn device(server: &DevServer) -> Value {
    let url = format!("{}/device_authorization", server.issuer());
    let form = [("client_id", "demo"), ("scope", "openid profile email offline_access")];
    let mut answer = ureq::post(url).send_form(form).expect("the server answers");
    let text = answer.body_mut().read_to_string().expect("a text");
    serde_json::from_str(&text).expect("JSON")
}

/// A real browser that answers a device, with every page kept to look at.
fn browser(uri: &Value, shots: &str, variables: &[(&str, &str)]) -> Finished {
    let shots = artefacts(shots);
    let kept = [("SHOTS", shots.to_str().expect("a plain path")), ("SHOTS_THEMES", "1")];
    client("browser.mjs", uri.as_str().expect("an address"), &[&kept, variables].concat())
}

#[test]
fn a_real_browser_answers_devices_and_every_page_is_kept_to_look_at() {
    let server = hasty_server();
    let device = device(&server);
    let user_code = device["user_code"].as_str().expect("a code");
    let wrong =
        browser(&device["verification_uri"], "hallpass-dev-device-wrong", &[("USER_CODE", "BBBB-BBBB")])
            .expect(1);
    assert!(wrong.json()["text"].as_str().expect("a page").contains("No device is waiting"));
    let allowed = browser(&device["verification_uri"], "hallpass-dev-device", &[("USER_CODE", user_code)])
        .expect(0)
        .json();
    assert_eq!(allowed["steps"], serde_json::json!(["user-code", "sign-in", "consent"]));
    assert_eq!(allowed["console"], serde_json::json!([]));
    assert!(allowed["text"].as_str().expect("a page").contains("You can go back to your terminal"));
}

#[test]
fn a_real_browser_compares_the_code_of_a_link_and_denies() {
    let server = hasty_server();
    let device = device(&server);
    let user_code = device["user_code"].as_str().expect("a code");
    let variables = [("USER_CODE", user_code), ("IDP_DENY", "1")];
    let denied = browser(&device["verification_uri_complete"], "hallpass-dev-device-link", &variables)
        .expect(0)
        .json();
    assert!(denied["text"].as_str().expect("a page").contains("Access denied"));
}

#[test]
fn a_real_browser_does_not_continue_with_the_code_of_another_device() {
    let server = hasty_server();
    let device = device(&server);
    let link = device["verification_uri_complete"].as_str().expect("an address");
    let compared = client("browser.mjs", link, &[("USER_CODE", "BBBB-BBBB")]).expect(1).json();
    assert!(compared["error"].as_str().expect("a reason").contains("another code"), "{compared}");
}
