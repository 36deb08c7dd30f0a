//! The command in front of keychains that misbehave in the ways that were reported. A Secret Service that is scripted
//! plays them; the real one has its tests in `gnome_keyring.rs`.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;
use hallpass_test::command::timed_signal::{self, Moment};
use hallpass_test::command::{CommandSandbox, Outcome};
use hallpass_test::files::files_below;
use hallpass_test::keychain::{Habit, ScriptedService};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::new_sandbox;

/// Time limit of a command with a keychain that does not work.
const PATIENCE: Duration = Duration::from_secs(4);

/// No move takes longer, whatever else the machine does.
const LONGEST_MOVE: Duration = Duration::from_secs(10);

/// `profiles move` in both directions.
pub(crate) const TO_FILE: [&str; 5] = ["profiles", "move", "default", "--storage", "file"];
pub(crate) const TO_KEYCHAIN: [&str; 5] = ["profiles", "move", "default", "--storage", "keychain"];

/// Habits that keep a keychain from returning the key of a sealed record, and the message for each.
const NO_KEY: [(Habit, &str); 13] = [
    (Habit::Absent, "no keychain available"),
    (Habit::Silent, "did not respond"),
    (Habit::Slow, "did not respond"),
    (Habit::Sluggish, "did not respond"),
    (Habit::BusSilent, "did not respond"),
    (Habit::Dies, "the keychain failed"),
    (Habit::BusDies, "the keychain failed"),
    (Habit::Babbles, "the keychain failed"),
    (Habit::Garbles, "not a Hallpass key"),
    (Habit::Truncates, "not a Hallpass key"),
    (Habit::Blanks, "not a Hallpass key"),
    (Habit::SwapsKeys, "the file was modified"),
    (Habit::LocksItems, "locked"),
];

/// Habits that keep a keychain from storing a new key, and the message for each.
const NO_NEW_KEY: [(Habit, &str); 14] = [
    (Habit::Absent, "no keychain available"),
    (Habit::Bare, "no default collection"),
    (Habit::Silent, "did not respond"),
    (Habit::Slow, "did not respond"),
    (Habit::Sluggish, "did not respond"),
    (Habit::BusSilent, "did not respond"),
    (Habit::Dies, "the keychain failed"),
    (Habit::BusDies, "the keychain failed"),
    (Habit::Babbles, "the keychain failed"),
    (Habit::Garbles, "not a Hallpass key"),
    (Habit::Blanks, "not a Hallpass key"),
    (Habit::SwapsKeys, "the key read back differs"),
    (Habit::Forgets, "no such key"),
    (Habit::AsksFirst, "locked"),
];

/// Locked, as services differ in it.
const LOCKED: [Habit; 2] = [Habit::Honest, Habit::HidesWhileLocked];

struct KeychainSetup {
    sandbox: CommandSandbox,
    server: DevServer,
    service: ScriptedService,
}

impl KeychainSetup {
    /// Not signed in, with a keychain that works.
    fn new() -> KeychainSetup {
        let service = ScriptedService::start(Habit::Honest).unwrap();
        let sandbox = service
            .variables()
            .iter()
            .fold(new_sandbox(), |sandbox, (name, value)| sandbox.with(name, value));
        KeychainSetup { sandbox, server: DevServer::start().unwrap(), service }
    }

    /// Signed in, with a sealed record.
    fn sealed() -> KeychainSetup {
        let setup = KeychainSetup::new();
        setup.sandbox.sign_in(&setup.server, &[]);
        assert!(is_sealed(&setup.sandbox));
        setup.service.clear();
        setup.server.journal().clear();
        setup
    }

    /// Signed in, with a plain file.
    fn plain() -> KeychainSetup {
        let setup = KeychainSetup::new();
        setup.sandbox.sign_in(&setup.server, &["--storage", "file"]);
        assert!(!is_sealed(&setup.sandbox));
        setup.service.clear();
        setup.server.journal().clear();
        setup
    }

