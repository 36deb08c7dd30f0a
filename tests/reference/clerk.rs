//! The reference implementation for adding Clerk to a command-line tool (`ClerkCliAuth`), in its order.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hallpass::{Environment, Hallpass, Storage, Terminal};
use hallpass_test::command::{CommandSandbox, Outcome, Page, browse, callback, param};
use hallpass_test::jose;
use hallpass_test::ports::free_port;
use hallpass_test::provider::{
    AUTHORIZE, CANARY, CLIENT, EMAIL, OPENID_CONFIGURATION, Provider, SUB, TOKEN, USERINFO, clerk_error,
};
use hallpass_test::scripted_server::Response;
use serde_json::{Value, json};
use url::Url;

use crate::new_sandbox;

/// A person who is signed in at Clerk approves, and sees the last page.
fn approve(url: &str) -> Page {
    browse(url).unwrap()
}

/// Signs in with the two things that the document says one needs.
fn login(sandbox: &CommandSandbox, clerk: &Provider, args: &[&str]) -> (Outcome, String) {
    let call = sandbox.login(&[&["--issuer", clerk.issuer(), "--client-id", CLIENT], args].concat());
    let (login, url) = call.play(|url| {
        approve(url);
        url.to_owned()
    });
    (login.ok(), url)
}

fn signed_in() -> (CommandSandbox, Provider) {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    login(&sandbox, &clerk, &[]);
    clerk.forget();
    (sandbox, clerk)
}

fn redirect_uri(url: &str) -> Url {
    Url::parse(&param(url, "redirect_uri").unwrap()).unwrap()
}

/// "You need two things: an OAuth Application registered with a Clerk instance, and the client_id + issuer
/// URL from it."
#[test]
fn two_things_are_needed() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    sandbox.login(&["--issuer", clerk.issuer()]).run().fails(2, "no client ID", "--client-id ID");
    sandbox.login(&["--client-id", CLIENT]).run().fails(2, "no issuer", "--issuer https://");
    login(&sandbox, &clerk, &[]);
}

/// "Redirect URI: `http://127.0.0.1:*/callback` (wildcard port …"
#[test]
fn the_port_is_wild() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let uris = [(); 2].map(|()| redirect_uri(&login(&sandbox, &clerk, &[]).1));
    for uri in &uris {
        assert_eq!((uri.host_str(), uri.path()), (Some("127.0.0.1"), "/callback"));
    }
    assert_ne!(uris[0].port(), uris[1].port());
}

/// "… if wildcard isn't offered, use a specific port like `http://127.0.0.1:8787/callback` and configure the
/// SDK with `callbackPort: 8787`)" — here with a port that is free on this machine.
#[test]
fn or_the_port_is_fixed() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let uri = format!("http://127.0.0.1:{}/callback", free_port());
    let (_, url) = login(&sandbox, &clerk, &["--redirect-uri", &uri]);
    assert_eq!(param(&url, "redirect_uri"), Some(uri.clone()));
    let (_, again) = login(&sandbox, &clerk, &[]);
    assert_eq!(param(&again, "redirect_uri"), Some(uri), "it is remembered");
}

/// "Public client (PKCE): enabled"
#[test]
fn the_client_is_public() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    login(&sandbox, &clerk, &[]);
    let exchange = &clerk.requests_to(TOKEN)[0];
    assert_eq!((exchange.header("authorization"), exchange.param("client_secret")), (None, None));
    assert!(exchange.param("code_verifier").is_some());
}

/// "Scopes: `profile email openid offline_access`"
#[test]
fn the_scopes_are_asked_for() {
    const SCOPES: &str = "profile email openid offline_access";
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let (_, url) = login(&sandbox, &clerk, &["--scope", SCOPES]);
    assert_eq!(param(&url, "scope").as_deref(), Some(SCOPES));
    let sorted = |scopes: &str| {
        let mut scopes: Vec<String> = scopes.split(' ').map(str::to_owned).collect();
        scopes.sort_unstable();
        scopes
    };
    let (_, url) = login(&new_sandbox(), &clerk, &[]);
    assert_eq!(sorted(&param(&url, "scope").unwrap()), sorted(SCOPES), "without a word the same ones");
}

