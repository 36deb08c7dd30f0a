//! Homes with names that programs trip over.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use hallpass_dev::DevServer;
use hallpass_test::command::visit;

use crate::new_sandbox;

/// A whole journey there.
fn works_in(name: &[u8]) {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let home = sandbox.home().join(OsStr::from_bytes(name));
    fs::create_dir(&home).unwrap();
    let run = |args: &[&str]| sandbox.hallpass(args).at_home(&home).env("LANG", "C").run().ok();
    sandbox.login_at(&server, &[]).at_home(&home).play(|url| visit(&server, url)).0.ok();
    let token = run(&["token"]).stdout;
    assert_ne!(run(&["token", "--refresh"]).stdout, token);
    for verb in [&["whoami"][..], &["status"], &["profiles", "list"]] {
        run(verb);
    }
    assert!(run(&["status", "--json"]).json()[0]["path"].is_string());
    assert!(home.join(".local/state/hallpass/hallpass/default.json").is_file());
    run(&["logout", "--json"]);
}

#[test]
fn p46_every_verb_works_whatever_the_home_is_called() {
    let long = "é".repeat(120);
    for name in ["Zoë", "漢字 🦀 and spaces", "quote' \" $HOME `id`", &long] {
        works_in(name.as_bytes());
    }
}

#[test]
fn p46_every_verb_works_in_a_home_whose_name_is_no_text() {
    works_in(b"\xff\xfe\x80");
}
