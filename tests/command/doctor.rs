//! `doctor` and `login --explain`: what a login would do here, without one.

use hallpass_dev::DevServer;
use hallpass_test::command::CLIENT;

use crate::new_sandbox;

const DESK: (&str, &str) = ("DISPLAY", ":0");

#[test]
fn p21_p60_a_login_is_explained_and_not_begun() {
    let sandbox = new_sandbox().with(DESK.0, DESK.1);
    let explained = sandbox.run(&["login", "--explain", "--browser=/bin/false %s"]).ok();
    let lines: Vec<&str> = explained.stdout.lines().collect();
    assert!(lines[0].starts_with("Browser: /bin/false"), "{explained:#?}");
    assert!(lines.contains(&"Redirect URI to register: http://127.0.0.1/callback (with any port)"));
    assert!(lines.last().unwrap().contains("DISPLAY=:0"));
    assert!(sandbox.is_untouched());
    let fixed = ["login", "--explain", "--json", "--redirect-uri", "http://localhost:9999/callback"];
    let explained = sandbox.hallpass(&fixed).env("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22").run();
    let explained = explained.ok().json();
    assert_eq!(explained["redirect_uris"], serde_json::json!(["http://localhost:9999/callback"]));
    assert_eq!((&explained["any_port"], &explained["browser"]["opens"]), (&false.into(), &false.into()));
    assert_eq!(explained["tunnel"], "ssh -L 9999:127.0.0.1:9999 -N 203.0.113.5");
    assert_eq!(explained["looked_at"]["SSH_CONNECTION"], "set");
    assert!(sandbox.is_untouched() && sandbox.opened().is_empty());
}

#[test]
fn p21_doctor_finds_everything_in_order_and_signs_nobody_in() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let doctor = sandbox.run(&["doctor", "--issuer", server.issuer()]).ok();
    let troubles = doctor.stdout.lines().filter(|line| line.starts_with("!!")).count();
    assert_eq!((troubles, doctor.stderr.as_str()), (0, ""), "{doctor:#?}");
    for line in [
        "ok  redirect  http://127.0.0.1/callback, with any port; must be registered with the server",
        "--  keychain  no keychain available: no D-Bus session; credentials will not be encrypted",
        "ok  proxy     none for 127.0.0.1",
        "ok  clock     agrees with 127.0.0.1's",
        "ok  features  lists PKCE, userinfo, revocation, device grant, iss in responses, offline_access",
    ] {
        assert!(doctor.stdout.lines().any(|printed| printed == line), "{line}: {doctor:#?}");
    }
    assert!(doctor.stdout.ends_with("\nNo problems found.\n"));
    assert!(sandbox.files().is_empty() && sandbox.opened().is_empty());
    let nobody = sandbox.run(&["doctor", "--profile", "nobody"]).ok();
    assert!(nobody.stderr.starts_with("Note: profile \"nobody\" has no issuer; "), "{nobody:#?}");
    assert!(doctor.stdout.lines().all(|line| line.chars().count() <= 160), "{doctor:#?}");
}

#[test]
fn doctor_looks_at_the_server_of_the_profile() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    let before = sandbox.files();
    let doctor = sandbox.run(&["doctor", "--json"]).ok().json();
    let about = |subject: &str| {
        let findings = doctor["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["subject"] == subject).unwrap().clone()
    };
    assert!(about("server")["text"].as_str().unwrap().starts_with(server.issuer()));
    assert!(about("store")["text"].as_str().unwrap().ends_with("has a session"));
    assert_eq!((&doctor["ok"], &doctor["login"]["any_port"]), (&true.into(), &true.into()));
    assert!(sandbox.files() == before, "doctor changed something");
}

#[test]
fn doctor_without_a_server_looks_at_this_machine_and_says_how_to_name_one() {
    let sandbox = new_sandbox();
    let doctor = sandbox.run(&["doctor"]).ok();
    assert!(
        doctor.stdout.contains("--  server    no issuer is set, so no server was checked\n"),
        "{doctor:#?}"
    );
    assert!(doctor.stderr.contains("hallpass doctor --issuer https://"), "{doctor:#?}");
}

#[test]
fn doctor_ends_as_a_login_would_and_gives_the_same_hint() {
    let sandbox = new_sandbox();
    let cases: [(&[&str], i32, &str, &str); 3] = [
        (
            &["--storage", "keychain"],
            8,
            "!!  keychain  credentials cannot be stored in the keychain",
            "--storage file",
        ),
        (
            &["--ca-cert", "/dev/null"],
            5,
            "!!  trust     could not establish a secure connection to 127.0.0.1:1",
            "use a file with certificates in PEM format",
        ),
        (&[], 5, "!!  server    could not connect to 127.0.0.1:1", "check the URL"),
    ];
    for (args, code, line, hint) in cases {
        let asked = [&["doctor", "--issuer", "https://127.0.0.1:1", "--client-id", CLIENT], args].concat();
        let doctor = sandbox.run(&asked);
        assert_eq!(doctor.code, code, "{doctor:#?}");
        assert!(doctor.stdout.contains(line), "{line}: {doctor:#?}");
        let hints = doctor.stdout.lines().filter(|line| line.trim_start().starts_with("hint: "));
        assert!(hints.clone().any(|line| line.contains(hint)), "{doctor:#?}");
        assert!(doctor.stdout.ends_with("\nSign-in would fail: see the lines marked !!\n"));
        let login = sandbox.login(&[&asked[1..], &["--timeout", "5s"]].concat()).run();
        assert_eq!(login.code, code, "{login:#?}");
    }
}
