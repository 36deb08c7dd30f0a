//! The command in front of keychains that misbehave in the ways that were reported. A Secret Service that is scripted
//! plays them; the real one has its tests in `gnome_keyring.rs`.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;
use hallpass_test_keychain::{Habit, ScriptedService};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bench::{Bench, Outcome, files_below};
use crate::blow::{self, Blow};

/// What a command may take for a keychain that does not work.
const PATIENCE: Duration = Duration::from_secs(4);

/// No move takes longer, whatever else the machine does.
const LONGEST_MOVE: Duration = Duration::from_secs(10);

/// `profiles move` in both directions.
pub(crate) const TO_FILE: [&str; 5] = ["profiles", "move", "default", "--storage", "file"];
pub(crate) const TO_KEYCHAIN: [&str; 5] = ["profiles", "move", "default", "--storage", "keychain"];

/// What keeps a keychain from giving the key of a sealed record, and what is said of it.
const NO_KEY: [(Habit, &str); 13] = [
    (Habit::Absent, "there is no keychain here"),
    (Habit::Silent, "does not answer"),
    (Habit::Slow, "does not answer"),
    (Habit::Sluggish, "does not answer"),
    (Habit::BusSilent, "does not answer"),
    (Habit::Dies, "the keychain failed"),
    (Habit::BusDies, "the keychain failed"),
    (Habit::Babbles, "the keychain failed"),
    (Habit::Garbles, "not a key"),
    (Habit::Truncates, "not a key"),
    (Habit::Blanks, "not a key"),
    (Habit::SwapsKeys, "was changed since it was sealed"),
    (Habit::LocksItems, "locked"),
];

/// What keeps a keychain from keeping a new key.
const NO_NEW_KEY: [(Habit, &str); 14] = [
    (Habit::Absent, "there is no keychain here"),
    (Habit::Bare, "no default collection"),
    (Habit::Silent, "does not answer"),
    (Habit::Slow, "does not answer"),
    (Habit::Sluggish, "does not answer"),
    (Habit::BusSilent, "does not answer"),
    (Habit::Dies, "the keychain failed"),
    (Habit::BusDies, "the keychain failed"),
    (Habit::Babbles, "the keychain failed"),
    (Habit::Garbles, "not a key"),
    (Habit::Blanks, "not a key"),
    (Habit::SwapsKeys, "does not give back what it was given"),
    (Habit::Forgets, "no such key"),
    (Habit::AsksFirst, "locked"),
];

/// Locked, as services differ in it.
const LOCKED: [Habit; 2] = [Habit::Honest, Habit::HidesWhileLocked];

struct Desk {
    bench: Bench,
    server: DevServer,
    service: ScriptedService,
}

impl Desk {
    /// Nobody is signed in, and the keychain is as it should be.
    fn new() -> Desk {
        let service = ScriptedService::start(Habit::Honest).unwrap();
        let bench =
            service.variables().iter().fold(Bench::new(), |bench, (name, value)| bench.with(name, value));
        Desk { bench, server: DevServer::start().unwrap(), service }
    }

    /// Somebody signed in, sealed.
    fn sealed() -> Desk {
        let desk = Desk::new();
        desk.bench.sign_in(&desk.server, &[]);
        assert!(is_sealed(&desk.bench));
        desk.service.clear();
        desk.server.journal().clear();
        desk
    }

    /// Somebody signed in by a file.
    fn plain() -> Desk {
        let desk = Desk::new();
        desk.bench.sign_in(&desk.server, &["--storage", "file"]);
        assert!(!is_sealed(&desk.bench));
        desk.service.clear();
        desk.server.journal().clear();
        desk
    }

    fn locked(self, habit: Habit) -> Desk {
        self.service.lock();
        self.behaving(habit)
    }

    fn behaving(self, habit: Habit) -> Desk {
        self.service.behave(habit);
        self
    }

    fn heals(&self) {
        self.service.unlock();
        self.service.behave(Habit::Honest);
    }

    fn run(&self, args: &[&str]) -> Outcome {
        in_time(self.bench.run(args))
    }
}

/// Whatever the keychain does.
#[track_caller]
pub(crate) fn in_time(outcome: Outcome) -> Outcome {
    assert!(outcome.took < PATIENCE, "{outcome:#?}");
    outcome
}

