//! A scripted Secret Service, for behavior that a real one cannot be made to show.

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hallpass::Environment;
use hallpass::error::KeychainError;
use hallpass::world::keychain::{Keychain, SystemKeychain};
use hallpass_test::keychain::{Habit, ScriptedService, Variables};

use crate::{PROGRAM, item, key};

/// The time limit of a command whose keychain does not respond (P47).
const IN_TIME: Duration = Duration::from_secs(4);

fn keychain(variables: &Variables) -> SystemKeychain {
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    SystemKeychain::new(&Environment::from_variables(variables))
}

/// Returns the result of a call. Panics if it takes too long.
#[track_caller]
fn in_time<T: Send + 'static>(
    keychain: &SystemKeychain,
    call: impl FnOnce(&SystemKeychain) -> T + Send + 'static,
) -> T {
    let (done, result) = mpsc::channel();
    let keychain = keychain.clone();
    thread::spawn(move || done.send(call(&keychain)));
    result.recv_timeout(IN_TIME).expect("the call returns in time")
}

/// Returns the errors of the four calls that do not prompt the user.
fn failures(keychain: &SystemKeychain) -> [KeychainError; 4] {
    let calls: [fn(&SystemKeychain) -> KeychainError; 4] = [
        |keychain| keychain.get(&item("k1")).unwrap_err(),
        |keychain| keychain.set(&item("k2"), &key(2)).unwrap_err(),
        |keychain| keychain.delete(&item("k1")).unwrap_err(),
        |keychain| keychain.key_ids(PROGRAM).unwrap_err(),
    ];
    thread::scope(|scope| {
        calls.map(|call| scope.spawn(move || in_time(keychain, call))).map(|result| result.join().unwrap())
    })
}

/// Starts a service that stores the key `k1`, then behaves as told.
fn with_a_key(habit: Habit) -> (ScriptedService, SystemKeychain) {
    let service = ScriptedService::start(Habit::Honest).unwrap();
    let keychain = keychain(&service.variables());
    keychain.set(&item("k1"), &key(1)).unwrap();
    service.behave(habit);
    (service, keychain)
}

fn locked(habit: Habit) -> (ScriptedService, SystemKeychain) {
    let (service, keychain) = with_a_key(habit);
    service.lock();
    (service, keychain)
}

fn is_absent(error: &KeychainError) -> bool {
    matches!(error, KeychainError::Absent(_))
}

fn is_failed(error: &KeychainError) -> bool {
    matches!(error, KeychainError::Failed(_))
}

fn is_timed_out(error: &KeychainError) -> bool {
    *error == KeychainError::TimedOut
}

fn is_locked(error: &KeychainError) -> bool {
    *error == KeychainError::Locked
}

#[test]
fn a_key_can_be_stored_read_listed_and_deleted() {
    let (service, keychain) = with_a_key(Habit::Honest);
    assert_eq!(keychain.get(&item("k1")), Ok(key(1)));
    assert_eq!(keychain.get(&item("k2")), Err(KeychainError::NoItem));
    assert_eq!(keychain.key_ids(PROGRAM), Ok(vec!["k1".to_owned()]));
    assert_eq!(keychain.key_ids("othertool"), Ok(Vec::new()));
    assert_eq!(keychain.delete(&item("k1")), Ok(()));
    assert_eq!(keychain.delete(&item("k1")), Ok(()));
    assert_eq!((keychain.get(&item("k1")), service.items()), (Err(KeychainError::NoItem), 0));
}

#[test]
fn p47_without_a_bus_service_or_collection_the_keychain_is_absent() {
    let without_bus = [
        vec![],
        vec![("XDG_RUNTIME_DIR", "/nonexistent".to_owned())],
        vec![("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus".to_owned())],
        vec![("DBUS_SESSION_BUS_ADDRESS", "autolaunch:".to_owned())],
        vec![("DBUS_SESSION_BUS_ADDRESS", "unixexec:path=/bin/false".to_owned())],
        vec![("DBUS_SESSION_BUS_ADDRESS", "what is this".to_owned())],
    ];
    for variables in without_bus {
        let errors = failures(&keychain(&variables));
        assert!(errors.iter().all(is_absent), "{variables:?}: {errors:?}");
    }
    for habit in [Habit::Absent, Habit::Bare] {
        let service = ScriptedService::start(habit).unwrap();
        let errors = failures(&keychain(&service.variables()));
        assert!(errors.iter().all(is_absent), "{habit:?}: {errors:?}");
    }
}

