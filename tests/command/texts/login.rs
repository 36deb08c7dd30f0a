//! `hallpass login`.

use std::time::Duration;

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, visit};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::json;

use super::Transcript;
use crate::new_sandbox;
use crate::refusals::login_at;

/// Variables by which a login sees where it runs. They count for more than a container that the tests may run in.
const PLACES: [&[(&str, &str)]; 6] = [
    &[("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22"), ("USER", "ada")],
    &[("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22"), ("TMUX", "x")],
    &[("CI", "true")],
    &[("CODESPACES", "true")],
    &[("REMOTE_CONTAINERS", "true")],
    &[("container", "podman")],
];

/// A sandbox without the device grant, which a login offers or not depending on the machine.
pub(super) fn without_device_grant() -> CommandSandbox {
    let sandbox = new_sandbox();
    std::fs::create_dir_all(sandbox.config_dir()).unwrap();
    std::fs::write(sandbox.config_dir().join("config.toml"), "device = \"off\"\n").unwrap();
    sandbox
}

/// Signs in at such a server, with a refresh token.
pub(super) fn sign_in_at(sandbox: &CommandSandbox, server: &ScriptedServer) {
    let tokens = json!({
        "access_token": "x", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "scope": "a b",
    });
    server.always("/token", Response::json(200, &tokens));
    login_at(sandbox, server, "code=x&state={state}").ok();
}

#[test]
fn logins_that_succeed() {
    let (sandbox, server, mut transcript) =
        (without_device_grant(), DevServer::start().unwrap(), Transcript::default());
    let first = sandbox.login_at(&server, &[]).play(|url| visit(&server, url)).0;
    transcript.outcome(&["login", "--issuer", "URL", "--client-id", CLIENT], &first);
    transcript.run(&sandbox, &["login", "--if-needed"]);
    transcript.outcome(&["login"], &sandbox.login(&[]).play(|url| visit(&server, url)).0);
    transcript.outcome(&["login", "-q"], &sandbox.login(&["-q"]).play(|url| visit(&server, url)).0);
    transcript.outcome(&["login", "--json"], &sandbox.login(&["--json"]).play(|url| visit(&server, url)).0);
    transcript.outcome(&["login", "-v"], &sandbox.login(&["-v"]).play(|url| visit(&server, url)).0);
    let file = ["--storage", "file"];
    transcript
        .outcome(&["login", "--storage", "file"], &sandbox.login(&file).play(|url| visit(&server, url)).0);
    transcript.check("login");
}

#[test]
fn logins_that_fail() {
    let mut transcript = Transcript::default();
    for query in [
        "error=access_denied&error_description=The+user+said+no&state={state}",
        "error=server_error&state={state}",
        "error=invalid_scope&state={state}",
        "error=unauthorized_client&state={state}",
        "state={state}",
        "code=x&code=y&state={state}",
        "code=x&state={state}&iss=https://other.example",
    ] {
        let (sandbox, server) = (new_sandbox(), ScriptedServer::start());
        transcript.outcome(
            &["login", &format!("# the browser comes back with {query}")],
            &login_at(&sandbox, &server, query),
        );
    }
    for (about, response) in [
        ("invalid_grant", Response::oauth_error(400, "invalid_grant")),
        ("invalid_client", Response::oauth_error(401, "invalid_client")),
        ("an error without a reason", Response::empty(400)),
        ("an overloaded server", Response::empty(503)),
        ("a page", Response::html(200, "<h1>Welcome</h1>")),
        ("a redirect", Response::redirect(302, "https://a.example")),
        ("no token", Response::json(200, &json!({}))),
        ("another type of token", Response::json(200, &json!({"access_token": "x", "token_type": "mac"}))),
        (
            "an ID token that is none",
            Response::json(200, &json!({"access_token": "x", "token_type": "Bearer", "id_token": "x"})),
        ),
        ("a lost response", Response::empty(200).cut()),
    ] {
        let (sandbox, server) = (new_sandbox(), ScriptedServer::start());
        server.always("/token", response);
        let login = login_at(&sandbox, &server, "code=x&state={state}");
        transcript.outcome(&["login", &format!("# the token endpoint sends {about}")], &login);
    }
    transcript.check("login-failed");
}