    fn locked(self, habit: Habit) -> KeychainSetup {
        self.service.lock();
        self.behaving(habit)
    }

    fn behaving(self, habit: Habit) -> KeychainSetup {
        self.service.behave(habit);
        self
    }

    fn heals(&self) {
        self.service.unlock();
        self.service.behave(Habit::Honest);
    }

    fn run(&self, args: &[&str]) -> Outcome {
        in_time(self.sandbox.run(args))
    }
}

/// Whatever the keychain does.
#[track_caller]
pub(crate) fn in_time(outcome: Outcome) -> Outcome {
    assert!(outcome.took < PATIENCE, "{outcome:#?}");
    outcome
}

pub(crate) fn is_sealed(sandbox: &CommandSandbox) -> bool {
    sandbox.record("default").get("seal").is_some()
}

/// Each in a thread: most of them only wait.
fn at_once<T: Copy + Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        let test = &test;
        let cases: Vec<_> = cases.into_iter().map(|case| scope.spawn(move || test(case))).collect();
        cases.into_iter().for_each(|case| case.join().unwrap());
    });
}

/// It was said where the sign-in is kept, and why, before the address was shown.
#[track_caller]
pub(crate) fn tells_first(login: &Outcome, what: &str) {
    let (place, address) = (login.stderr.find(what), login.stderr.find("/authorize?"));
    assert!(place.is_some() && place < address, "not {what:?} first: {login:#?}");
}

/// No file below the home or among the temporary ones holds one of these.
#[track_caller]
pub(crate) fn holds_none(sandbox: &CommandSandbox, secrets: &[String]) {
    for dir in [sandbox.home(), sandbox.tmp()] {
        for (path, bytes) in files_below(&dir) {
            let text = String::from_utf8_lossy(&bytes);
            let is_in_clear = secrets.iter().any(|secret| !secret.is_empty() && text.contains(secret));
            assert!(!is_in_clear, "{} holds a secret in clear", path.display());
        }
    }
}

/// The sign-in is what it was, and works.
fn is_as_before(setup: &KeychainSetup, before: &[u8]) {
    assert!(setup.sandbox.record_bytes("default") == before, "the record was written");
    setup.heals();
    setup.run(&["token"]).ok();
}

/// Signed in by a file, told why; the sign-in works with that keychain.
fn falls_back(setup: &KeychainSetup, why: &str) {
    let login = in_time(setup.sandbox.sign_in(&setup.server, &[]));
    tells_first(&login, "Credentials will be saved in ");
    tells_first(&login, why);
    assert!(!is_sealed(&setup.sandbox));
    setup.service.clear();
    setup.run(&["token", "--refresh"]).ok();
    assert_eq!((setup.service.connections(), is_sealed(&setup.sandbox)), (0, false));
}

/// Nothing was asked of the person or the server, and nothing is kept.
fn is_refused(setup: &KeychainSetup, why: &str) {
    let login = in_time(setup.sandbox.login_at(&setup.server, &["--storage", "keychain"]).run());
    login.fails(8, why, "--storage file");
    assert_eq!((setup.sandbox.opened().len(), setup.server.journal().entries().len()), (0, 0));
    assert!(!setup.sandbox.record_file("default").exists());
}

/// The sign-in can be told and not used; it is never said that there is none, and never rewritten.
fn is_shut(setup: &KeychainSetup, why: &str) {
    let before = setup.sandbox.record_bytes("default");
    for args in [&["token"][..], &["token", "--refresh"], &["token", "--id-token"], &["whoami", "--fresh"]] {
        let call = setup.run(args);
        call.fails(8, why, "");
        assert!(!call.stderr.contains("not signed in"), "{call:#?}");
    }
    setup.run(&["token", "--json"]).fails_as_json(8, "store");
    setup.service.clear();
    for args in [&["whoami"][..], &["status"], &["profiles", "list"]] {
        setup.run(args).ok();
    }
    assert_eq!(setup.service.connections(), 0);
    setup.run(&TO_FILE).fails(8, why, "");
    assert_eq!(setup.server.journal().entries().len(), 0);
    assert!(setup.sandbox.record_bytes("default") == before, "the record was written");
}