pub(crate) fn is_sealed(bench: &Bench) -> bool {
    bench.record("default").get("seal").is_some()
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
pub(crate) fn holds_none(bench: &Bench, secrets: &[String]) {
    for dir in [bench.home(), bench.tmp()] {
        for (path, bytes) in files_below(&dir) {
            let text = String::from_utf8_lossy(&bytes);
            let is_in_clear = secrets.iter().any(|secret| !secret.is_empty() && text.contains(secret));
            assert!(!is_in_clear, "{} holds a secret in clear", path.display());
        }
    }
}

/// The sign-in is what it was, and works.
fn is_as_before(desk: &Desk, before: &[u8]) {
    assert!(desk.bench.record_bytes("default") == before, "the record was written");
    desk.heals();
    desk.run(&["token"]).ok();
}

/// Signed in by a file, told why; the sign-in works with that keychain.
fn falls_back(desk: &Desk, why: &str) {
    let login = in_time(desk.bench.sign_in(&desk.server, &[]));
    tells_first(&login, "Credentials will be saved in ");
    tells_first(&login, why);
    assert!(!is_sealed(&desk.bench));
    desk.service.clear();
    desk.run(&["token", "--refresh"]).ok();
    assert_eq!((desk.service.connections(), is_sealed(&desk.bench)), (0, false));
}

/// Nothing was asked of the person or the server, and nothing is kept.
fn is_refused(desk: &Desk, why: &str) {
    let login = in_time(desk.bench.login_at(&desk.server, &["--storage", "keychain"]).run());
    login.fails(8, why, "--storage file");
    assert_eq!((desk.bench.opened().len(), desk.server.journal().entries().len()), (0, 0));
    assert!(!desk.bench.record_file("default").exists());
}

/// The sign-in can be told and not used; it is never said that there is none, and never rewritten.
fn is_shut(desk: &Desk, why: &str) {
    let before = desk.bench.record_bytes("default");
    for args in [&["token"][..], &["token", "--refresh"], &["token", "--id-token"], &["whoami", "--fresh"]] {
        let call = desk.run(args);
        call.fails(8, why, "");
        assert!(!call.stderr.contains("not signed in"), "{call:#?}");
    }
    desk.run(&["token", "--json"]).fails_as_json(8, "store");
    desk.service.clear();
    for args in [&["whoami"][..], &["status"], &["profiles", "list"]] {
        desk.run(args).ok();
    }
    assert_eq!(desk.service.connections(), 0);
    desk.run(&TO_FILE).fails(8, why, "");
    assert_eq!(desk.server.journal().entries().len(), 0);
    assert!(desk.bench.record_bytes("default") == before, "the record was written");
}

/// Erased, though the server cannot be told; then nobody is signed in.
fn is_ended(desk: &Desk) {
    let logout = desk.run(&["logout"]);
    assert_eq!(logout.code, 5, "{logout:#?}");
    assert!(logout.stderr.contains("Logged out here, but the server did not confirm"), "{logout:#?}");
    assert!(!desk.bench.record_file("default").exists());
    desk.run(&["token"]).fails(4, "not signed in", "hallpass login");
}

#[test]
fn p47_p53_a_keychain_that_keeps_no_key_is_told_before_the_browser_opens_and_a_file_takes_its_place() {
    at_once(NO_NEW_KEY, |(habit, why)| falls_back(&Desk::new().behaving(habit), why));
    at_once(LOCKED, |habit| falls_back(&Desk::new().locked(habit), "locked"));
}

#[test]
fn p47_p53_a_login_that_insists_on_a_keychain_fails_before_anybody_is_asked() {
    at_once(NO_NEW_KEY, |(habit, why)| is_refused(&Desk::new().behaving(habit), why));
    at_once(LOCKED, |habit| is_refused(&Desk::new().locked(habit), "locked"));
}

#[test]
fn p47_p49_p53_a_sealed_sign_in_that_cannot_be_opened_is_never_none_and_never_rewritten() {
    at_once(NO_KEY, |(habit, why)| {
        let desk = Desk::sealed();
        let before = desk.bench.record_bytes("default");
        let desk = desk.behaving(habit);
        is_shut(&desk, why);
        is_as_before(&desk, &before);
    });
    at_once(LOCKED, |habit| {
        let desk = Desk::sealed();
        let before = desk.bench.record_bytes("default");
        let desk = desk.locked(habit);
        is_shut(&desk, "locked");
        is_as_before(&desk, &before);
    });
}

#[test]
fn p47_a_logout_ends_in_time_whatever_the_keychain_does_and_nothing_is_left() {
    at_once(NO_KEY, |(habit, _)| is_ended(&Desk::sealed().behaving(habit)));
    at_once(LOCKED, |habit| is_ended(&Desk::sealed().locked(habit)));
}

#[test]
fn p47_several_sealed_profiles_wait_for_a_silent_keychain_once() {
    at_once([Habit::Silent, Habit::BusSilent], |habit| {
        let desk = Desk::sealed();
        desk.bench.sign_in(&desk.server, &["--profile", "a"]);
        desk.bench.sign_in(&desk.server, &["--profile", "b"]);
        desk.service.behave(habit);
        assert_eq!(desk.run(&["status", "--check"]).code, 8);
        assert_eq!(desk.run(&["logout", "--all"]).code, 5);
        assert_eq!(desk.run(&["status"]).code, 4);
    });
}

#[test]
fn p49_a_refresh_of_a_sealed_sign_in_stays_sealed() {
    let desk = Desk::sealed();
    let key_id = desk.bench.record("default")["seal"]["key_id"].clone();
    let tokens = [["token"].as_slice(), &["token", "--refresh"]].map(|args| desk.bench.value(args));
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(desk.bench.record("default")["seal"]["key_id"], key_id);
    holds_none(&desk.bench, &tokens);
    assert_eq!(desk.service.items(), 1);
}

#[test]
fn p51_a_command_asks_the_keychain_never_or_once() {
    let desk = Desk::sealed();
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
        desk.run(args).ok();
        assert_eq!(desk.service.connections(), 0, "{args:?}");
    }
    for args in [&["token"][..], &["token", "--refresh"], &["token", "--id-token"], &["whoami", "--fresh"]] {
        desk.service.clear();
        desk.run(args).ok();
        let calls = desk.service.calls();
        assert_eq!(calls, ["SearchItems", "OpenSession", "GetSecret"], "{args:?}");
        assert_eq!(desk.service.connections(), 1, "{args:?}");
    }
}

