//! Whatever is wrong: one `error:` line, one `hint:` line, the published exit code, no browser without need,
//! nothing half-stored, and an older sign-in that is there byte for byte and still works.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, Invocation, Outcome, browse, callback, param, visit};
use hallpass_test::ports::{free_port, is_free};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use rustix::process::Signal;
use serde_json::json;

use crate::new_sandbox;
use crate::users::{NOBODY, as_user, give_home, is_root};

const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";

fn server() -> DevServer {
    DevServer::start().unwrap()
}

/// A signed-in user, and the files that must not change.
struct SignedIn {
    sandbox: CommandSandbox,
    server: DevServer,
    token: String,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl SignedIn {
    fn new() -> SignedIn {
        let (sandbox, server) = (new_sandbox(), server());
        sandbox.sign_in(&server, &[]);
        let token = sandbox.value(&["token"]);
        let before = sandbox.files();
        SignedIn { sandbox, server, token, before }
    }

    /// Locks are files too, but hold nothing.
    #[track_caller]
    fn is_as_before(&self) {
        let mut after = self.sandbox.files();
        after.retain(|path, content| self.before.contains_key(path) || !content.is_empty());
        assert_eq!(after, self.before);
        assert_eq!(self.sandbox.value(&["token"]), self.token);
        assert_ne!(self.sandbox.value(&["token", "--refresh"]), self.token);
    }

    /// A login that would put another server's session in the place of this one.
    fn replace_by(&self, issuer: &str) -> Outcome {
        let to = ["--profile", "default", "--replace", "--issuer", issuer, "--client-id", CLIENT];
        self.sandbox.login(&to).run()
    }

    fn was_opened(&self) -> usize {
        self.sandbox.opened().len() - 1
    }
}

#[test]
fn what_is_missing_or_wrong_on_the_command_line_is_named() {
    let sandbox = new_sandbox();
    let table: &[(&[&str], &str, &str)] = &[
        (&[], "no issuer is set", "hallpass login --issuer https://login.example.com --client-id ID"),
        (&["--client-id", "x"], "no issuer", "--issuer"),
        (
            &["--issuer", "https://login.example.com"],
            "no client ID for https://login.example.com",
            "--client-id ID",
        ),
        (&["--issuer", "nope", "--client-id", "x"], "issuer: \"nope\" is not a URL", "--issuer https://"),
        (&["--issuer", "http://login.example.com", "--client-id", "x"], "must be https", "--issuer https://"),
        (
            &["--issuer", "https://a.example/?t=1", "--client-id", "x"],
            "must not contain a query",
            "--issuer https://",
        ),
        (
            &["--issuer", "https://a.example", "--client-id", " "],
            "client_id: must not be empty",
            "--client-id",
        ),
        (&["--profile", "../x"], "profile: ", "--profile"),
        (&["--profile", "Work"], "profile: ", "--profile"),
        (&["--env-file", "none.env"], "cannot read none.env: ", "path"),
    ];
    for (args, error, hint) in table {
        sandbox.login(args).run().fails(2, error, hint);
    }
    let at = ["--issuer", "https://a.example", "--client-id", "x"];
    let table: &[(&[&str], &str, &str)] = &[
        (
            &["--redirect-uri", "https://example.com/cb"],
            "redirect_uri: \"https://example.com/cb\" must be an http:// URL on this computer",
            "--redirect-uri",
        ),
        (
            &["--redirect-uri", "http://192.168.0.7/cb"],
            "must point to 127.0.0.1, [::1] or localhost",
            "--redirect-uri",
        ),
        (&["--redirect-uri", "http://localhost.evil.example/cb"], "must point to", "--redirect-uri"),
        (&["--redirect-uri", "http://127.0.0.1:99999/cb"], "has no usable port", "--redirect-uri"),
        (&["--redirect-uri", "http://127.0.0.1/cb?x=1"], "must not contain a query", "--redirect-uri"),
        (&["--scope", "a\"b"], "scope: ", "--scope"),
        (&["--resource", "api"], "resource: must be an absolute URI", "--resource"),
        (&["--endpoint", "tokens=https://a.example/t"], "endpoint: ", "--endpoint"),
        (&["--endpoint", "token=http://a.example/t"], "endpoint: ", "--endpoint"),
        (&["--client-secret-file", "none"], "cannot read ", "path"),
    ];
    for (args, error, hint) in table {
        sandbox.login(&[&at[..], args].concat()).run().fails(2, error, hint);
    }
    assert!(sandbox.opened().is_empty() && sandbox.files().is_empty());
}

#[test]
fn an_option_that_cannot_be_read_is_told_how_to_write_it() {
    let sandbox = new_sandbox();
    let table: &[(&[&str], &str)] = &[
        (&["login", "--timeout", "soon"], "expected a duration such as 90s, 5m or 1h30m"),
        (&["token", "--min-ttl", "10"], "expected a duration such as 90s, 5m or 1h30m"),
        (&["dev", "--token-ttl", "never"], "expected a duration such as 90s, 5m or 1h30m"),
        (&["login", "--listen", "9999"], "expected IP:PORT, such as 0.0.0.0:9999"),
        (&["login", "--prompt", ""], "a value is required for '--prompt <VALUE>'"),
        (&["login", "--account", ""], "a value is required for '--account <ACCOUNT>'"),
        (&["login", "--replace"], "not provided: --profile <NAME>"),
        (&["profiles", "move", "a"], "not provided: --storage <KIND>"),
    ];
    for (args, told) in table {
        let error = sandbox.run(&[args, &["--json"][..]].concat()).fails_as_json(2, "usage");
        assert!(error["error"]["message"].as_str().unwrap().contains(told), "{error}");
    }
}

#[test]
fn a_development_server_names_the_redirect_uri_that_could_never_match_and_what_is_allowed() {
    let sandbox = new_sandbox();
    for uri in [
        "http://127.1/cb",
        "http://0x7f.1/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://tool.example/cb",
        "https://tool.example/cb#x",
        "mytool:/cb",
        "cb",
    ] {
        let client = format!("--client=x=http://127.0.0.1/cb,{uri}");
        let dev = sandbox.run(&["dev", "--port", "0", &client]);
        let error = format!(
            "redirect URI \"{uri}\" cannot be registered; use http://127.0.0.1 or http://[::1] (any port), "
        );
        dev.fails(2, &error, "--client mytool=http://127.0.0.1/callback");
        assert_eq!(dev.stderr.lines().count(), 2, "{dev:#?}");
        let as_json = sandbox.run(&["dev", "--json", "--port", "0", &client]).fails_as_json(2, "usage");
        assert!(as_json["error"]["message"].as_str().unwrap().contains(&error), "{as_json}");
    }
}

#[test]
fn a_parameter_that_hallpass_sets_or_that_would_change_the_request_is_refused() {
    let sandbox = new_sandbox();
    for name in [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        "response_mode",
        "client_secret",
    ] {
        let given = format!("{name}=x");
        let login =
            sandbox.login(&["--issuer", "https://a.example", "--client-id", "x", "--param", &given]).run();
        login.fails(2, &format!("param: \"{name}\" is set by Hallpass"), "--param");
    }
    assert!(sandbox.opened().is_empty() && sandbox.files().is_empty());
}

#[test]
fn a_parameter_of_the_servers_own_goes_into_the_address() {
    let (sandbox, server) = (new_sandbox(), server());
    let (login, url) =
        sandbox.login_at(&server, &["--param", "audience=https://api.example.com"]).play(|url| {
            visit(&server, url);
            url.to_owned()
        });
    login.ok();
    assert_eq!(param(&url, "audience").as_deref(), Some("https://api.example.com"));
}

#[test]
fn a_storage_that_does_not_exist_is_refused() {
    let sandbox = new_sandbox();
    let login = sandbox.login(&["--storage", "cloud"]).run();
    assert_eq!(login.code, 2);
    assert!(login.stderr.contains("error: invalid value 'cloud' for '--storage <KIND>'"), "{login:#?}");
    let login = sandbox.login(&[]).env("HALLPASS_STORAGE", "cloud").run();
    login.fails(2, "invalid HALLPASS_STORAGE \"cloud\" (expected one of: auto, keychain, file)", "unset it");
    assert!(sandbox.is_untouched());
}

#[test]
fn a_storage_that_exists_is_used_and_said() {
    for kind in ["auto", "file"] {
        let (sandbox, server) = (new_sandbox(), server());
        let login = sandbox.sign_in(&server, &["--storage", kind]);
        assert!(login.stderr.starts_with("Credentials will be saved in "), "{login:#?}");
    }
}

#[test]
fn an_env_file_with_a_line_that_makes_no_sense_is_refused_by_its_number() {
    let sandbox = new_sandbox();
    let file = sandbox.file(".env", "CLIENT_ID=x\n\nwhat is this\n");
    sandbox.login(&["--env-file", &file]).run().fails(2, "line 3 is not of the form NAME=value", "correct");
    assert!(sandbox.opened().is_empty() && sandbox.files().is_empty());
}

#[test]
fn what_else_an_env_file_holds_is_named_and_has_no_effect() {
    let (sandbox, server) = (new_sandbox(), server());
    let text = format!(
        "ISSUER={}\nCLIENT_ID={CLIENT}\nPATH=/nonexistent\nHALLPASS_STATE_DIR=/nonexistent\nBROWSER=/nonexistent\n",
        server.issuer()
    );
    let file = sandbox.file(".env", &text);
    let login = sandbox.login(&["--env-file", &file]).play(|url| visit(&server, url)).0.ok();
    let note = format!("Note: ignored in {file}: PATH, HALLPASS_STATE_DIR, BROWSER\n");
    assert!(login.stderr.starts_with(&note), "{login:#?}");
}

#[test]
fn n78_an_env_file_that_nobody_named_is_not_read() {
    let sandbox = new_sandbox();
    sandbox.file(".env", "ISSUER=https://a.example\nCLIENT_ID=x\n");
    sandbox.login(&[]).run().fails(2, "no issuer", "--issuer");
}

#[test]
fn a_server_that_cannot_be_reached_is_no_reason_to_lose_a_sign_in() {
    let one = SignedIn::new();
    let issuer = format!("http://127.0.0.1:{}", free_port());
    let login = one.replace_by(&issuer);
    login.fails(5, "could not connect to 127.0.0.1:", "check the URL");
    assert_eq!(one.was_opened(), 0);
    one.is_as_before();
}

#[test]
fn a_server_that_publishes_no_metadata_is_named_with_what_was_asked() {
    let one = SignedIn::new();
    let other = ScriptedServer::start();
    let page = Response::html(200, "<!doctype html><title>Welcome to the hotel</title>");
    for path in [OPENID_CONFIGURATION, "/.well-known/oauth-authorization-server"] {
        other.always(path, page.clone());
    }
    let login = one.replace_by(&other.origin());
    login.fails(
        3,
        &format!("{} publishes no usable metadata", other.origin()),
        "--endpoint authorization=URL",
    );
    assert!(login.stderr.contains(OPENID_CONFIGURATION) && !login.stderr.contains("hotel"), "{login:#?}");
    assert_eq!(one.was_opened(), 0);
    one.is_as_before();
}

#[test]
fn the_metadata_of_another_issuer_is_not_used() {
    let one = SignedIn::new();
    let (other, found) = (ScriptedServer::start(), one.server.issuer());
    let metadata = json!({
        "issuer": found,
        "authorization_endpoint": format!("{found}/authorize"),
        "token_endpoint": format!("{found}/token"),
    });
    other.always(OPENID_CONFIGURATION, Response::json(200, &metadata));
    let login = one.replace_by(&other.origin());
    let error = format!("the metadata is for another issuer: expected {}, found {found}", other.origin());
    login.fails(3, &error, "nothing was saved");
    assert_eq!(one.was_opened(), 0);
    one.is_as_before();
}

#[test]
fn an_issuer_in_trouble_is_one_to_ask_again() {
    let sandbox = new_sandbox();
    let other = ScriptedServer::start();
    for path in [OPENID_CONFIGURATION, "/.well-known/oauth-authorization-server"] {
        other.always(path, Response::empty(503));
    }
    let login = sandbox.login(&["--issuer", &other.origin(), "--client-id", "x"]).run();
    login.fails(5, "responded with HTTP 503", "try again");
    assert!(sandbox.opened().is_empty());
}

#[test]
fn p01_a_fixed_port_that_is_taken_is_told_at_once() {
    let one = SignedIn::new();
    for (taken, host) in [("127.0.0.1", "127.0.0.1"), ("::1", "localhost")] {
        let port = free_port();
        let _other_program = TcpListener::bind((taken, port)).unwrap();
        let uri = format!("http://{host}:{port}/callback");
        let login = one.sandbox.login(&["--redirect-uri", &uri]).run();
        login.fails(2, &format!("port {port} on {host} (in use by another program)"), "--redirect-uri URI");
        assert!(login.took < Duration::from_secs(1), "{login:#?}");
    }
    assert_eq!(one.was_opened(), 0);
    one.is_as_before();
}

#[test]
fn p01_the_next_redirect_uri_is_tried_where_a_port_is_taken() {
    let (sandbox, server) = (new_sandbox(), server());
    let (taken, free) = (free_port(), free_port());
    let _other_program = TcpListener::bind(("127.0.0.1", taken)).unwrap();
    let [first, second] = [taken, free].map(|port| format!("http://127.0.0.1:{port}/callback"));
    let login = sandbox.login_at(&server, &["--redirect-uri", &first, "--redirect-uri", &second]);
    let (login, visit) = login.play(|url| visit(&server, url));
    login.ok();
    assert_eq!(visit.landed.port(), Some(free));
}

#[test]
fn a_denied_consent_ends_the_login_with_the_servers_word() {
    let one = SignedIn::new();
    let (login, visit) = one.sandbox.login(&[]).play(|url| one.server.robot().deny().visit(url).unwrap());
    login.fails(6, "sign-in was refused: access_denied", "run hallpass login again");
    assert_eq!(visit.status, 400);
    one.is_as_before();
}

#[test]
fn a_client_that_the_server_does_not_know_ends_in_the_time_limit_with_the_address_to_register() {
    let (sandbox, server) = (new_sandbox(), server());
    let login = sandbox.login(&["--issuer", server.issuer(), "--client-id", "nobody", "--timeout", "1s"]);
    let (login, visit) = login.play(|url| server.robot().visit(url));
    assert!(visit.is_err(), "the server shows the error in the browser");
    login.fails(7, "timed out after 1s", "this redirect URI is registered: http://127.0.0.1:");
    assert!(sandbox.files().values().all(Vec::is_empty));
}

#[test]
fn n34_p12_a_closed_tab_ends_in_the_time_limit_and_names_the_redirect_uri() {
    let one = SignedIn::new();
    let login = one.sandbox.login(&["--timeout", "300ms"]).run();
    let url = login.stderr.lines().find(|line| line.starts_with("http://")).unwrap();
    let hint =
        format!("this redirect URI is registered: {}; if your browser", param(url, "redirect_uri").unwrap());
    login.fails(7, "timed out after 300ms waiting for the sign-in", &hint);
    assert!(login.took < Duration::from_millis(1300), "{login:#?}");
    one.is_as_before();
}

#[test]
fn a_forged_callback_ends_nothing_and_is_counted() {
    let (sandbox, server) = (new_sandbox(), server());
    let login = sandbox.login_at(&server, &[]).play(|url| {
        assert_eq!(browse(&callback(url, "code=evil&state=wrong")).unwrap().status, 400);
        assert_eq!(browse(&callback(url, "error=access_denied")).unwrap().status, 400);
        visit(&server, url)
    });
    let line = "Ignored a callback from another sign-in. Still waiting.\n";
    assert_eq!(login.0.ok().stderr.matches(line).count(), 2);
    let login =
        sandbox.login(&["--timeout", "2s"]).play(|url| browse(&callback(url, "state=wrong")).unwrap());
    login.0.fails(7, "timed out", "ignored 1 callback of another sign-in; check");
}

#[test]
fn n34_p13_a_signal_ends_the_wait_at_once_and_frees_the_port() {
    let one = SignedIn::new();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut login = one.sandbox.login(&[]).start();
        let port = port_of(&login.url());
        assert!(!is_free(("127.0.0.1", port)));
        let begun = Instant::now();
        login.signal(signal);
        let login = login.finish();
        assert!(begun.elapsed() < Duration::from_secs(1), "{login:#?}");
        assert_eq!((login.code, login.stdout.as_str()), (code, ""), "{login:#?}");
        assert!(login.stderr.ends_with("\nCancelled; nothing was changed.\n"), "{login:#?}");
        assert!(is_free(("127.0.0.1", port)));
    }
    one.is_as_before();
}