/// Erased, though the server cannot be told; then nobody is signed in.
fn is_ended(setup: &KeychainSetup) {
    let logout = setup.run(&["logout"]);
    assert_eq!(logout.code, 5, "{logout:#?}");
    assert!(logout.stderr.contains("Logged out here, but the server did not confirm"), "{logout:#?}");
    assert!(!setup.sandbox.record_file("default").exists());
    setup.run(&["token"]).fails(4, "not signed in", "hallpass login");
}

#[test]
fn p47_p53_a_keychain_that_keeps_no_key_is_told_before_the_browser_opens_and_a_file_takes_its_place() {
    at_once(NO_NEW_KEY, |(habit, why)| falls_back(&KeychainSetup::new().behaving(habit), why));
    at_once(LOCKED, |habit| falls_back(&KeychainSetup::new().locked(habit), "locked"));
}

#[test]
fn p47_p53_a_login_that_insists_on_a_keychain_fails_before_anybody_is_asked() {
    at_once(NO_NEW_KEY, |(habit, why)| is_refused(&KeychainSetup::new().behaving(habit), why));
    at_once(LOCKED, |habit| is_refused(&KeychainSetup::new().locked(habit), "locked"));
}

#[test]
fn p47_p49_p53_a_sealed_sign_in_that_cannot_be_opened_is_never_none_and_never_rewritten() {
    at_once(NO_KEY, |(habit, why)| {
        let setup = KeychainSetup::sealed();
        let before = setup.sandbox.record_bytes("default");
        let setup = setup.behaving(habit);
        is_shut(&setup, why);
        is_as_before(&setup, &before);
    });
    at_once(LOCKED, |habit| {
        let setup = KeychainSetup::sealed();
        let before = setup.sandbox.record_bytes("default");
        let setup = setup.locked(habit);
        is_shut(&setup, "locked");
        is_as_before(&setup, &before);
    });
}

#[test]
fn p47_a_logout_ends_in_time_whatever_the_keychain_does_and_nothing_is_left() {
    at_once(NO_KEY, |(habit, _)| is_ended(&KeychainSetup::sealed().behaving(habit)));
    at_once(LOCKED, |habit| is_ended(&KeychainSetup::sealed().locked(habit)));
}

#[test]
fn p47_several_sealed_profiles_wait_for_a_silent_keychain_once() {
    at_once([Habit::Silent, Habit::BusSilent], |habit| {
        let setup = KeychainSetup::sealed();
        setup.sandbox.sign_in(&setup.server, &["--profile", "a"]);
        setup.sandbox.sign_in(&setup.server, &["--profile", "b"]);
        setup.service.behave(habit);
        assert_eq!(setup.run(&["status", "--check"]).code, 8);
        assert_eq!(setup.run(&["logout", "--all"]).code, 5);
        assert_eq!(setup.run(&["status"]).code, 4);
    });
}

#[test]
fn p49_a_refresh_of_a_sealed_sign_in_stays_sealed() {
    let setup = KeychainSetup::sealed();
    let key_id = setup.sandbox.record("default")["seal"]["key_id"].clone();
    let tokens = [["token"].as_slice(), &["token", "--refresh"]].map(|args| setup.sandbox.value(args));
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(setup.sandbox.record("default")["seal"]["key_id"], key_id);
    holds_none(&setup.sandbox, &tokens);
    assert_eq!(setup.service.items(), 1);
}