#[test]
fn p51_a_sign_in_in_a_file_asks_no_keychain() {
    let desk = Desk::plain();
    for args in [&["token"][..], &["token", "--refresh"], &["whoami", "--fresh"], &TO_FILE, &["logout"]] {
        desk.run(args).ok();
        assert_eq!(desk.service.connections(), 0, "{args:?}");
    }
}

#[test]
fn p54_a_key_that_stays_from_an_older_sign_in_does_not_meet_the_newer_one() {
    let desk = Desk::sealed().behaving(Habit::Clings);
    in_time(desk.bench.sign_in(&desk.server, &["--storage", "file"]));
    assert_eq!((desk.service.items(), is_sealed(&desk.bench)), (1, false));
    desk.service.clear();
    desk.run(&["token"]).ok();
    desk.run(&["token", "--refresh"]).ok();
    assert_eq!(desk.service.connections(), 0);
    desk.heals();
    desk.bench.sign_in(&desk.server, &["--storage", "keychain"]);
    assert_eq!((desk.service.items(), is_sealed(&desk.bench)), (2, true));
    desk.run(&["token", "--refresh"]).ok();
    desk.run(&["logout"]).ok();
    assert_eq!(desk.service.items(), 1, "the old one opens nothing");
}

#[test]
fn p54_a_login_heals_what_an_emptied_keychain_broke() {
    let desk = Desk::sealed();
    desk.service.blank();
    desk.run(&["token"]).fails(8, "not a key", "hallpass login");
    let login = desk.bench.sign_in(&desk.server, &[]);
    tells_first(&login, "sealed by the keychain");
    desk.run(&["token", "--refresh"]).ok();
    assert_eq!(desk.service.items(), 1);
}

#[test]
fn p54_a_logout_whose_key_cannot_be_removed_leaves_nothing_that_it_opens() {
    let desk = Desk::sealed();
    let sealed = desk.bench.record("default")["secret"].as_str().unwrap().to_owned();
    let token = desk.bench.value(&["token"]);
    let desk = desk.behaving(Habit::Clings);
    desk.run(&["logout"]).ok();
    assert_eq!(desk.service.items(), 1);
    holds_none(&desk.bench, &[sealed, token]);
    desk.run(&["token"]).fails(4, "not signed in", "hallpass login");
    desk.heals();
    desk.bench.sign_in(&desk.server, &[]);
    desk.run(&["token", "--refresh"]).ok();
}

