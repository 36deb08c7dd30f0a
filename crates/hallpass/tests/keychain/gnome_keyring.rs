//! GNOME Keyring, on a private bus.

use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::Duration;

use hallpass::Environment;
use hallpass::error::KeychainError;
use hallpass::world::keychain::{Item, Keychain, SystemKeychain};
use hallpass_test::keychain::{GnomeKeyring, PrivateBus, REAL_KEYCHAIN, are_installed};

use crate::{PROGRAM, item, key};

struct Desktop {
    keychain: SystemKeychain,
    daemon: GnomeKeyring,
    bus: PrivateBus,
}

impl Desktop {
    /// Returns `None`, and prints why, if GNOME Keyring or D-Bus is not installed.
    fn start() -> Option<Desktop> {
        if !are_installed(&REAL_KEYCHAIN) {
            return None;
        }
        let bus = PrivateBus::start().unwrap();
        let daemon = GnomeKeyring::start(&bus).unwrap();
        Some(Desktop { keychain: keychain_at(&bus), daemon, bus })
    }
}

fn keychain_at(bus: &PrivateBus) -> SystemKeychain {
    let variables = bus.variables();
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    SystemKeychain::new(&Environment::from_variables(variables))
}

/// Stores a secret as another program would.
fn store_foreign_secret(bus: &PrivateBus, attributes: &[&str]) {
    let mut secret_tool = Command::new("secret-tool");
    secret_tool.args(["store", "--label=foreign"]).args(attributes).envs(bus.variables());
    let mut child = secret_tool.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"foreign").unwrap();
    assert!(child.wait().unwrap().success());
}