/// "`export CLERK_OAUTH_CLIENT_ID="..." # from step 1`, `export CLERK_ISSUER="https://…"`"
#[test]
fn the_two_variables_are_read_from_a_file() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let lines = format!(
        "export CLERK_OAUTH_CLIENT_ID=\"{CLIENT}\" # from step 1\nexport CLERK_ISSUER=\"{}\"\n",
        clerk.issuer()
    );
    let file = sandbox.file("clerk.env", &lines);
    sandbox.login(&["--env-file", &file]).play(approve).0.ok();
    assert_eq!(sandbox.record("default")["issuer"], clerk.issuer());
}

/// "Opens a browser, starts a one-shot localhost listener, exchanges the code, stores tokens in the OS
/// keychain. Returns the token set and userinfo."
#[test]
fn login_returns_the_token_set_and_the_user() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let (login, _) = login(&sandbox, &clerk, &["--json"]);
    let done = login.events().pop().unwrap();
    assert_eq!(sandbox.opened().len(), 1);
    assert_eq!((clerk.count(AUTHORIZE), clerk.count(TOKEN)), (1, 1));
    assert_eq!((&done["user"]["sub"], &done["user"]["email"]), (&json!(SUB), &json!(EMAIL)));
    let tokens = sandbox.run(&["token", "--json"]).ok().json();
    assert_eq!(tokens["token_type"], "Bearer", "Clerk says bearer");
    assert!(tokens["access_token"].as_str().unwrap().starts_with("oat_"));
    assert!(tokens["expires_at"].is_string());
    assert_eq!(tokens["scopes"], json!(["openid", "profile", "email", "offline_access"]));
}

/// "Returns the cached access token; …"
#[test]
fn the_access_token_is_cached() {
    let (sandbox, clerk) = signed_in();
    let token = sandbox.value(&["token"]);
    assert_eq!(sandbox.value(&["token"]), token);
    sandbox.let_expire_in("default", 45);
    assert_eq!(sandbox.value(&["token"]), token);
    assert!(clerk.requests().is_empty());
}

/// "… auto-refreshes when within 30s of expiry."
#[test]
fn within_30_seconds_of_its_end_it_is_renewed() {
    for seconds in [28, 0] {
        let (sandbox, clerk) = signed_in();
        let before = sandbox.record("default")["secret"].clone();
        sandbox.let_expire_in("default", seconds);
        assert_ne!(sandbox.value(&["token"]), before["access_tokens"][0]);
        let refresh = &clerk.requests_to(TOKEN)[0];
        assert_eq!(refresh.param("grant_type"), Some("refresh_token"));
        assert_eq!(refresh.param("refresh_token"), before["refresh_token"].as_str());
        let after = sandbox.record("default")["secret"]["refresh_token"].clone();
        assert_ne!(after, before["refresh_token"], "Clerk rotates");
        sandbox.value(&["token", "--refresh"]);
    }
}

/// Covers the remaining cases of `getAccessToken()`: it returns a token without an expiry, and none if the user is not
/// signed in, or if the token has expired and cannot be refreshed.
#[test]
fn a_token_without_an_end_is_handed_out_and_one_that_ended_is_not() {
    let (sandbox, clerk) = signed_in();
    let token = sandbox.value(&["token"]);
    sandbox.edit("default", |record| record["access"][0]["expires_at"] = Value::Null);
    assert_eq!(sandbox.value(&["token"]), token);
    sandbox.let_expire_in("default", 0);
    sandbox.edit("default", |record| record["secret"]["refresh_token"] = Value::Null);
    sandbox.run(&["token"]).fails(4, "has expired and cannot be refreshed", "hallpass login");
    new_sandbox().run(&["token"]).fails(4, "not signed in", "hallpass login");
    assert!(clerk.requests().is_empty());
}

/// Clerk ends a session with 401 and `invalid_grant`, not with RFC 6749's 400.
#[test]
fn a_session_that_clerk_ended_needs_a_login() {
    let (sandbox, clerk) = signed_in();
    clerk.end_sessions();
    for _ in 0..2 {
        sandbox.run(&["token", "--refresh"]).fails(4, "the server ended this session", "hallpass login");
    }
    assert_eq!(clerk.count(TOKEN), 1, "nobody asks twice");
}