#[test]
fn p67_with_json_a_signal_is_an_error_event_with_its_own_exit_code() {
    let (sandbox, server) = (new_sandbox(), server());
    let mut login = sandbox.login_at(&server, &["--json"]).start();
    login.url();
    login.signal(Signal::TERM);
    let login = login.finish();
    let last = login.fails_as_json(143, "interrupted");
    assert_eq!(last["event"], "error");
}

#[test]
fn n34_p13_a_signal_ends_the_wait_for_a_server_that_does_not_answer() {
    let sandbox = new_sandbox();
    let silent = ScriptedServer::start();
    silent.always(OPENID_CONFIGURATION, Response::never());
    let login = sandbox.login(&["--issuer", &silent.origin(), "--client-id", "x"]).start();
    while silent.count(OPENID_CONFIGURATION) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    let begun = Instant::now();
    login.signal(Signal::INT);
    let login = login.finish();
    assert_eq!((login.code, login.stdout.as_str()), (130, ""), "{login:#?}");
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(sandbox.opened().is_empty());
}

#[test]
fn p67_with_json_a_failed_login_ends_with_an_error_event() {
    let (sandbox, server) = (new_sandbox(), server());
    let login = sandbox.login_at(&server, &["--json"]).play(|url| server.robot().deny().visit(url).unwrap());
    let last = login.0.fails_as_json(6, "denied");
    assert_eq!(last["event"], "error");
    let events = login.0.events();
    assert!(events.iter().all(|event| event["event"] != "done"), "{events:#?}");
}

