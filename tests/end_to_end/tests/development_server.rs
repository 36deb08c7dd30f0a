//! The development server as others see it: a real browser, two foreign client libraries.

use hallpass_dev::DevServer;
use hallpass_end_to_end::{Home, artefacts, client, foreign};

#[test]
fn a_real_browser_signs_in_and_every_page_is_kept_to_look_at() {
    let server = DevServer::start().expect("the server starts");
    let shots = artefacts("hallpass-dev");
    let home = Home::new().with("SHOTS", shots.to_str().expect("a plain path")).with("SHOTS_THEMES", "1");
    let browser = format!("--browser=node {}", foreign("browser.mjs").display());
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