/// "Reads the cached user. …"
#[test]
fn whoami_reads_the_cached_user() {
    let (sandbox, clerk) = signed_in();
    let whoami = sandbox.run(&["whoami"]).ok();
    assert!(whoami.stdout.starts_with(&format!("Logged in as: {EMAIL}\n")), "{whoami:#?}");
    assert!(clerk.requests().is_empty());
}

/// "… If no cache, fetches from /oauth/userinfo."
#[test]
fn whoami_without_a_cache_asks_userinfo_once() {
    let (sandbox, clerk) = signed_in();
    sandbox.edit("default", |record| {
        record["user"] = Value::Null;
        record["claims"] = json!({});
    });
    for _ in 0..2 {
        let user = sandbox.run(&["whoami", "--json"]).ok().json();
        assert_eq!((&user["sub"], &user["email"]), (&json!(SUB), &json!(EMAIL)));
    }
    let asked = clerk.requests_to(USERINFO);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].bearer(), Some(sandbox.value(&["token"]).as_str()));
}

/// Clerk's errors have a shape of their own; the document's code printed "HTTP 401" for them.
#[test]
fn an_error_of_clerks_is_told_in_its_words() {
    let (sandbox, clerk) = signed_in();
    clerk.always(USERINFO, clerk_error());
    let whoami = sandbox.run(&["whoami", "--fresh"]);
    whoami.fails(5, "The access token was revoked by an administrator", "");
    assert!(whoami.stderr.contains("trace_4711"), "{whoami:#?}");
}

/// "Clears keychain + cached userinfo."
#[test]
fn logout_clears_tokens_and_user() {
    let (sandbox, _clerk) = signed_in();
    sandbox.run(&["logout"]).ok();
    for (path, content) in sandbox.files() {
        let text = String::from_utf8(content).unwrap();
        assert!(!text.contains(CANARY) && !text.contains(EMAIL), "{}", path.display());
    }
    for verb in ["token", "whoami"] {
        sandbox.run(&[verb]).fails(4, "not signed in", "hallpass login");
    }
}

/// "1. CLI generates PKCE (code_verifier, code_challenge=S256(verifier)) + CSRF state."
#[test]
fn step_1_pkce_and_state() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let urls = [(); 2].map(|()| login(&sandbox, &clerk, &[]).1);
    for (url, exchange) in urls.iter().zip(clerk.requests_to(TOKEN)) {
        let verifier = exchange.param("code_verifier").unwrap();
        assert!((43..=128).contains(&verifier.len()));
        assert_eq!(param(url, "code_challenge"), Some(jose::s256(verifier)));
        assert!(param(url, "state").unwrap().len() >= 43);
    }
    for fresh in ["code_challenge", "state", "nonce"] {
        assert_ne!(param(&urls[0], fresh), param(&urls[1], fresh), "{fresh}");
    }
}

/// "2. CLI binds a one-shot HTTP server on 127.0.0.1:0 (random port)."
#[test]
fn step_2_a_listener_on_127_0_0_1_for_one_sign_in() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let call = sandbox.login(&["--issuer", clerk.issuer(), "--client-id", CLIENT]);
    let (login, port) = call.play(|url| {
        let port = redirect_uri(url).port().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(TcpStream::connect(("::1", port)).is_err());
        assert!(TcpStream::connect(("127.0.0.2", port)).is_err(), "not every address of this machine");
        approve(url);
        port
    });
    login.ok();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// "3. CLI opens browser to: `{issuer}/oauth/authorize?client_id=...&code_challenge=...
/// &redirect_uri=http://127.0.0.1:{port}/callback&state=...&code_challenge_method=S256`"
#[test]
fn step_3_the_address() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let (_, url) = login(&sandbox, &clerk, &[]);
    assert!(url.starts_with(&format!("{}/oauth/authorize?", clerk.issuer())), "{url}");
    let url = Url::parse(&url).unwrap();
    let mut names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    names.sort_unstable();
    let expected = [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ];
    assert_eq!(names, expected);
    let fixed = [("client_id", CLIENT), ("response_type", "code"), ("code_challenge_method", "S256")];
    for (name, value) in fixed {
        assert_eq!(param(url.as_str(), name).as_deref(), Some(value));
    }
}