#[test]
fn p51_a_command_asks_the_keychain_never_or_once() {
    let setup = KeychainSetup::sealed();
    let nothing: [&[&str]; 9] = [
        &["--help"],
        &["login", "--help"],
        &["--version"],
        &["completions", "bash"],
        &["whoami"],
        &["whoami", "--json"],
        &["status"],
        &["status", "--json"],
        &["profiles", "list"],
    ];
    for args in nothing {
        setup.run(args).ok();
        assert_eq!(setup.service.connections(), 0, "{args:?}");
    }
    for args in [&["token"][..], &["token", "--refresh"], &["token", "--id-token"], &["whoami", "--fresh"]] {
        setup.service.clear();
        setup.run(args).ok();
        let calls = setup.service.calls();
        assert_eq!(calls, ["SearchItems", "OpenSession", "GetSecret"], "{args:?}");
        assert_eq!(setup.service.connections(), 1, "{args:?}");
    }
}

#[test]
fn p51_a_sign_in_in_a_file_asks_no_keychain() {
    let setup = KeychainSetup::plain();
    for args in [&["token"][..], &["token", "--refresh"], &["whoami", "--fresh"], &TO_FILE, &["logout"]] {
        setup.run(args).ok();
        assert_eq!(setup.service.connections(), 0, "{args:?}");
    }
}

#[test]
fn p54_a_key_that_stays_from_an_older_sign_in_does_not_meet_the_newer_one() {
    let setup = KeychainSetup::sealed().behaving(Habit::Clings);
    in_time(setup.sandbox.sign_in(&setup.server, &["--storage", "file"]));
    assert_eq!((setup.service.items(), is_sealed(&setup.sandbox)), (1, false));
    setup.service.clear();
    setup.run(&["token"]).ok();
    setup.run(&["token", "--refresh"]).ok();
    assert_eq!(setup.service.connections(), 0);
    setup.heals();
    setup.sandbox.sign_in(&setup.server, &["--storage", "keychain"]);
    assert_eq!((setup.service.items(), is_sealed(&setup.sandbox)), (2, true));
    setup.run(&["token", "--refresh"]).ok();
    setup.run(&["logout"]).ok();
    assert_eq!(setup.service.items(), 1, "the old one opens nothing");
}

#[test]
fn p54_a_login_heals_what_an_emptied_keychain_broke() {
    let setup = KeychainSetup::sealed();
    setup.service.blank();
    setup.run(&["token"]).fails(8, "not a Hallpass key", "hallpass login");
    let login = setup.sandbox.sign_in(&setup.server, &[]);
    tells_first(&login, "encrypted with a key from the keychain");
    setup.run(&["token", "--refresh"]).ok();
    assert_eq!(setup.service.items(), 1);
}

#[test]
fn p54_a_logout_whose_key_cannot_be_removed_leaves_nothing_that_it_opens() {
    let setup = KeychainSetup::sealed();
    let sealed = setup.sandbox.record("default")["secret"].as_str().unwrap().to_owned();
    let token = setup.sandbox.value(&["token"]);
    let setup = setup.behaving(Habit::Clings);
    setup.run(&["logout"]).ok();
    assert_eq!(setup.service.items(), 1);
    holds_none(&setup.sandbox, &[sealed, token]);
    setup.run(&["token"]).fails(4, "not signed in", "hallpass login");
    setup.heals();
    setup.sandbox.sign_in(&setup.server, &[]);
    setup.run(&["token", "--refresh"]).ok();
}

#[test]
fn a_move_into_a_keychain_that_keeps_no_key_changes_nothing() {
    at_once(NO_NEW_KEY, |(habit, why)| {
        let setup = KeychainSetup::plain();
        let before = setup.sandbox.files();
        let setup = setup.behaving(habit);
        setup.run(&TO_KEYCHAIN).fails(8, why, "");
        assert!(setup.sandbox.files() == before, "{habit:?}");
        setup.run(&["token"]).ok();
    });
}

#[test]
fn a_move_out_of_a_keychain_that_keeps_its_key_works_all_the_same() {
    let setup = KeychainSetup::sealed().behaving(Habit::Clings);
    setup.run(&TO_FILE).ok();
    assert_eq!((setup.service.items(), is_sealed(&setup.sandbox)), (1, false));
    setup.run(&["token", "--refresh"]).ok();
    setup.heals();
    setup.run(&TO_KEYCHAIN).ok();
    setup.run(&["token", "--refresh"]).ok();
    setup.run(&["logout"]).ok();
}