fn lookup(bus: &PrivateBus, key_id: &str) -> String {
    let attributes = ["lookup", "application", "hallpass", "service", PROGRAM, "key_id", key_id];
    let output = Command::new("secret-tool").args(attributes).envs(bus.variables()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_key_can_be_stored_read_listed_and_deleted() {
    let Some(desktop) = Desktop::start() else { return };
    let keychain = &desktop.keychain;
    assert_eq!(keychain.get(&item("k1")), Err(KeychainError::NoItem));
    assert_eq!(keychain.key_ids(PROGRAM), Ok(Vec::new()));
    keychain.set(&item("k1"), &key(1)).unwrap();
    keychain.set(&item("k2"), &key(2)).unwrap();
    keychain.set(&Item::new("othertool", "k3"), &key(3)).unwrap();
    assert_eq!((keychain.get(&item("k1")), keychain.get(&item("k2"))), (Ok(key(1)), Ok(key(2))));
    let mut ids = keychain.key_ids(PROGRAM).unwrap();
    ids.sort();
    assert_eq!(ids, ["k1", "k2"]);
    for id in ["k1", "k1"] {
        assert_eq!(keychain.delete(&item(id)), Ok(()));
        assert_eq!(keychain.get(&item(id)), Err(KeychainError::NoItem));
    }
    assert_eq!(keychain.get(&item("k2")), Ok(key(2)));
    assert_eq!(keychain.get(&Item::new("othertool", "k3")), Ok(key(3)));
}

#[test]
fn p53_every_key_survives_a_restart_of_the_daemon() {
    let Some(mut desktop) = Desktop::start() else { return };
    let keys: Vec<_> = [[0; 32], [0xff; 32], [b'\n'; 32], [b' '; 32]]
        .map(hallpass::world::keychain::Key::new)
        .into_iter()
        .chain((0..8).map(key))
        .collect();
    for (number, key) in keys.iter().enumerate() {
        desktop.keychain.set(&item(&format!("k{number}")), key).unwrap();
    }
    desktop.daemon.kill().unwrap();
    desktop.daemon = GnomeKeyring::start(&desktop.bus).unwrap();
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(desktop.keychain.get(&item(&format!("k{number}"))).as_ref(), Ok(key));
    }
}

#[test]
fn other_programs_can_find_a_key_and_their_items_are_left_alone() {
    if !are_installed(&["secret-tool"]) {
        return;
    }
    let Some(desktop) = Desktop::start() else { return };
    let keychain = &desktop.keychain;
    store_foreign_secret(&desktop.bus, &["service", PROGRAM, "key_id", "k1"]);
    assert_eq!(keychain.get(&item("k1")), Err(KeychainError::NoItem));
    assert_eq!(keychain.key_ids(PROGRAM), Ok(Vec::new()));
    keychain.set(&item("k1"), &key(1)).unwrap();
    let text = lookup(&desktop.bus, "k1");
    assert_eq!((text.len(), text.is_ascii(), text.lines().count()), (43, true, 1), "{text:?}");
    keychain.delete(&item("k1")).unwrap();
    let output =
        Command::new("secret-tool").args(["lookup", "key_id", "k1"]).envs(desktop.bus.variables()).output();
    assert_eq!(output.unwrap().stdout, b"foreign");
}

#[test]
fn p47_a_locked_keyring_is_locked_for_every_call_until_it_is_unlocked() {
    let Some(desktop) = Desktop::start() else { return };
    let keychain = &desktop.keychain;
    keychain.set(&item("k1"), &key(1)).unwrap();
    desktop.daemon.lock().unwrap();
    assert_eq!(keychain.get(&item("k1")), Err(KeychainError::Locked));
    assert_eq!(keychain.get(&item("never")), Err(KeychainError::Locked));
    assert_eq!(keychain.set(&item("k2"), &key(2)), Err(KeychainError::Locked));
    assert_eq!(keychain.delete(&item("k1")), Err(KeychainError::Locked));
    assert_eq!(keychain.delete(&item("never")), Err(KeychainError::Locked));
    assert_eq!(keychain.key_ids(PROGRAM), Err(KeychainError::Locked));
    assert_eq!(keychain.unlock(), Err(KeychainError::Refused), "there is no display for a prompt");
    desktop.daemon.unlock().unwrap();
    assert_eq!(keychain.unlock(), Ok(()), "it is already unlocked");
    assert_eq!(keychain.get(&item("k1")), Ok(key(1)));
    assert_eq!(keychain.get(&item("k2")), Err(KeychainError::NoItem));
}

#[test]
fn p47_a_hanging_daemon_times_out_and_works_again_once_resumed() {
    let Some(desktop) = Desktop::start() else { return };
    let keychain = &desktop.keychain;
    keychain.set(&item("k1"), &key(1)).unwrap();
    desktop.daemon.freeze().unwrap();
    assert_eq!(keychain.get(&item("k1")), Err(KeychainError::TimedOut));
    assert_eq!(keychain.set(&item("k2"), &key(2)), Err(KeychainError::TimedOut));
    desktop.daemon.thaw().unwrap();
    assert_eq!(keychain.get(&item("k1")), Ok(key(1)));
}

#[test]
fn p47_a_daemon_killed_during_a_call_is_a_failure_and_then_absent() {
    let Some(mut desktop) = Desktop::start() else { return };
    desktop.daemon.freeze().unwrap();
    let keychain = desktop.keychain.clone();
    let call = thread::spawn(move || keychain.get(&item("k1")));
    // Gives the call the time to reach the frozen daemon.
    thread::sleep(Duration::from_millis(500));
    desktop.daemon.kill().unwrap();
    let result = call.join().unwrap();
    assert!(matches!(&result, Err(KeychainError::Failed(why)) if why.contains("NoReply")), "{result:?}");
    let no_service = KeychainError::Absent("no Secret Service is running".to_owned());
    assert_eq!(desktop.keychain.get(&item("k1")), Err(no_service));
}

#[test]
fn p47_a_bus_killed_during_a_call_is_a_failure_and_then_absent() {
    let Some(mut desktop) = Desktop::start() else { return };
    desktop.daemon.freeze().unwrap();
    let keychain = desktop.keychain.clone();
    let call = thread::spawn(move || keychain.get(&item("k1")));
    thread::sleep(Duration::from_millis(500));
    desktop.bus.kill().unwrap();
    let result = call.join().unwrap();
    assert!(matches!(result, Err(KeychainError::Failed(_))), "{result:?}");
    let result = desktop.keychain.get(&item("k1"));
    assert!(matches!(result, Err(KeychainError::Absent(_))), "{result:?}");
}