/// "4. User signs in via Clerk's hosted UI and approves consent." — or does not.
#[test]
fn step_4_consent_that_is_not_given() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let call = sandbox.login(&["--issuer", clerk.issuer(), "--client-id", CLIENT]);
    let (login, page) = call.play(|url| browse(&callback(url, "error=access_denied&state={state}")).unwrap());
    login.fails(6, "access_denied", "run hallpass login again");
    assert_eq!((page.status, clerk.count(TOKEN)), (400, 0));
}

/// "5. Clerk redirects the browser to `http://127.0.0.1:{port}/callback?code=...&state=...`"
/// "6. Server validates state, responds with "You can close this tab", closes."
#[test]
fn steps_5_and_6_the_callback() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let call = sandbox.login(&["--issuer", clerk.issuer(), "--client-id", CLIENT]);
    let (login, (forged, page, uri)) = call.play(|url| {
        let forged = browse(&callback(url, "code=forged&state=forged")).unwrap();
        (forged, approve(url), redirect_uri(url))
    });
    login.ok();
    assert_eq!(forged.status, 400);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("You can close this tab"), "{}", page.body);
    assert_eq!(clerk.count(TOKEN), 1, "a forged code is not exchanged");
    assert!(browse(uri.as_str()).is_err(), "closed");
}

/// "7. CLI posts to `{issuer}/oauth/token` with grant_type=authorization_code + code_verifier."
#[test]
fn step_7_the_exchange() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let (_, url) = login(&sandbox, &clerk, &[]);
    let exchange = &clerk.requests_to(TOKEN)[0];
    let mut fields = exchange.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
    assert_eq!(exchange.param("grant_type"), Some("authorization_code"));
    assert_eq!(exchange.param("redirect_uri"), param(&url, "redirect_uri").as_deref());
    assert_eq!(exchange.header("content-type"), Some("application/x-www-form-urlencoded"));
}

/// "8. CLI stores the token set in the OS keychain (falls back to chmod 600 JSON file)." Here is no keychain,
/// so it is the file, whatever the umask, and it is said before the browser opens.
#[test]
fn step_8_a_json_file_of_mode_600_where_no_keychain_is() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let mut shell = Command::new("sh");
    let browser = format!("--browser={}", sandbox.browser());
    let at = ["login", &browser, "--issuer", clerk.issuer(), "--client-id", CLIENT];
    shell.args(["-c", "umask 0; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_hallpass")]).args(at);
    let login = sandbox.call(shell).play(approve).0.ok();
    let file = sandbox.record_file("default");
    let said =
        format!("Credentials will be saved in {}, not encrypted (no keychain available", file.display());
    assert!(login.stderr.starts_with(&said), "{login:#?}");
    assert!(sandbox.record("default")["secret"]["refresh_token"].is_string());
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    for path in sandbox.files().into_keys() {
        for path in path.ancestors().take_while(|path| *path != sandbox.home()) {
            assert_eq!(mode(path) & 0o077, 0, "{} is nobody else's", path.display());
        }
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// "10 tests across 4 files cover … localhost server happy path + state mismatch + timeout …" — the first two
/// are step 6.
#[test]
fn the_wait_ends_in_the_time_limit() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    let login =
        sandbox.login(&["--issuer", clerk.issuer(), "--client-id", CLIENT, "--timeout", "300ms"]).run();
    login.fails(7, "timed out after 300ms", "this redirect URI is registered: http://127.0.0.1:");
}

/// "… credential store round-trips … automated tests use memory and file stores." The file is every other
/// test here; memory is the library's.
#[test]
fn the_memory_store_keeps_everything_in_the_process() {
    let (sandbox, clerk) = (new_sandbox(), Arc::new(Provider::clerk()));
    let pass = Hallpass::builder("my-cli", clerk.issuer(), CLIENT)
        .storage(Storage::Memory)
        .environment(Environment::from_variables([("HOME", sandbox.home().to_str().unwrap())]))
        .browser(|url: &str| browse(url).map(drop).map_err(std::io::Error::other))
        .build()
        .unwrap();
    let session = pass.login(&mut Terminal::new(Box::new(std::io::sink()), false)).unwrap();
    assert_eq!(session.user().unwrap().email.as_deref(), Some(EMAIL));
    let token = pass.access_token().unwrap();
    assert_ne!(pass.force_refresh().unwrap().expose(), token.expose());
    assert_eq!(pass.whoami().unwrap().sub, SUB);
    assert!(pass.logout().unwrap().erased);
    assert!(pass.access_token().is_err());
    assert!(sandbox.is_untouched());
}