#[test]
fn a_store_that_cannot_be_made_is_found_out_before_the_browser_opens() {
    let (sandbox, server) = (new_sandbox(), server());
    fs::create_dir(sandbox.home().join(".local")).unwrap();
    fs::write(sandbox.home().join(".local/state"), "no folder").unwrap();
    let login = sandbox.login_at(&server, &[]).run();
    login.fails(8, &sandbox.record_file("default").display().to_string(), "HALLPASS_STATE_DIR=/path");
    assert!(sandbox.opened().is_empty());
    assert_eq!(server.journal().entries().len(), 0, "the server is not bothered");
    sandbox
        .login_at(&server, &[])
        .env("HALLPASS_STATE_DIR", sandbox.beside("state").to_str().unwrap())
        .play(|url| visit(&server, url))
        .0
        .ok();
}

#[test]
fn settings_that_cannot_be_written_are_found_out_before_the_browser_opens() {
    let (sandbox, server) = (new_sandbox(), server());
    symlink("/nonexistent/config", sandbox.home().join(".config")).unwrap();
    let login = sandbox.login_at(&server, &[]).run();
    login.fails(
        8,
        &format!("cannot write {}: ", sandbox.settings_file("default").display()),
        "XDG_CONFIG_HOME=/path",
    );
    assert!(sandbox.opened().is_empty());
    assert!(!sandbox.record_file("default").exists());
    let elsewhere = sandbox.beside("config");
    sandbox
        .login_at(&server, &[])
        .env("XDG_CONFIG_HOME", elsewhere.to_str().unwrap())
        .play(|url| visit(&server, url))
        .0
        .ok();
}

