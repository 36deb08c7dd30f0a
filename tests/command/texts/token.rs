//! `hallpass token` and `hallpass exec`.

use hallpass_dev::DevServer;
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::json;

use super::Transcript;
use super::login::sign_in_at;
use crate::new_sandbox;
use crate::refusals::login_at;

#[test]
fn token() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    transcript.run(&sandbox, &["token"]);
    transcript.run(&sandbox, &["token", "--json"]);
    sandbox.sign_in(&server, &[]);
    transcript.run(&sandbox, &["token", "--json"]);
    transcript.run(&sandbox, &["token", "--header"]);
    transcript.run(&sandbox, &["token", "--min-ttl", "2d"]);
    transcript.run(&sandbox, &["token", "--min-ttl", "2d", "--json"]);
    transcript.run(&sandbox, &["token", "-v", "--refresh"]);
    transcript.run(&sandbox, &["token", "--client-id", "other"]);
    transcript.play(&["token"], sandbox.hallpass(&["token"]).env("HALLPASS_ACCESS_TOKEN", "a b"));
    std::fs::write(sandbox.record_file("default"), "{").unwrap();
    transcript.about("a record that can't be read");
    transcript.run(&sandbox, &["token"]);
    std::fs::write(sandbox.record_file("default"), r#"{"version": 99}"#).unwrap();
    transcript.about("a record of a newer version");
    transcript.run(&sandbox, &["token"]);
    transcript.check("token");
}

#[test]
fn refreshes_that_fail() {
    let mut transcript = Transcript::default();
    for (about, response) in [
        ("the server is overloaded", Response::oauth_error(503, "temporarily_unavailable")),
        ("the server asks to wait", Response::oauth_error(429, "slow_down").header("retry-after", "120")),
        ("a captive portal", Response::html(200, "<title>Welcome</title>")),
        ("a redirect", Response::redirect(302, "https://hotel.example")),
        ("a response without a token", Response::json(200, &json!({}))),
        ("the client is unknown", Response::oauth_error(401, "invalid_client")),
        ("the connection breaks", Response::empty(200).cut()),
        ("the session was ended", Response::oauth_error(400, "invalid_grant")),
    ] {
        let (sandbox, server) = (new_sandbox(), ScriptedServer::start());
        sign_in_at(&sandbox, &server);
        server.always("/token", response);
        transcript.about(about);
        transcript.run(&sandbox, &["token", "--refresh"]);
        transcript.run(&sandbox, &["token"]);
        transcript.run(&sandbox, &["status"]);
    }
    transcript.check("token-refresh");
}

#[test]
fn a_session_without_refresh_token() {
    let (sandbox, server, mut transcript) = (new_sandbox(), ScriptedServer::start(), Transcript::default());
    let tokens = json!({ "access_token": "x", "token_type": "Bearer", "expires_in": 3600, "scope": "a" });
    server.always("/token", Response::json(200, &tokens));
    let login = login_at(&sandbox, &server, "code=x&state={state}");
    transcript.outcome(&["login"], &login);
    transcript.run(&sandbox, &["token", "--refresh"]);
    transcript.run(&sandbox, &["token", "--id-token"]);
    transcript.run(&sandbox, &["status"]);
    sandbox.let_expire_in("default", 0);
    transcript.run(&sandbox, &["token"]);
    transcript.run(&sandbox, &["status"]);
    transcript.run(&sandbox, &["logout"]);
    transcript.check("token-without-refresh");
}

#[test]
fn exec() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    transcript.run(&sandbox, &["exec", "--", "true"]);
    sandbox.sign_in(&server, &[]);
    transcript.run(&sandbox, &["exec", "--", "/nonexistent/program"]);
    transcript.run(&sandbox, &["exec", "--", "/etc/passwd"]);
    transcript.run(&sandbox, &["exec", "--", "sh", "-c", "exit 7"]);
    transcript.check("exec");
}
