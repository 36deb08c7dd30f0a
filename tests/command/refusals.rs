//! The server says no, at the callback or for the code: which exit code, in which words, and nothing opened for it.

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, Outcome, browse, callback};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::json;

use crate::new_sandbox;

/// Every code that is registered for the authorization endpoint (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6,
/// RFC 8707 §2, and what servers make up), and what a login that it ends exits with.
const AT_CALLBACK: [(&str, i32); 17] = [
    ("invalid_request", 6),
    ("unauthorized_client", 6),
    ("access_denied", 6),
    ("unsupported_response_type", 6),
    ("invalid_scope", 6),
    ("server_error", 5),
    ("temporarily_unavailable", 5),
    ("interaction_required", 6),
    ("login_required", 6),
    ("account_selection_required", 6),
    ("consent_required", 6),
    ("invalid_request_uri", 6),
    ("invalid_request_object", 6),
    ("request_not_supported", 6),
    ("request_uri_not_supported", 6),
    ("registration_not_supported", 6),
    ("invalid_target", 6),
];

/// The same of the token endpoint (RFC 6749 §5.2, RFC 8707 §2).
const FOR_THE_CODE: [(&str, i32); 7] = [
    ("invalid_request", 6),
    ("invalid_client", 6),
    ("invalid_grant", 6),
    ("unauthorized_client", 6),
    ("unsupported_grant_type", 6),
    ("invalid_scope", 6),
    ("invalid_target", 6),
];

/// A login at a server whose endpoints are set by hand; the user's browser comes back with this query.
pub(crate) fn login_at(sandbox: &CommandSandbox, server: &ScriptedServer, query: &str) -> Outcome {
    let issuer = format!("--issuer={}", server.origin());
    let endpoint = |name: &str| format!("--endpoint={name}={}/{name}", server.origin());
    let [authorization, token] = ["authorization", "token"].map(endpoint);
    let client = format!("--client-id={CLIENT}");
    let args = [issuer.as_str(), &client, &authorization, &token, "--scope=a b", "--timeout=10s"];
    sandbox.login(&args).play(|url| browse(&callback(url, query)).unwrap()).0
}

#[test]
fn n27_every_registered_error_of_the_callback_has_its_exit_code_and_is_told() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    for (error, code) in AT_CALLBACK {
        let query = format!("error={error}&error_description=because+{error}+it+is&state={{state}}");
        let (login, page) =
            sandbox.login_at(&server, &[]).play(|url| browse(&callback(url, &query)).unwrap());
        login.fails(code, &format!("{error} (because {error} it is)"), "");
        assert_eq!(page.status, 400, "{error}");
    }
    assert_eq!(server.journal().count("/token"), 0);
    assert!(!sandbox.record_file("default").exists());
}

#[test]
fn n27_every_registered_error_of_the_token_endpoint_has_its_exit_code_and_is_told() {
    for status in [400, 401] {
        let (sandbox, server) = (new_sandbox(), ScriptedServer::start());
        for (error, code) in FOR_THE_CODE {
            server.always("/token", Response::oauth_error(status, error));
            login_at(&sandbox, &server, "code=x&state={state}").fails(
                code,
                &format!("{error} ({error} it is)"),
                "",
            );
        }
        assert_eq!(server.count("/token"), FOR_THE_CODE.len());
        assert!(!sandbox.record_file("default").exists());
    }
}

/// Characters that a terminal interprets: an escape sequence, a carriage return, a bell, a direction, invisible ones, a name.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\rdone\u{8}\n\u{202e}txet\u{200b}\u{9b}31m";

fn is_clean_and_short(outcome: &Outcome) {
    let talk = &outcome.stderr;
    let is_obeyed = |c: char| c.is_control() && c != '\n' || ['\u{200b}', '\u{202e}'].contains(&c);
    assert!(!talk.contains(is_obeyed), "{talk:?}");
    assert!(talk.contains("]0;owned[2J done txet31m"), "{talk:?}");
    assert!(talk.lines().all(|line| line.chars().count() < 1000), "{}", talk.len());
}

#[test]
fn n27_what_a_server_says_is_shown_clean_and_short_and_its_page_is_not_opened() {
    let (sandbox, server, page) = (new_sandbox(), ScriptedServer::start(), ScriptedServer::start());
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let more = format!("error_description={encoded}&error_uri={}/help", page.origin());
    let at_callback = format!("error=a{encoded}&{more}&state={{state}}");
    let login = login_at(&sandbox, &server, &at_callback);
    assert_eq!(login.code, 6);
    is_clean_and_short(&login);
    let long = "x".repeat(100_000);
    let answer = json!({
        "error": format!("b{HOSTILE}{long}"), "error_description": format!("{HOSTILE}{long}"),
        "error_uri": format!("{}/help", page.origin()),
    });
    server.always("/token", Response::json(400, &answer));
    let login = login_at(&sandbox, &server, "code=x&state={state}");
    assert_eq!(login.code, 6);
    is_clean_and_short(&login);
    assert_eq!((sandbox.opened().len(), page.connections()), (2, 0), "two sign-in pages and nothing else");
    assert!(sandbox.opened().iter().all(|url| url.starts_with(&server.origin())));
}

/// A code is good for one use, and nobody knows whether it was used.
#[test]
fn n39_a_login_whose_code_was_lost_on_the_way_asks_for_another_one() {
    let (sandbox, server) = (new_sandbox(), ScriptedServer::start());
    server.always("/token", Response::empty(200).cut());
    let login = login_at(&sandbox, &server, "code=x&state={state}");
    login.fails(5, "127.0.0.1", "try again");
    assert_eq!(server.count("/token"), 1);
}

#[test]
fn n46_a_scope_that_was_not_granted_is_told_and_what_was_is_shown() {
    for (scope, granted, is_told) in [
        (json!("a"), json!(["a"]), true),
        (json!("b a"), json!(["b", "a"]), false),
        (json!(null), json!(["a", "b"]), false),
    ] {
        let (sandbox, server) = (new_sandbox(), ScriptedServer::start());
        let tokens =
            json!({ "access_token": "x", "token_type": "Bearer", "expires_in": 3600, "scope": scope });
        server.always("/token", Response::json(200, &tokens));
        let login = login_at(&sandbox, &server, "code=x&state={state}").ok();
        assert_eq!(
            login.stderr.contains("Note: the server did not grant these scopes: b\n"),
            is_told,
            "{login:#?}"
        );
        assert_eq!(sandbox.run(&["token", "--json"]).ok().json()["scopes"], granted);
    }
}
