//! `HALLPASS_ACCESS_TOKEN`: a token from outside (P64).

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, EMAIL, Outcome, visit};
use serde_json::json;

use crate::new_sandbox;

const NAME: &str = "HALLPASS_ACCESS_TOKEN";
const NOTE: &str =
    "Note: HALLPASS_ACCESS_TOKEN is set and overrides your saved credentials; unset it to use them\n";

fn with_token(sandbox: &CommandSandbox, token: &str, args: &[&str]) -> Outcome {
    sandbox.hallpass(args).env(NAME, token).run()
}

/// Signs in with the first account, and returns a token of a second one.
fn two_accounts() -> (CommandSandbox, DevServer, String) {
    let server = DevServer::builder().user(EMAIL, "password").user("bob@example.com", "pw").start().unwrap();
    let other = new_sandbox();
    let call = other.login_at(&server, &[]);
    call.play(|url| server.robot().as_user("bob@example.com", "pw").visit(url).unwrap()).0.ok();
    let sandbox = new_sandbox();
    sandbox.sign_in(&server, &[]);
    (sandbox, server, other.value(&["token"]))
}

/// "`token` prints it as is"
#[test]
fn token_prints_it_as_it_is_and_touches_nothing() {
    let sandbox = new_sandbox();
    let token = |args: &[&str]| with_token(&sandbox, "from outside!", args).ok();
    assert_eq!(token(&["token"]).value(), "from outside!");
    assert_eq!(token(&["token", "--header"]).value(), "Authorization: Bearer from outside!");
    let expected = json!({
        "access_token": "from outside!", "token_type": "Bearer", "expires_at": null, "scopes": [],
        "issuer": null, "profile": null,
    });
    assert_eq!(token(&["token", "--json"]).json(), expected);
    assert!(sandbox.is_untouched());
}

/// "overrides the stored session"
#[test]
fn p64_it_rules_over_the_stored_session() {
    let (sandbox, _server, token) = two_accounts();
    assert_eq!(with_token(&sandbox, &token, &["token"]).ok().value(), token);
    let chosen = sandbox.hallpass(&["token"]).env(NAME, &token).env("HALLPASS_PROFILE", "default").run();
    assert_eq!(chosen.ok().value(), token, "two variables: the token is the one that says more");
    assert_eq!(
        with_token(&sandbox, "", &["token"]).ok().value(),
        sandbox.value(&["token"]),
        "empty is unset"
    );
}

/// "(an explicit `--profile` beats it)"
#[test]
fn p64_an_explicit_profile_beats_it() {
    let (sandbox, server, token) = two_accounts();
    let own = sandbox.value(&["token"]);
    assert_eq!(with_token(&sandbox, &token, &["token", "--profile", "default"]).ok().value(), own);
    let whoami = with_token(&sandbox, &token, &["whoami", "--profile", "default"]).ok();
    assert!(whoami.stdout.starts_with(&format!("Logged in as: {EMAIL}\n")), "{whoami:#?}");
    for verb in ["status", "logout"] {
        let outcome = with_token(&sandbox, &token, &[verb, "--profile", "default"]).ok();
        assert!(!outcome.stderr.contains(NAME), "{outcome:#?}");
    }
    assert_eq!(server.journal().count("/userinfo"), 0);
}

/// "`--refresh` is exit 2", and so is all else that it cannot give.
#[test]
fn what_a_token_from_outside_cannot_do_is_refused() {
    let (sandbox, server, token) = two_accounts();
    let sent = server.journal().entries().len();
    let wishes = [
        &["--refresh"][..],
        &["--min-ttl", "10m"],
        &["--id-token"],
        &["--resource", "https://api.example.com"],
    ];
    for wish in wishes {
        let outcome = with_token(&sandbox, &token, &[&["token"], wish].concat());
        outcome.fails(2, "HALLPASS_ACCESS_TOKEN can only be printed as is", "--profile NAME");
    }
    assert_eq!(server.journal().entries().len(), sent);
}

/// "`whoami` asks userinfo"
#[test]
fn p64_whoami_is_whoever_the_token_speaks_for() {
    let (sandbox, server, token) = two_accounts();
    let before = sandbox.files();
    let whoami = with_token(&sandbox, &token, &["whoami"]).ok();
    assert!(whoami.stdout.starts_with("Logged in as: bob@example.com\n"), "{whoami:#?}");
    assert_eq!(server.journal().count("/userinfo"), 1);
    assert_eq!(sandbox.files(), before, "nothing of it is kept");
}

/// In a container there is no record that knows the server; the variable does.
#[test]
fn whoami_asks_the_server_of_the_environment_where_nobody_is_signed_in() {
    let (_bench, server, token) = two_accounts();
    let job = new_sandbox();
    let variables = [(NAME, token.as_str()), ("HALLPASS_ISSUER", server.issuer())];
    let whoami = job.hallpass(&["whoami", "--json"]).envs(&variables).run().ok();
    assert_eq!(whoami.json()["email"], "bob@example.com");
    assert!(job.is_untouched());
    let lost = with_token(&job, &token, &["whoami"]);
    lost.fails(2, "HALLPASS_ACCESS_TOKEN does not tell which server issued it", "HALLPASS_ISSUER");
}

/// A token that is refused is an error, never a silent fallback to what is stored.
#[test]
fn p64_a_token_that_the_server_refuses_is_an_error() {
    let (sandbox, _server, _) = two_accounts();
    let whoami = with_token(&sandbox, "made-up", &["whoami"]);
    whoami.fails(4, "the server rejected the token in HALLPASS_ACCESS_TOKEN", "unset it");
    assert!(!whoami.stderr.contains("made-up"));
}

/// "`login`, `status` and `logout` say what it hides."
#[test]
fn p64_login_status_and_logout_say_what_it_hides() {
    let (sandbox, server, token) = two_accounts();
    for args in [&["status"][..], &["status", "--json"], &["logout"]] {
        let outcome = with_token(&sandbox, &token, args).ok();
        assert!(outcome.stderr.starts_with(NOTE), "{outcome:#?}");
    }
    assert_eq!(server.journal().count("/revoke"), 2, "the stored session's tokens");
    let login = sandbox.login_at(&server, &[]).env(NAME, &token).play(|url| visit(&server, url)).0.ok();
    assert!(login.stderr.starts_with(NOTE), "{login:#?}");
    assert_eq!(sandbox.record("default")["client_id"], CLIENT);
    let whoami = with_token(&sandbox, &token, &["whoami"]).ok();
    assert!(whoami.stdout.starts_with("Logged in as: bob@example.com\n"), "the logout was not of this token");
}
