//! Who has to sign in, and who may be asked.

use hallpass_dev::DevServer;

use crate::bench::{Bench, EMAIL, param};

const OTHER: &str = "ada@example.com";

fn server() -> DevServer {
    DevServer::builder().user(EMAIL, "password").user(OTHER, "secret").start().unwrap()
}

#[test]
fn p62_the_account_that_was_meant_is_hinted_at_and_taken() {
    let (bench, server) = (Bench::new(), server());
    let (login, url) = bench.login_at(&server, &["--account", "TEST@example.com"]).play(|url| {
        server.visit(url).unwrap();
        url.to_owned()
    });
    login.ok();
    assert_eq!(param(&url, "login_hint").as_deref(), Some("TEST@example.com"));
    assert!(bench.run(&["whoami"]).ok().stdout.contains(EMAIL));
}

#[test]
fn p62_another_account_is_not_kept_its_grant_is_given_back_and_the_old_session_stays() {
    let (bench, server) = (Bench::new(), server());
    bench.login_at(&server, &[]).play(|url| server.visit(url).unwrap()).0.ok();
    let before = bench.record_bytes("default");
    server.journal().clear();
    let person = server.robot().as_user(OTHER, "secret");
    let (login, page) = bench.login_at(&server, &["--account", EMAIL]).play(|url| person.visit(url).unwrap());
    login.fails(6, "ada@example.com signed in, but test@example.com is required", "--select-account");
    assert_eq!(page.status, 400);
    assert_eq!(bench.record_bytes("default"), before);
    assert_eq!(server.journal().count("/revoke"), 2, "refresh and access token");
    bench.run(&["token", "--refresh"]).ok();
}

/// Some servers end all grants of a user with one, so a grant of somebody who has a session here is left alone.
#[test]
fn p62_the_grant_of_somebody_who_is_signed_in_here_too_is_not_revoked() {
    let (bench, server) = (Bench::new(), server());
    let ada = server.robot().as_user(OTHER, "secret");
    bench.login_at(&server, &["--profile", "ada"]).play(|url| ada.visit(url).unwrap()).0.ok();
    server.journal().clear();
    let (login, _) = bench.login_at(&server, &["--account", EMAIL]).play(|url| ada.visit(url).unwrap());
    assert_eq!(login.code, 6);
    assert_eq!(server.journal().count("/revoke"), 0);
    bench.run(&["token", "--refresh", "--profile", "ada"]).ok();
}

#[test]
fn the_server_can_be_told_to_ask_which_account() {
    let (bench, server) = (Bench::new(), server());
    let (login, url) = bench.login_at(&server, &["--select-account"]).play(|url| {
        server.visit(url).unwrap();
        url.to_owned()
    });
    login.ok();
    assert_eq!(param(&url, "prompt").as_deref(), Some("select_account consent"));
}