#[test]
fn the_bus_is_found_by_its_address_or_in_the_runtime_directory() {
    let (service, _) = with_a_key(Habit::Honest);
    let address = service.variables().remove(0).1;
    let found = |name, value: String| keychain(&vec![(name, value)]).get(&item("k1"));
    assert_eq!(found("DBUS_SESSION_BUS_ADDRESS", format!("unix:path=/nonexistent;{address}")), Ok(key(1)));
    let runtime_dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(address.strip_prefix("unix:path=").unwrap(), runtime_dir.path().join("bus"))
        .unwrap();
    assert_eq!(found("XDG_RUNTIME_DIR", runtime_dir.path().display().to_string()), Ok(key(1)));
}

#[test]
fn a_bus_over_tcp_is_not_used() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp:host=127.0.0.1,port={}", listener.local_addr().unwrap().port());
    let keychain = keychain(&vec![("DBUS_SESSION_BUS_ADDRESS", address)]);
    assert!(failures(&keychain).iter().all(is_absent));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "nothing has connected"
    );
}

#[test]
fn another_users_runtime_directory_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can change a file's owner
    }
    let (service, _) = with_a_key(Habit::Honest);
    let socket = service.variables()[0].1.strip_prefix("unix:path=").unwrap().to_owned();
    std::os::unix::fs::chown(&socket, Some(65_534), None).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o777)).unwrap();
    let runtime_dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&socket, runtime_dir.path().join("bus")).unwrap();
    let variables = vec![("XDG_RUNTIME_DIR", runtime_dir.path().display().to_string())];
    assert!(failures(&keychain(&variables)).iter().all(is_absent));
}

#[test]
fn p47_a_locked_keychain_is_reported_without_a_prompt() {
    for habit in [Habit::Honest, Habit::HidesWhileLocked] {
        let (service, keychain) = locked(habit);
        let errors = failures(&keychain);
        assert!(errors.iter().all(is_locked), "{habit:?}: {errors:?}");
        let calls = service.calls();
        let unwanted = ["CreateItem", "Delete", "GetSecret", "Unlock", "Prompt"];
        let after_setup: Vec<_> = calls.iter().skip_while(|call| *call != "CreateItem").skip(1).collect();
        assert!(!after_setup.iter().any(|call| unwanted.contains(&call.as_str())), "{habit:?}: {calls:?}");
    }
}

#[test]
fn p53_a_locked_keychain_never_reports_a_missing_key() {
    for habit in [Habit::Honest, Habit::HidesWhileLocked] {
        let (_service, keychain) = locked(habit);
        assert_eq!(keychain.get(&item("never")), Err(KeychainError::Locked), "{habit:?}");
        assert_eq!(keychain.delete(&item("never")), Err(KeychainError::Locked), "{habit:?}");
    }
}

#[test]
fn p53_a_key_in_a_locked_collection_is_locked_even_if_the_default_one_is_open() {
    let (service, keychain) = with_a_key(Habit::LocksItems);
    assert_eq!(keychain.get(&item("k1")), Err(KeychainError::Locked));
    assert_eq!(keychain.delete(&item("k1")), Err(KeychainError::Locked));
    assert_eq!(keychain.key_ids(PROGRAM), Err(KeychainError::Locked));
    assert_eq!((keychain.get(&item("never")), service.items()), (Err(KeychainError::NoItem), 1));
}

#[test]
fn p47_a_service_that_needs_a_prompt_counts_as_locked_and_shows_none() {
    let (service, keychain) = with_a_key(Habit::AsksFirst);
    assert_eq!(keychain.set(&item("k2"), &key(2)), Err(KeychainError::Locked));
    assert_eq!(keychain.delete(&item("k1")), Err(KeychainError::Locked));
    assert!(!service.calls().contains(&"Prompt".to_owned()));
    assert_eq!((keychain.get(&item("k1")), service.items()), (Ok(key(1)), 1));
}

