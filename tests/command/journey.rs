//! Login, whoami, token, status, logout: every verb in words and as JSON.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, EMAIL, param, visit};
use serde_json::{Value, json};

use crate::new_sandbox;

fn server() -> DevServer {
    DevServer::start().unwrap()
}

/// The claims that the development server has about its first account.
fn claims() -> Value {
    json!({
        "sub": "user_973dfe463ec85785",
        "name": "Test User",
        "given_name": "Test",
        "family_name": "User",
        "preferred_username": "test",
        "email": EMAIL,
        "email_verified": true,
    })
}

#[test]
fn login_prints_the_lines_of_the_design_on_stderr_and_nothing_on_stdout() {
    let (sandbox, server) = (new_sandbox(), server());
    let (login, url) = sandbox.login_at(&server, &[]).play(|url| {
        visit(&server, url);
        url.to_owned()
    });
    let login = login.ok();
    assert_eq!(login.stdout, "");
    assert_eq!(
        login.stderr,
        format!(
            "Credentials will be saved in {}, not encrypted (no keychain available: no D-Bus session)\n\
             Opening browser for authentication...\n\n{url}\n\n\
             Waiting for callback on {}...\n\
             Successfully logged in!\n\
             Email: {EMAIL}\n",
            sandbox.record_file("default").display(),
            param(&url, "redirect_uri").unwrap(),
        )
    );
}

#[test]
fn whoami_prints_the_line_and_the_claims() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let whoami = sandbox.run(&["whoami"]).ok();
    let (line, rest) = whoami.stdout.split_once('\n').unwrap();
    assert_eq!(line, format!("Logged in as: {EMAIL}"));
    assert_eq!(serde_json::from_str::<Value>(rest).unwrap(), claims());
    assert!(rest.starts_with("{\n  \"") && rest.ends_with("\n}\n"), "{rest}");
    assert_eq!(whoami.stderr, "");
    assert_eq!(server.journal().count("/userinfo"), 0, "the record knows");
    assert_eq!(sandbox.run(&["whoami", "--fresh"]).ok().stdout, whoami.stdout);
    assert_eq!(server.journal().count("/userinfo"), 1);
}

#[test]
fn token_prints_the_same_token_until_a_new_one_is_asked_for() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let first = sandbox.run(&["token"]).ok();
    assert_eq!(first.stderr, "");
    assert_eq!(sandbox.value(&["token"]), first.value());
    assert_eq!(server.journal().count("/token"), 1);
    let renewed = sandbox.value(&["token", "--refresh"]);
    assert_ne!(renewed, first.value());
    assert_eq!(sandbox.value(&["token"]), renewed);
    assert_eq!(server.journal().count("/token"), 2);
}

#[test]
fn token_as_a_header_is_what_curl_reads() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let token = sandbox.value(&["token"]);
    assert_eq!(sandbox.value(&["token", "--header"]), format!("Authorization: Bearer {token}"));
}

#[test]
fn the_id_token_is_printed_as_the_server_signed_it() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let id_token = sandbox.value(&["token", "--id-token"]);
    assert_eq!(id_token.split('.').count(), 3);
    assert_eq!(sandbox.record("default")["secret"]["id_token"], id_token);
    let json = sandbox.run(&["token", "--id-token", "--json"]).ok().json();
    assert_eq!(json, json!({"id_token": id_token, "profile": "default"}));
}

#[test]
fn an_asked_for_life_renews_the_token_only_if_it_has_less() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let first = sandbox.value(&["token"]);
    assert_eq!(sandbox.value(&["token", "--min-ttl", "50m"]), first);
    sandbox.let_expire_in("default", 20 * 60);
    assert_eq!(sandbox.value(&["token"]), first);
    assert_ne!(sandbox.value(&["token", "--min-ttl", "50m"]), first);
    let longer = sandbox.run(&["token", "--min-ttl", "2h"]);
    longer.fails(5, "expire sooner than requested", "");
}

