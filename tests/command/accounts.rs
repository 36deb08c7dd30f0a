//! Which account has to sign in, and which may be asked for.

use hallpass_dev::DevServer;
use hallpass_test::command::{EMAIL, param};

use crate::new_sandbox;

const OTHER: &str = "ada@example.com";

fn server() -> DevServer {
    DevServer::builder().user(EMAIL, "password").user(OTHER, "secret").start().unwrap()
}

#[test]
fn p62_the_account_that_was_meant_is_hinted_at_and_taken() {
    let (sandbox, server) = (new_sandbox(), server());
    let (login, url) = sandbox.login_at(&server, &["--account", "TEST@example.com"]).play(|url| {
        server.visit(url).unwrap();
        url.to_owned()
    });
    login.ok();
    assert_eq!(param(&url, "login_hint").as_deref(), Some("TEST@example.com"));
    assert!(sandbox.run(&["whoami"]).ok().stdout.contains(EMAIL));
}

#[test]
fn p62_another_account_is_not_kept_its_grant_is_given_back_and_the_old_session_stays() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.login_at(&server, &[]).play(|url| server.visit(url).unwrap()).0.ok();
    let before = sandbox.record_bytes("default");
    server.journal().clear();
    let person = server.robot().as_user(OTHER, "secret");
    let (login, page) =
        sandbox.login_at(&server, &["--account", EMAIL]).play(|url| person.visit(url).unwrap());
    login.fails(6, "ada@example.com signed in, but test@example.com is required", "--select-account");
    assert_eq!(page.status, 400);
    assert_eq!(sandbox.record_bytes("default"), before);
    assert_eq!(server.journal().count("/revoke"), 2, "refresh and access token");
    sandbox.run(&["token", "--refresh"]).ok();
}

/// Some servers end all grants of a user with one, so a grant of somebody who has a session here is left alone.
#[test]
fn p62_the_grant_of_somebody_who_is_signed_in_here_too_is_not_revoked() {
    let (sandbox, server) = (new_sandbox(), server());
    let ada = server.robot().as_user(OTHER, "secret");
    sandbox.login_at(&server, &["--profile", "ada"]).play(|url| ada.visit(url).unwrap()).0.ok();
    server.journal().clear();
    let (login, _) = sandbox.login_at(&server, &["--account", EMAIL]).play(|url| ada.visit(url).unwrap());
    assert_eq!(login.code, 6);
    assert_eq!(server.journal().count("/revoke"), 0);
    sandbox.run(&["token", "--refresh", "--profile", "ada"]).ok();
}

#[test]
fn the_server_can_be_told_to_ask_which_account() {
    let (sandbox, server) = (new_sandbox(), server());
    let (login, url) = sandbox.login_at(&server, &["--select-account"]).play(|url| {
        server.visit(url).unwrap();
        url.to_owned()
    });
    login.ok();
    assert_eq!(param(&url, "prompt").as_deref(), Some("select_account consent"));
}