#[test]
fn p47_a_service_that_does_not_respond_times_out() {
    for habit in [Habit::Silent, Habit::Slow] {
        let (_service, keychain) = with_a_key(habit);
        let errors = failures(&keychain);
        assert!(errors.iter().all(is_timed_out), "{habit:?}: {errors:?}");
        assert_eq!(
            in_time(&keychain, |keychain| keychain.unlock()),
            Err(KeychainError::TimedOut),
            "{habit:?}"
        );
    }
}

#[test]
fn p47_a_service_or_bus_that_exits_during_a_call_is_a_failure() {
    for habit in [Habit::Dies, Habit::BusDies] {
        let (_service, keychain) = with_a_key(habit);
        let errors = failures(&keychain);
        assert!(errors.iter().all(is_failed), "{habit:?}: {errors:?}");
    }
}

#[test]
fn p53_an_invalid_key_or_reply_is_a_failure() {
    for habit in [Habit::Garbles, Habit::Truncates, Habit::Babbles] {
        let (_service, keychain) = with_a_key(habit);
        let error = in_time(&keychain, |keychain| keychain.get(&item("k1")).unwrap_err());
        assert!(is_failed(&error), "{habit:?}: {error:?}");
    }
    let (_service, keychain) = with_a_key(Habit::Babbles);
    let errors = failures(&keychain);
    assert!(errors.iter().all(is_failed), "{errors:?}");
}

/// Only reading a key back shows that the service stored it. A login does so with each new key.
#[test]
fn p53_reading_back_detects_a_key_that_was_not_stored() {
    let service = ScriptedService::start(Habit::Forgets).unwrap();
    let keychain = keychain(&service.variables());
    assert_eq!(keychain.set(&item("k1"), &key(1)), Ok(()));
    assert_eq!(keychain.get(&item("k1")), Err(KeychainError::NoItem));
    service.behave(Habit::SwapsKeys);
    keychain.set(&item("k2"), &key(2)).unwrap();
    assert_ne!(keychain.get(&item("k2")).unwrap(), key(2));
}

#[test]
fn unlocking_prompts_once_and_only_if_locked() {
    let (service, keychain) = with_a_key(Habit::Honest);
    assert_eq!(keychain.unlock(), Ok(()));
    assert!(!service.calls().contains(&"Unlock".to_owned()), "it is already unlocked");
    service.lock();
    assert_eq!(in_time(&keychain, |keychain| keychain.unlock()), Ok(()));
    assert_eq!(service.calls().iter().filter(|call| *call == "Prompt").count(), 1);
    assert_eq!(keychain.get(&item("k1")), Ok(key(1)));
}

#[test]
fn p49_a_dismissed_prompt_is_a_refusal() {
    let (_service, keychain) = locked(Habit::Dismissed);
    assert_eq!(in_time(&keychain, |keychain| keychain.unlock()), Err(KeychainError::Refused));
    assert!(failures(&keychain).iter().all(is_locked));
}

#[test]
fn a_completed_prompt_that_does_not_unlock_is_reported_as_locked() {
    let (_service, keychain) = locked(Habit::StaysLocked);
    assert_eq!(in_time(&keychain, |keychain| keychain.unlock()), Err(KeychainError::Locked));
}

#[test]
fn p47_a_service_that_exits_during_the_prompt_is_a_failure() {
    let (_service, keychain) = locked(Habit::DiesAsking);
    assert!(is_failed(&in_time(&keychain, |keychain| keychain.unlock().unwrap_err())));
}

#[test]
fn p47_unlocking_waits_while_the_prompt_is_open() {
    let (_service, keychain) = locked(Habit::NobodyAnswers);
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(keychain.unlock()));
    // Longer than any other call may take: the caller sets the limit here.
    assert_eq!(result.recv_timeout(Duration::from_secs(3)), Err(mpsc::RecvTimeoutError::Timeout));
}

#[test]
fn reading_a_key_takes_three_calls() {
    let (service, keychain) = with_a_key(Habit::Honest);
    let before = service.calls().len();
    keychain.get(&item("k1")).unwrap();
    assert_eq!(service.calls()[before..], ["SearchItems", "OpenSession", "GetSecret"]);
}