#[test]
fn a_token_of_a_short_life_is_renewed_by_itself() {
    let (sandbox, server) =
        (new_sandbox(), DevServer::builder().token_ttl(Duration::from_secs(2)).start().unwrap());
    sandbox.sign_in(&server, &[]);
    let first = sandbox.record("default")["secret"]["access_tokens"][0].clone();
    thread::sleep(Duration::from_millis(1100));
    assert_ne!(sandbox.value(&["token"]), first);
    assert_eq!(server.journal().count("/token"), 2);
}

#[test]
fn status_tells_who_where_until_when_and_kept_where() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let status = sandbox.run(&["status"]).ok();
    let lines: Vec<&str> = status.stdout.lines().collect();
    let [name, who, state, expiry, kept] = lines.as_slice() else { panic!("{status:#?}") };
    assert_eq!(*name, "* default");
    assert_eq!(*who, format!("    {EMAIL} at {}", server.issuer()));
    assert_eq!(*state, "    signed in");
    assert!(
        expiry.starts_with("    access token expires in ") && expiry.ends_with("; refreshed automatically")
    );
    assert_eq!(*kept, format!("    stored in {}, not encrypted", sandbox.record_file("default").display()));
    assert_eq!(server.journal().count("/userinfo"), 0);
    let checked = sandbox.run(&["status", "--check"]).ok();
    assert!(checked.stdout.contains("\n    signed in, confirmed by the server\n"), "{checked:#?}");
    assert_eq!(server.journal().count("/userinfo"), 1);
}

#[test]
fn after_a_logout_every_verb_says_so() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let logout = sandbox.run(&["logout"]).ok();
    assert_eq!(logout.stdout, "");
    assert_eq!(logout.stderr, "Logged out; the server revoked the tokens.\n");
    assert_eq!(server.journal().count("/revoke"), 2);
    assert!(!sandbox.record_file("default").exists());
    for verb in ["token", "whoami"] {
        sandbox.run(&[verb]).fails(4, "error: not signed in", "sign in with: hallpass login");
    }
    let status = sandbox.run(&["status"]);
    let text = "* default\n    not signed in; sign in with: hallpass login\n";
    assert_eq!((status.code, status.stdout.as_str()), (4, text));
    let again = sandbox.run(&["logout"]).ok();
    assert_eq!(again.stderr, "Not signed in.\n");
}

#[test]
fn p67_with_json_login_is_one_event_a_line_and_done_has_every_field() {
    let (sandbox, server) = (new_sandbox(), server());
    let (login, url) = sandbox.login_at(&server, &["--json"]).play(|url| {
        visit(&server, url);
        url.to_owned()
    });
    let events = login.ok().events();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["store", "url", "waiting", "exchanging", "done"]);
    let path = sandbox.record_file("default");
    let no_keychain = "no keychain available: no D-Bus session";
    assert_eq!(
        events[0],
        json!({"event": "store", "store": "file", "path": path, "no_keychain": no_keychain})
    );
    assert_eq!(events[1], json!({"event": "url", "url": url}));
    assert_eq!(events[2]["redirect_uri"], param(&url, "redirect_uri").unwrap());
    is_time(&events[2]["until"]);
    let mut done = events[4].clone();
    is_time(&done["expires_at"].take());
    assert_eq!(
        done,
        json!({
            "event": "done",
            "profile": "default",
            "issuer": server.issuer(),
            "client_id": CLIENT,
            "user": claims(),
            "scopes": ["openid", "profile", "email", "offline_access"],
            "expires_at": null,
            "renewable": true,
            "store": "file",
            "path": path,
            "notes": [],
        })
    );
}

