//! The published exit codes, verb by verb: a script goes by them, so no row of these tables may ever change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, Outcome, browse, callback};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::{Value, json};

use crate::new_sandbox;

/// All that there are, but for the signals' own.
const PUBLISHED: [i32; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const OF_SIGNALS: [i32; 3] = [130, 143, 129];

/// `exec` alone has it (tests of `exec`).
const NOT_STARTED: i32 = 125;

/// The arguments, the exit code and the kind of the failure; `None` if it prints its result all the same.
type Row = (&'static str, i32, Option<&'static str>);

/// A home in which something is the case, as it is before every call.
struct HomeSetup {
    sandbox: CommandSandbox,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl HomeSetup {
    fn of(sandbox: CommandSandbox) -> HomeSetup {
        let before = sandbox.files();
        HomeSetup { sandbox, before }
    }

    fn restore(&self) {
        for path in self.sandbox.files().keys().filter(|path| !self.before.contains_key(*path)) {
            fs::remove_file(path).unwrap();
        }
        self.before.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    }

    fn call(&self, line: &str, more: &[&str]) -> Outcome {
        self.restore();
        let words: Vec<&str> = line.split_whitespace().chain(more.iter().copied()).collect();
        match words[0] {
            "login" => self.sandbox.login(&words[1..]).run(),
            _ => self.sandbox.run(&words),
        }
    }

    /// Each row in words and as JSON, with the same code.
    fn must_be(&self, rows: &[Row]) {
        for (line, code, kind) in rows {
            let (words, json) = (self.call(line, &[]), self.call(line, &["--json"]));
            assert_eq!((words.code, json.code), (*code, *code), "{line}: {words:#?}");
            match kind {
                Some(kind) => {
                    is_told(&words);
                    is_a_failure(&json.fails_as_json(*code, kind), line.starts_with("login"));
                }
                None => assert!(!words.stderr.contains("error: "), "{line}: {words:#?}"),
            }
        }
    }
}

/// On stderr alone, and with what to do: a hint, or where the usage is.
fn is_told(words: &Outcome) {
    let count = |start: &str| words.stderr.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((words.stdout.as_str(), count("error: ")), ("", 1), "{words:#?}");
    assert!(count("hint: ") == 1 || words.stderr.contains("--help"), "{words:#?}");
}

/// One object of four members, and nothing that a later version might have to take away.
fn is_a_failure(line: &Value, is_event: bool) {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let expected: &[&str] = if is_event { &["error", "event"] } else { &["error"] };
    assert_eq!(names(line), expected.iter().map(|name| (*name).to_owned()).collect(), "{line}");
    let error = &line["error"];
    assert_eq!(names(error), ["code", "hint", "kind", "message"].map(str::to_owned).into(), "{line}");
    assert!(error["hint"].is_string() || error["hint"].is_null());
    assert!(!error["message"].as_str().unwrap().is_empty());
}

fn signed_in() -> (CommandSandbox, DevServer) {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    (sandbox, server)
}

const USAGE: Option<&str> = Some("usage");
const LOGIN_REQUIRED: Option<&str> = Some("login_required");
const NETWORK: Option<&str> = Some("network");
const STORE: Option<&str> = Some("store");

#[test]
fn p67_nobody_is_signed_in() {
    HomeSetup::of(new_sandbox()).must_be(&[
        ("token", 4, LOGIN_REQUIRED),
        ("token --refresh", 4, LOGIN_REQUIRED),
        ("token --id-token", 4, LOGIN_REQUIRED),
        ("token --min-ttl 5m", 4, LOGIN_REQUIRED),
        ("token --profile other", 4, LOGIN_REQUIRED),
        ("whoami", 4, LOGIN_REQUIRED),
        ("whoami --fresh", 4, LOGIN_REQUIRED),
        ("status", 4, None),
        ("status --check", 4, None),
        ("logout", 0, None),
        ("logout --all", 0, None),
        ("profiles list", 0, None),
        ("profiles use other", 2, USAGE),
        ("profiles remove other", 2, USAGE),
        ("login", 2, USAGE),
    ]);
}

#[test]
fn p67_what_is_no_usage() {
    let (sandbox, server) = signed_in();
    HomeSetup::of(sandbox).must_be(&[
        ("token --frobnicate", 2, USAGE),
        ("whoami --frobnicate", 2, USAGE),
        ("status --frobnicate", 2, USAGE),
        ("logout --frobnicate", 2, USAGE),
        ("profiles frobnicate", 2, USAGE),
        ("login --frobnicate", 2, USAGE),
        ("token --profile ../x", 2, USAGE),
        ("whoami --profile ../x", 2, USAGE),
        ("status --profile ../x", 2, USAGE),
        ("logout --profile ../x", 2, USAGE),
        ("login --profile ../x", 2, USAGE),
        ("token --issuer https://other.example --client-id x", 2, USAGE),
        ("whoami --issuer https://other.example --client-id x", 2, USAGE),
        ("logout --issuer https://other.example --client-id x", 2, USAGE),
        ("login --redirect-uri https://a.example/", 2, USAGE),
        ("login --scope a\"b", 2, USAGE),
    ]);
    drop(server);
}

#[test]
fn p67_the_server_is_gone() {
    let (sandbox, server) = signed_in();
    sandbox.let_expire_in("default", 0);
    drop(server);
    HomeSetup::of(sandbox).must_be(&[
        ("token", 5, NETWORK),
        ("token --refresh", 5, NETWORK),
        ("token --min-ttl 5m", 5, NETWORK),
        ("whoami", 0, None),
        ("whoami --fresh", 5, NETWORK),
        ("status", 0, None),
        ("status --check", 5, None),
        ("doctor", 5, None),
        ("login", 5, NETWORK),
        ("logout", 5, None),
    ]);
}

#[test]
fn p67_the_server_ended_the_session() {
    let (sandbox, server) = signed_in();
    sandbox.let_expire_in("default", 0);
    sandbox.edit("default", |record| record["secret"]["refresh_token"] = json!("never given"));
    let setup = HomeSetup::of(sandbox);
    let rows = [
        ("token", 4, LOGIN_REQUIRED),
        ("token --refresh", 4, LOGIN_REQUIRED),
        ("whoami", 0, None),
        ("whoami --fresh", 4, LOGIN_REQUIRED),
        ("status --check", 4, None),
        ("logout", 0, None),
    ];
    setup.must_be(&rows);
    // From now on nobody has to be asked for it.
    setup.restore();
    setup.sandbox.run(&["token"]);
    HomeSetup::of(setup.sandbox).must_be(&rows);
    drop(server);
}

#[test]
fn p67_the_store_cannot_be_used() {
    let (sandbox, server) = signed_in();
    fs::write(sandbox.record_file("default"), "{\"version\": 1").unwrap();
    let corrupt = HomeSetup::of(sandbox);
    corrupt.must_be(&[
        ("token", 8, STORE),
        ("token --id-token", 8, STORE),
        ("whoami", 8, STORE),
        ("whoami --fresh", 8, STORE),
        ("status", 8, None),
        ("profiles list", 0, None),
        ("logout", 5, None),
    ]);
    let (sandbox, _server) = signed_in();
    sandbox.edit("default", |record| record["version"] = json!(99));
    let newer = HomeSetup::of(sandbox);
    newer.must_be(&[("token --refresh", 8, STORE), ("login", 8, STORE), ("token", 0, None)]);
    let nowhere = HomeSetup::of(new_sandbox().with("HALLPASS_STATE_DIR", "/dev/null/nowhere"));
    let login = format!("login --issuer {} --client-id {CLIENT}", server.issuer());
    nowhere.must_be(&[(login.leak(), 8, STORE), ("token", 8, STORE), ("status", 8, STORE)]);
}

#[test]
fn p67_the_server_breaks_a_rule() {
    let (sandbox, server) = signed_in();
    let other = ScriptedServer::start();
    other.always("/userinfo", Response::json(200, &json!({ "sub": "mallory" })));
    let metadata = json!({ "issuer": "https://evil.example" });
    other.always("/.well-known/openid-configuration", Response::json(200, &metadata));
    let userinfo = format!("{}/userinfo", other.origin());
    sandbox.edit("default", |record| record["endpoints"]["userinfo"] = json!(userinfo));
    let login = format!("login --profile other --issuer {} --client-id x", other.origin());
    let doctor = format!("doctor --issuer {} --client-id x", other.origin());
    let [login, doctor] = [login, doctor].map(|line| &*line.leak());
    let setup = HomeSetup::of(sandbox);
    setup.must_be(&[
        ("whoami --fresh", 3, Some("server_misbehaved")),
        (login, 3, Some("server_misbehaved")),
        (doctor, 3, None),
        ("token", 0, None),
    ]);
    other.always("/.well-known/openid-configuration", Response::empty(404));
    setup.must_be(&[(login, 3, Some("server_incompatible"))]);
    drop(server);
}

#[test]
fn p67_the_person_says_no_or_nothing() {
    let (sandbox, server) = signed_in();
    HomeSetup::of(sandbox).must_be(&[("login --timeout 300ms", 7, Some("timed_out"))]);
    for (json, more) in [(false, &[][..]), (true, &["--json"])] {
        let sandbox = new_sandbox();
        let login = sandbox.login_at(&server, more).play(|url| {
            browse(&callback(url, "error=access_denied&state={state}")).unwrap();
        });
        match json {
            true => is_a_failure(&login.0.fails_as_json(6, "denied"), true),
            false => login.0.fails(6, "access_denied", "run hallpass login again"),
        }
    }
}

/// The table of the front page and the lines of the help, each code with a few words.
fn codes_in(text: &str, before: &str) -> BTreeSet<i32> {
    let words = text
        .lines()
        .flat_map(|line| line.split(before))
        .filter_map(|part| part.trim_start().split(' ').next());
    words.filter_map(|word| word.trim_end_matches(',').parse().ok()).collect()
}

#[test]
fn p67_the_help_and_the_front_page_publish_the_same_codes() {
    let help = new_sandbox().run(&["--help"]).ok().stdout;
    let help = &help[help.find("Exit codes:").unwrap()..];
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let table: Vec<&str> = readme.split("**Exit codes**").nth(1).unwrap().lines().skip(4).collect();
    let table = table.into_iter().take_while(|line| line.starts_with('|')).collect::<Vec<_>>().join("\n");
    let all: BTreeSet<i32> = PUBLISHED.into_iter().chain([NOT_STARTED, OF_SIGNALS[0]]).collect();
    assert_eq!(codes_in(&table, "| "), all);
    assert_eq!(codes_in(help, "  "), all);
    for text in [help, table.as_str()] {
        assert!(OF_SIGNALS.iter().all(|code| text.contains(&code.to_string())), "{text}");
    }
}