#[test]
fn p41_a_home_that_cannot_be_written_is_found_out_before_the_browser_opens() {
    let (sandbox, server) = (new_sandbox(), server());
    let login = ["login", "--browser=/bin/false", "--issuer", server.issuer(), "--client-id", CLIENT];
    let Some(login) = in_a_read_only_home(&sandbox, &login) else { return };
    let login = login.run();
    login.fails(8, "ermission denied", "make the directory writable, or choose another one: ");
    assert!(!login.stderr.contains("Opening browser"), "{login:#?}");
    assert!(sandbox.files().is_empty());
}

#[test]
fn p41_a_session_in_a_read_only_home_still_gives_its_token() {
    let one = SignedIn::new();
    let give = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let Some(token) = in_a_read_only_home(&one.sandbox, &["token"]) else { return };
    if is_root() {
        give_home(&one.sandbox, NOBODY);
    }
    let store = one.sandbox.record_file("default").parent().unwrap().to_owned();
    give(&store, 0o500);
    assert_eq!(token.run().ok().value(), one.token);
    let logout = in_a_read_only_home(&one.sandbox, &["logout"]).unwrap().run();
    logout.fails(8, "permission denied", "");
    [store, one.sandbox.home()].iter().for_each(|dir| give(dir, 0o700)); // so that it can be cleared away
}