#[test]
fn a_parent_program_can_relay_the_events_while_they_happen() {
    let (sandbox, server) = (new_sandbox(), server());
    let args = ["login", "--no-browser", "--json", "--issuer", server.issuer(), "--client-id", CLIENT];
    let mut command = sandbox.hallpass(&args).into_command();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut last = Value::Null;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if last["event"] == "url" {
            let (robot, url) = (server.robot(), last["url"].as_str().unwrap().to_owned());
            thread::spawn(move || robot.visit(&url));
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(last["event"], "done");
    assert!(sandbox.opened().is_empty());
}

#[test]
fn p67_with_json_every_other_verb_answers_one_value() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let path = sandbox.record_file("default");

    assert_eq!(sandbox.run(&["whoami", "--json"]).ok().json(), claims());

    let mut token = sandbox.run(&["token", "--json"]).ok().json();
    is_time(&token["expires_at"].take());
    assert_eq!(
        token,
        json!({
            "access_token": sandbox.value(&["token"]),
            "token_type": "Bearer",
            "expires_at": null,
            "scopes": ["openid", "profile", "email", "offline_access"],
            "issuer": server.issuer(),
            "profile": "default",
        })
    );

    for (check, state) in
        [(&["status", "--json"][..], "unverified"), (&["status", "--json", "--check"], "verified")]
    {
        let mut status = sandbox.run(check).ok().json();
        is_time(&status[0]["expires_at"].take());
        assert_eq!(
            status,
            json!([{
                "profile": "default", "current": true, "state": state, "user": claims(),
                "issuer": server.issuer(), "expires_at": null, "renewable": true, "store": "file", "path": path,
            }])
        );
    }

    let logout = sandbox.run(&["logout", "--json"]).ok().json();
    let revoked = json!({"refresh_token": "revoked", "access_token": "revoked"});
    assert_eq!(logout, json!({"profile": "default", "erased": true, "revoked": revoked}));
    let again = sandbox.run(&["logout", "--json"]).ok().json();
    let nothing = json!({"refresh_token": "none", "access_token": "none"});
    assert_eq!(again, json!({"profile": "default", "erased": false, "revoked": nothing}));
}

#[test]
fn p67_with_json_a_failure_is_one_object_with_the_same_exit_code() {
    let sandbox = new_sandbox();
    for verb in ["token", "whoami"] {
        let failure = sandbox.run(&[verb, "--json"]);
        assert_eq!(
            failure.fails_as_json(4, "login_required"),
            json!({"error": {
                "code": 4,
                "kind": "login_required",
                "message": "not signed in",
                "hint": "sign in with: hallpass login --issuer URL --client-id ID",
            }})
        );
    }
    let status = sandbox.run(&["status", "--json"]);
    assert_eq!((status.code, &status.json()[0]["state"]), (4, &json!("login_required")));
}

#[test]
fn a_login_that_is_not_needed_opens_nothing() {
    let (sandbox, server) = (new_sandbox(), server());
    let done = sandbox.sign_in(&server, &["--if-needed", "--json"]).events().pop().unwrap();
    let again = sandbox.login(&["--if-needed"]).run().ok();
    assert_eq!(
        (again.stdout.as_str(), again.stderr.as_str()),
        ("", "Already signed in as test@example.com.\n")
    );
    assert_eq!(sandbox.opened().len(), 1);
    let mut json = sandbox.login(&["--if-needed", "--json"]).run().ok().json();
    assert_eq!(json.as_object_mut().unwrap().remove("already"), Some(json!(true)));
    assert_eq!(json, done, "the same fields as after a login");
}

#[test]
fn the_browser_of_the_environment_is_used_too() {
    let (sandbox, server) = (new_sandbox(), server());
    let login = sandbox.hallpass(&["login", "--issuer", server.issuer(), "--client-id", CLIENT]);
    login.env("BROWSER", &sandbox.browser()).play(|url| visit(&server, url)).0.ok();
}

#[test]
fn a_browser_that_does_not_start_is_one_line_and_the_address_still_works() {
    let (sandbox, server) = (new_sandbox(), server());
    let at = ["--issuer", server.issuer(), "--client-id", CLIENT, "--timeout", "500ms"];
    let login = sandbox.hallpass(&[&["login", "--browser=/nonexistent/browser"], &at[..]].concat()).run();
    assert_eq!(login.code, 7);
    let line = "Could not open a browser (/nonexistent/browser: not found). Open the URL above yourself.";
    assert_eq!(login.stderr.lines().filter(|l| *l == line).count(), 1, "{login:#?}");
}

#[track_caller]
fn is_time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    assert!(text.ends_with('Z') && humantime::parse_rfc3339(text).is_ok(), "{text}");
}