#[test]
fn logins_that_do_not_begin() {
    let (sandbox, server, mut transcript) = (new_sandbox(), ScriptedServer::start(), Transcript::default());
    let origin = server.origin();
    let at = |more: &[&'static str]| {
        [&["login", "--browser=/bin/false", "--client-id", "x", "--timeout", "2s"][..], more].concat()
    };
    transcript.run(&sandbox, &at(&["--issuer", "https://127.0.0.1:1"]));
    transcript.run(&sandbox, &at(&["--issuer", "https://name.invalid"]));
    transcript.run(&sandbox, &at(&["--issuer", "https://127.0.0.1:1", "--ca-cert", "/dev/null"]));
    transcript.run(&sandbox, &at(&["--issuer", "https://127.0.0.1:1", "--storage", "keychain"]));
    let issuer: &'static str = origin.leak();
    transcript.about("no metadata");
    transcript.run(&sandbox, &at(&["--issuer", issuer]));
    for (about, metadata) in [
        ("metadata of another issuer", json!({"issuer": "https://other.example"})),
        ("metadata without endpoints", json!({"issuer": issuer})),
        (
            "metadata without PKCE",
            json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/a"), "token_endpoint": format!("{issuer}/t"),
                "code_challenge_methods_supported": ["plain"]}),
        ),
        (
            "an endpoint without https",
            json!({"issuer": issuer, "authorization_endpoint": "http://a.example/a", "token_endpoint": "http://a.example/t"}),
        ),
    ] {
        server.always("/.well-known/openid-configuration", Response::json(200, &metadata));
        transcript.about(about);
        transcript.run(&sandbox, &at(&["--issuer", issuer]));
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri: &'static str =
        format!("http://127.0.0.1:{}/callback", taken.local_addr().unwrap().port()).leak();
    transcript.about("a port in use");
    let dev = DevServer::start().unwrap();
    let issuer: &'static str = dev.issuer().to_owned().leak();
    transcript.run(&sandbox, &at(&["--issuer", issuer, "--redirect-uri", uri]));
    transcript.about("nobody signs in");
    let sandbox = without_device_grant();
    transcript.run(&sandbox, &at(&["--issuer", issuer]));
    transcript.run(&sandbox, &at(&["--issuer", issuer, "--json"]));
    transcript.check("login-not-begun");
}

#[test]
fn logins_in_many_places() {
    let server = DevServer::builder().device_interval(Duration::from_secs(1)).start().unwrap();
    let mut transcript = Transcript::default();
    for place in PLACES {
        let names: Vec<String> = place.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
        let args = ["login", "--issuer", server.issuer(), "--client-id", CLIENT, "--timeout", "1s"];
        let sandbox = new_sandbox();
        transcript.about(&names.join(" "));
        transcript.play(&args, sandbox.hallpass(&args).env("PATH", "/nonexistent").envs(place));
        transcript.play(
            &["login", "--explain"],
            sandbox.hallpass(&["login", "--explain"]).env("PATH", "/nonexistent").envs(place),
        );
    }
    let sandbox = new_sandbox();
    let args = [
        "login",
        "--device",
        "--issuer",
        server.issuer(),
        "--client-id",
        CLIENT,
        "--timeout",
        "1s",
        "--no-qr",
    ];
    transcript.run(&sandbox, &args);
    let args = [
        "login",
        "--issuer",
        server.issuer(),
        "--client-id",
        CLIENT,
        "--timeout",
        "1s",
        "--browser=/nonexistent/browser",
    ];
    transcript.run(&without_device_grant(), &args);
    let explain = ["login", "--explain", "--json"];
    transcript.play(&explain, sandbox.hallpass(&explain).env("CODESPACES", "true"));
    transcript.check("login-places");
}

#[test]
fn accounts_and_profiles() {
    let (sandbox, server, mut transcript) =
        (without_device_grant(), DevServer::start().unwrap(), Transcript::default());
    let other =
        sandbox.login_at(&server, &["--account", "ada@example.com"]).play(|url| visit(&server, url)).0;
    transcript.outcome(&["login", "--account", "ada@example.com"], &other);
    sandbox.sign_in(&server, &[]);
    transcript.run(&sandbox, &["login", "--issuer", "https://other.example", "--client-id", "x"]);
    transcript.run(
        &sandbox,
        &["login", "--profile", "default", "--issuer", "https://other.example", "--client-id", "x"],
    );
    transcript.check("login-accounts");
}