#[test]
fn without_any_home_the_variables_that_help_are_named() {
    const NOBODY_AT_ALL: u32 = 54_321; // no account has this number, so the system knows no home for it
    let sandbox = new_sandbox();
    let args = ["login", "--browser=/bin/false", "--issuer", "https://a.example", "--client-id", "x"];
    let Some(login) = as_user(&sandbox, NOBODY_AT_ALL, &args) else { return };
    login.without_env("HOME").run().fails(8, "the home directory is unknown", "HALLPASS_STATE_DIR");
    let token = as_user(&sandbox, NOBODY_AT_ALL, &["token"]).unwrap().without_env("HOME").run();
    token.fails(8, "the home directory is unknown", "HALLPASS_STATE_DIR");
    let state = sandbox.beside("state");
    fs::create_dir(&state).unwrap();
    std::os::unix::fs::chown(&state, Some(NOBODY_AT_ALL), None).unwrap();
    let token = as_user(&sandbox, NOBODY_AT_ALL, &["token"]).unwrap().without_env("HOME");
    let token = token.env("HALLPASS_STATE_DIR", state.to_str().unwrap()).run();
    token.fails(4, "not signed in", "hallpass login");
}

#[test]
fn a_corrupt_record_is_named_kept_and_set_aside_by_the_next_login() {
    let one = SignedIn::new();
    let path = one.sandbox.record_file("default");
    fs::write(&path, "{\"version\": 1, CANARY").unwrap();
    let error = format!("{} is not a valid session record (line 1", path.display());
    for verb in ["token", "whoami"] {
        let failure = one.sandbox.run(&[verb]);
        failure.fails(
            8,
            &error,
            "hallpass login moves it aside and starts fresh; hallpass logout deletes it",
        );
        assert!(!failure.stderr.contains("CANARY"));
    }
    let status = one.sandbox.run(&["status"]);
    assert_eq!(status.code, 8);
    assert!(status.stdout.contains(&error), "{status:#?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"version\": 1, CANARY");
    one.sandbox.login(&[]).play(|url| visit(&one.server, url)).0.ok();
    let kept = one.sandbox.files().into_values().filter(|content| content.ends_with(b"CANARY")).count();
    assert_eq!(kept, 1);
    one.sandbox.value(&["token"]);
}