/// "No token revocation on logout. Logout only clears local storage; the refresh token remains valid on
/// Clerk's side until it expires or is explicitly revoked via /oauth/token/revoke." No longer.
#[test]
fn limit_1_logout_revokes_the_refresh_token() {
    let (sandbox, clerk) = signed_in();
    let refresh_token = sandbox.record("default")["secret"]["refresh_token"].as_str().unwrap().to_owned();
    let logout = sandbox.run(&["logout", "--json"]).ok().json();
    let revoked = json!({"refresh_token": "revoked", "access_token": "unsupported"});
    assert_eq!(logout["revoked"], revoked, "Clerk revokes no access tokens");
    let asked = &clerk.requests_to("/oauth/token/revoke")[0];
    assert_eq!(asked.param("token"), Some(refresh_token.as_str()));
    assert_eq!(asked.param("token_type_hint"), Some("refresh_token"));
    assert_eq!((asked.param("client_id"), asked.header("authorization")), (Some(CLIENT), None));
    assert_eq!(refresh(&clerk, &refresh_token), 401, "it is dead on Clerk's side");
}

/// Clerk's response to a client that kept a copy of the token.
fn refresh(clerk: &Provider, token: &str) -> u16 {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    let form = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token)];
    let url = format!("{}{TOKEN}", clerk.issuer());
    config.build().new_agent().post(url).send_form(form).unwrap().status().as_u16()
}

/// The same limit: where Clerk cannot be told, that is said, and the tokens are gone from here all the same.
#[test]
fn limit_1_a_revocation_that_fails_is_told() {
    let (sandbox, clerk) = signed_in();
    clerk.always(clerk.revoke_path(), Response::empty(503));
    let logout = sandbox.run(&["logout"]);
    assert_eq!((logout.code, logout.stdout.as_str()), (5, ""));
    assert!(
        logout.stderr.contains("the server did not confirm that the tokens were revoked: "),
        "{logout:#?}"
    );
    assert!(!sandbox.record_file("default").exists());
}

/// "Keychain path is tested structurally, not in CI. Keychain access triggers OS credential-manager prompts in
/// headless environments". Nothing here ever asks: no terminal, no display, no session bus, and every verb
/// ends by itself.
#[test]
fn limit_2_nothing_prompts_where_nobody_can_answer() {
    let (sandbox, _clerk) = signed_in();
    for verb in [&["token"][..], &["token", "--refresh"], &["whoami"], &["status"], &["logout"]] {
        let outcome = sandbox.run(verb).ok();
        assert!(outcome.took < Duration::from_secs(3), "{outcome:#?}");
    }
}

/// "The localhost-callback flow needs an open port, which doesn't work for CI, containers, or SSH sessions."
/// Clerk offers no device grant. A job there is given its token, and needs neither port nor browser.
#[test]
fn limit_3_a_job_without_a_browser_is_given_its_token() {
    let (sandbox, clerk) = signed_in();
    let token = sandbox.value(&["token"]);
    let job = new_sandbox();
    let given = |args: &[&str]| job.hallpass(args).env("HALLPASS_ACCESS_TOKEN", &token).run().ok();
    assert_eq!(given(&["token", "--header"]).value(), format!("Authorization: Bearer {token}"));
    assert!(job.is_untouched());
    assert!(clerk.requests().is_empty());
}

/// Clerk's metadata has a document by OpenID and one by RFC 8414; only the first knows userinfo.
#[test]
fn the_endpoints_are_found_and_not_guessed() {
    let (sandbox, clerk) = (new_sandbox(), Provider::clerk());
    login(&sandbox, &clerk, &[]);
    assert_eq!(clerk.count(OPENID_CONFIGURATION), 1);
    let at = |path: &str| json!(format!("{}{path}", clerk.issuer()));
    let endpoints = sandbox.record("default")["endpoints"].clone();
    for (name, path) in [("token", TOKEN), ("userinfo", USERINFO), ("revocation", "/oauth/token/revoke")] {
        assert_eq!(endpoints[name], at(path));
    }
}