#[test]
fn a_move_into_a_keychain_that_keeps_no_key_changes_nothing() {
    at_once(NO_NEW_KEY, |(habit, why)| {
        let desk = Desk::plain();
        let before = desk.bench.files();
        let desk = desk.behaving(habit);
        desk.run(&TO_KEYCHAIN).fails(8, why, "");
        assert!(desk.bench.files() == before, "{habit:?}");
        desk.run(&["token"]).ok();
    });
}

#[test]
fn a_move_out_of_a_keychain_that_keeps_its_key_works_all_the_same() {
    let desk = Desk::sealed().behaving(Habit::Clings);
    desk.run(&TO_FILE).ok();
    assert_eq!((desk.service.items(), is_sealed(&desk.bench)), (1, false));
    desk.run(&["token", "--refresh"]).ok();
    desk.heals();
    desk.run(&TO_KEYCHAIN).ok();
    desk.run(&["token", "--refresh"]).ok();
    desk.run(&["logout"]).ok();
}

#[test]
fn p47_a_keychain_that_takes_its_time_is_waited_for_and_not_without_a_word() {
    const WAITING: &str = "Waiting for the keychain...\n";
    let desk = Desk::new().behaving(Habit::Leisurely);
    let login = desk.bench.sign_in(&desk.server, &[]);
    assert_eq!(login.stderr.matches(WAITING).count(), 1, "{login:#?}");
    assert!(login.stderr.find(WAITING) < login.stderr.find("sealed by the keychain"), "{login:#?}");
    assert!(is_sealed(&desk.bench));
    let login = desk.bench.sign_in(&desk.server, &["--json"]);
    assert_eq!(login.events()[0], json!({"event": "slow_keychain"}));
    desk.heals();
    assert!(!desk.bench.sign_in(&desk.server, &[]).stderr.contains(WAITING));
}

#[test]
fn p40_p54_a_move_that_is_killed_leaves_a_sign_in_that_opens() {
    let desk = Desk::sealed();
    assert_outlives_moves(&desk.bench, 40);
}

/// Killed at so many places, spread over the time that a move takes. How long that is differs from move to move.
pub(crate) fn assert_outlives_moves(bench: &Bench, count: u32) {
    let token = bench.value(&["token"]);
    let begun = Instant::now();
    bench.run(&TO_FILE).ok();
    let (mut time, mut ends) = (begun.elapsed() * 5 / 4, [0, 0]);
    while ends.contains(&0) && time < LONGEST_MOVE {
        blow::spread(time, count).iter().for_each(|blow| ends[usize::from(moves(bench, &token, blow))] += 1);
        time *= 2;
    }
    assert!(!ends.contains(&0), "{ends:?}");
    bench.run(&["token", "--refresh"]).ok();
}

/// Whether one that was struck did its work. The token is there in any case.
fn moves(bench: &Bench, token: &str, blow: &Blow) -> bool {
    let was_sealed = is_sealed(bench);
    let args = if was_sealed { TO_FILE } else { TO_KEYCHAIN };
    wait(blow::strike(bench.hallpass(&args).into_command(), blow, Signal::KILL));
    assert_eq!(bench.value(&["token"]), token, "{args:?} {blow:?}");
    is_sealed(bench) != was_sealed
}

fn wait(child: Child) {
    child.wait_with_output().unwrap();
}

#[test]
fn where_a_sign_in_is_kept_is_told_as_json_too() {
    let desk = Desk::sealed();
    let store = |value: &Value| value["store"].as_str().unwrap().to_owned();
    for (args, kind) in [(TO_FILE, "file"), (TO_KEYCHAIN, "keychain"), (TO_KEYCHAIN, "keychain")] {
        let moved = desk.run(&[&args[..], &["--json"]].concat()).ok().json();
        assert_eq!((store(&moved), moved["profile"].as_str()), (kind.to_owned(), Some("default")));
        assert_eq!(store(&desk.run(&["status", "--json"]).ok().json()[0]), kind);
    }
    let login = desk.bench.sign_in(&desk.server, &["--json"]);
    let events = login.events();
    let place = events.iter().find(|event| event["event"] == "store").unwrap();
    assert_eq!((store(place), &place["no_keychain"]), ("keychain".to_owned(), &Value::Null));
    assert_eq!(store(events.last().unwrap()), "keychain");
    desk.service.lock();
    let login = desk.bench.sign_in(&desk.server, &["--storage", "auto", "--json"]);
    let place = login.events().into_iter().find(|event| event["event"] == "store").unwrap();
    assert_eq!((store(&place), &place["no_keychain"]), ("file".to_owned(), &"the keychain is locked".into()));
}