#[test]
fn p70_logout_erases_what_it_cannot_read_and_says_that_nothing_was_revoked() {
    let one = SignedIn::new();
    let path = one.sandbox.record_file("default");
    fs::write(&path, "{").unwrap();
    let logout = one.sandbox.run(&["logout"]);
    assert_eq!((logout.code, logout.stdout.as_str()), (5, ""));
    assert!(logout.stderr.contains("the server did not confirm that the tokens were revoked"), "{logout:#?}");
    assert!(!path.exists());
    one.sandbox.run(&["logout"]).ok();
}

#[test]
fn a_record_of_a_newer_version_is_read_only() {
    let one = SignedIn::new();
    one.sandbox.edit("default", |record| record["version"] = json!(2));
    let before = one.sandbox.record_bytes("default");
    for args in [&["token", "--refresh"][..], &["login"]] {
        one.sandbox.run(args).fails(8, "was written by a newer version (format 2)", "use the newer hallpass");
    }
    assert!(one.sandbox.run(&["token"]).ok().stderr.contains("was written by a newer version (format 2)"));
    for args in [&["whoami"][..], &["status"]] {
        one.sandbox.run(args).ok();
    }
    assert_eq!(one.was_opened(), 0);
    assert_eq!(one.sandbox.record_bytes("default"), before);
}