#[test]
fn p47_a_keychain_that_takes_its_time_is_waited_for_and_not_without_a_word() {
    const WAITING: &str = "Waiting for the keychain...\n";
    let setup = KeychainSetup::new().behaving(Habit::Leisurely);
    let login = setup.sandbox.sign_in(&setup.server, &[]);
    assert_eq!(login.stderr.matches(WAITING).count(), 1, "{login:#?}");
    assert!(
        login.stderr.find(WAITING) < login.stderr.find("encrypted with a key from the keychain"),
        "{login:#?}"
    );
    assert!(is_sealed(&setup.sandbox));
    let login = setup.sandbox.sign_in(&setup.server, &["--json"]);
    assert_eq!(login.events()[0], json!({"event": "slow_keychain"}));
    setup.heals();
    assert!(!setup.sandbox.sign_in(&setup.server, &[]).stderr.contains(WAITING));
}

#[test]
fn p40_p54_a_move_that_is_killed_leaves_a_sign_in_that_opens() {
    let setup = KeychainSetup::sealed();
    assert_outlives_moves(&setup.sandbox, 40);
}

/// Killed at so many places, spread over the time that a move takes. How long that is differs from move to move.
pub(crate) fn assert_outlives_moves(sandbox: &CommandSandbox, count: u32) {
    let token = sandbox.value(&["token"]);
    let begun = Instant::now();
    sandbox.run(&TO_FILE).ok();
    let (mut time, mut ends) = (begun.elapsed() * 5 / 4, [0, 0]);
    while ends.contains(&0) && time < LONGEST_MOVE {
        timed_signal::spread(time, count)
            .iter()
            .for_each(|moment| ends[usize::from(moves(sandbox, &token, moment))] += 1);
        time *= 2;
    }
    assert!(!ends.contains(&0), "{ends:?}");
    sandbox.run(&["token", "--refresh"]).ok();
}

/// Whether one that was struck did its work. The token is there in any case.
fn moves(sandbox: &CommandSandbox, token: &str, moment: &Moment) -> bool {
    let was_sealed = is_sealed(sandbox);
    let args = if was_sealed { TO_FILE } else { TO_KEYCHAIN };
    wait(timed_signal::start_and_signal(sandbox.hallpass(&args).into_command(), moment, Signal::KILL));
    assert_eq!(sandbox.value(&["token"]), token, "{args:?} {moment:?}");
    is_sealed(sandbox) != was_sealed
}

fn wait(child: Child) {
    child.wait_with_output().unwrap();
}

#[test]
fn where_a_sign_in_is_kept_is_told_as_json_too() {
    let setup = KeychainSetup::sealed();
    let store = |value: &Value| value["store"].as_str().unwrap().to_owned();
    for (args, kind) in [(TO_FILE, "file"), (TO_KEYCHAIN, "keychain"), (TO_KEYCHAIN, "keychain")] {
        let moved = setup.run(&[&args[..], &["--json"]].concat()).ok().json();
        assert_eq!((store(&moved), moved["profile"].as_str()), (kind.to_owned(), Some("default")));
        assert_eq!(store(&setup.run(&["status", "--json"]).ok().json()[0]), kind);
    }
    let login = setup.sandbox.sign_in(&setup.server, &["--json"]);
    let events = login.events();
    let place = events.iter().find(|event| event["event"] == "store").unwrap();
    assert_eq!((store(place), &place["no_keychain"]), ("keychain".to_owned(), &Value::Null));
    assert_eq!(store(events.last().unwrap()), "keychain");
    setup.service.lock();
    let login = setup.sandbox.sign_in(&setup.server, &["--storage", "auto", "--json"]);
    let place = login.events().into_iter().find(|event| event["event"] == "store").unwrap();
    assert_eq!((store(&place), &place["no_keychain"]), ("file".to_owned(), &"the keychain is locked".into()));
}