#[test]
fn settings_that_cannot_be_read_are_named_and_do_not_keep_anybody_from_a_stored_token() {
    let one = SignedIn::new();
    let settings = one.sandbox.settings_file("default");
    let broken = [
        (settings.clone(), "issuer = \n"),
        (one.sandbox.config_dir().join("config.toml"), "issuer = \n"),
        (one.sandbox.config_dir().join("config.toml"), "isuer = \"https://a.example\"\n"),
    ];
    for (path, text) in broken {
        let before = fs::read(&path).ok();
        fs::write(&path, text).unwrap();
        let error = format!("cannot parse {}: ", path.display());
        one.sandbox.login(&[]).run().fails(2, &error, "correct");
        assert_eq!(one.sandbox.value(&["token"]), one.token);
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    assert_eq!(one.was_opened(), 0);
    one.is_as_before();
}

/// A newer Hallpass may write settings that this one does not know: unlike a mistake of the person's own
/// hand in `config.toml`, they are passed over with a note, and are still there after the next login.
#[test]
fn settings_of_a_newer_version_are_kept() {
    let one = SignedIn::new();
    let settings = one.sandbox.settings_file("default");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("sender_constraint = \"dpop\"\n{text}\n[later]\na = [1]\n")).unwrap();
    assert_ne!(one.sandbox.value(&["token", "--refresh"]), one.token);
    let login = one.sandbox.login(&[]).play(|url| visit(&one.server, url)).0.ok();
    let note = format!(
        "Note: {} has settings that this version does not know: later, sender_constraint\n",
        settings.display()
    );
    assert!(login.stderr.contains(&note), "{login:#?}");
    let after: toml::Table = fs::read_to_string(&settings).unwrap().parse().unwrap();
    assert_eq!(after["sender_constraint"].as_str(), Some("dpop"));
    assert_eq!(after["later"]["a"][0].as_integer(), Some(1));
}

fn port_of(url: &str) -> u16 {
    url::Url::parse(&param(url, "redirect_uri").unwrap()).unwrap().port().unwrap()
}

/// The command for somebody who may read the home and not write into it.
fn in_a_read_only_home<'a>(sandbox: &'a CommandSandbox, args: &[&str]) -> Option<Invocation<'a>> {
    if is_root() {
        return as_user(sandbox, NOBODY, args);
    }
    fs::set_permissions(sandbox.home(), fs::Permissions::from_mode(0o500)).unwrap();
    Some(sandbox.hallpass(args))
}
