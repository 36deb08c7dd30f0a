//! The command with GNOME Keyring on a bus of its own.

use std::thread;
use std::time::Duration;

use hallpass::Environment;
use hallpass::world::keychain::{Keychain, SystemKeychain};
use hallpass_dev::DevServer;
use hallpass_test::command::{CommandSandbox, Outcome};
use hallpass_test::keychain::{GnomeKeyring, PrivateBus, REAL_KEYCHAIN, are_installed};

use crate::keychain::{
    TO_FILE, TO_KEYCHAIN, assert_outlives_moves, holds_none, in_time, is_sealed, tells_first,
};
use crate::new_sandbox;

struct Desktop {
    sandbox: CommandSandbox,
    server: DevServer,
    keyring: GnomeKeyring,
    bus: PrivateBus,
}

impl Desktop {
    /// `None` where there is no such desktop to start, which is said.
    fn start() -> Option<Desktop> {
        if !are_installed(&REAL_KEYCHAIN) {
            return None;
        }
        let bus = PrivateBus::start().unwrap();
        let keyring = GnomeKeyring::start(&bus).unwrap();
        let sandbox = new_sandbox().with("DBUS_SESSION_BUS_ADDRESS", bus.address());
        Some(Desktop { sandbox, server: DevServer::start().unwrap(), keyring, bus })
    }

    /// Signed in, with a sealed record.
    fn sealed() -> Option<Desktop> {
        let desktop = Desktop::start()?;
        desktop.sandbox.sign_in(&desktop.server, &[]);
        assert!(is_sealed(&desktop.sandbox));
        desktop.server.journal().clear();
        Some(desktop)
    }

    /// The keys of the command that the keyring has.
    fn keys(&self) -> Vec<String> {
        let environment = Environment::from_variables([("DBUS_SESSION_BUS_ADDRESS", self.bus.address())]);
        SystemKeychain::new(&environment).key_ids("hallpass").unwrap()
    }

    /// The one key of the record, and no other.
    #[track_caller]
    fn has_one_key(&self) -> String {
        let key = self.sandbox.record("default")["seal"]["key_id"].as_str().unwrap().to_owned();
        assert_eq!(self.keys(), [key.as_str()]);
        key
    }

    fn run(&self, args: &[&str]) -> Outcome {
        in_time(self.sandbox.run(args))
    }

    fn store(&self) -> String {
        let status = self.run(&["status", "--json"]).ok().json();
        status[0]["store"].as_str().unwrap().to_owned()
    }

    /// Checks that commands that need the key fail, that others work, and that none reports a signed-out user.
    fn is_shut(&self, why: &str) {
        let before = self.sandbox.record_bytes("default");
        let calls: [&[&str]; 6] = [
            &["token"],
            &["token", "--refresh"],
            &["token", "--id-token"],
            &["whoami", "--fresh"],
            &TO_FILE,
            &["login", "--if-needed"],
        ];
        for args in calls {
            let call = self.run(args);
            call.fails(8, why, "");
            assert!(!call.stderr.contains("not signed in"), "{call:#?}");
        }
        assert_eq!(self.run(&["status", "--check"]).code, 8);
        for args in [&["whoami"][..], &["status"], &["profiles", "list"], &TO_KEYCHAIN] {
            self.run(args).ok();
        }
        let login = in_time(self.sandbox.login(&["--storage", "keychain"]).run());
        login.fails(8, why, "--storage file");
        assert_eq!(self.server.journal().entries().len(), 0);
        assert!(self.sandbox.record_bytes("default") == before, "the record was written");
    }

    /// A login that may choose takes a file, and says why.
    fn falls_back(&self, why: &str) {
        let login = in_time(self.sandbox.sign_in(&self.server, &["--storage", "auto"]));
        tells_first(&login, "Credentials will be saved in ");
        tells_first(&login, why);
        assert!(!is_sealed(&self.sandbox));
        self.run(&["token", "--refresh"]).ok();
        self.run(&["logout"]).ok();
    }

    /// Erased, though the server cannot be told.
    fn is_ended(&self, args: &[&str]) {
        let logout = self.run(args);
        assert_eq!(logout.code, 5, "{logout:#?}");
        assert!(!self.sandbox.record_file("default").exists(), "{logout:#?}");
        self.run(&["token"]).fails(4, "not signed in", "hallpass login");
    }
}

/// Whatever takes the key away from two who are signed in: what then happens to every command.
fn assert_bearable(take_away: impl Fn(&mut Desktop), why: &str) {
    let Some(mut desktop) = Desktop::sealed() else { return };
    take_away(&mut desktop);
    desktop.is_shut(why);
    desktop.falls_back(why);
    for args in [&["logout"][..], &["logout", "--all"], &["profiles", "remove", "default"]] {
        let Some(mut desktop) = Desktop::sealed() else { return };
        take_away(&mut desktop);
        desktop.is_ended(args);
    }
}

#[test]
fn p49_from_login_to_logout_nothing_secret_is_in_clear_and_no_key_is_left() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = &desktop.sandbox;
    let login = sandbox.sign_in(&desktop.server, &[]);
    tells_first(&login, ", encrypted with a key from the keychain");
    let first = desktop.has_one_key();
    let mut secrets = vec![sandbox.value(&["token"]), sandbox.value(&["token", "--id-token"])];
    holds_none(sandbox, &secrets);
    secrets.push(sandbox.value(&["token", "--refresh"]));
    assert_eq!(desktop.has_one_key(), first, "a refresh needs no new key");
    holds_none(sandbox, &secrets);
    assert!(desktop.run(&["whoami"]).ok().stdout.starts_with("Logged in as: test@example.com\n"));
    let status = desktop.run(&["status"]).ok();
    assert!(status.stdout.contains(", encrypted with a key in the keychain"), "{status:#?}");
    assert_eq!(desktop.store(), "keychain");

    desktop.run(&TO_FILE).ok();
    assert_eq!((desktop.keys(), desktop.store()), (Vec::new(), "file".to_owned()));
    assert!(!desktop.run(&["status"]).ok().stdout.contains("keychain"));
    let open = &sandbox.record("default")["secret"];
    secrets
        .extend([&open["refresh_token"], &open["id_token"]].map(|value| value.as_str().unwrap().to_owned()));
    assert_eq!(sandbox.value(&["token"]), secrets[2]);
    desktop.run(&TO_KEYCHAIN).ok();
    assert_eq!(desktop.store(), "keychain");
    assert_ne!(desktop.has_one_key(), first);
    holds_none(sandbox, &secrets);
    assert_eq!(sandbox.value(&["token"]), secrets[2]);

    let before = desktop.has_one_key();
    sandbox.sign_in(&desktop.server, &[]);
    assert_ne!(desktop.has_one_key(), before);
    desktop.run(&["logout"]).ok();
    assert_eq!(desktop.keys(), [""; 0]);
    assert!(!sandbox.record_file("default").exists());
    sandbox.sign_in(&desktop.server, &[]);
    desktop.has_one_key();
    desktop.run(&["profiles", "remove", "default"]).ok();
    assert_eq!(desktop.keys(), [""; 0]);
    desktop.run(&["token"]).fails(4, "not signed in", "hallpass login");
}

#[test]
fn doctor_tries_the_keyring_leaves_nothing_in_it_and_says_when_it_is_locked() {
    let Some(desktop) = Desktop::sealed() else { return };
    let doctor = desktop.run(&["doctor"]).ok();
    assert!(doctor.stdout.contains("\nok  keychain  available to encrypt credentials\n"), "{doctor:#?}");
    desktop.has_one_key();
    desktop.keyring.lock().unwrap();
    let doctor = desktop.run(&["doctor"]).ok();
    assert!(doctor.stdout.contains("\n--  keychain  the keychain is locked; "), "{doctor:#?}");
    assert_eq!(desktop.run(&["doctor", "--storage", "keychain"]).code, 8);
}

#[test]
fn two_profiles_have_a_key_each() {
    let Some(desktop) = Desktop::sealed() else { return };
    desktop.sandbox.sign_in(&desktop.server, &["--profile", "work"]);
    assert_eq!(desktop.keys().len(), 2);
    desktop.run(&["logout", "--profile", "work"]).ok();
    desktop.has_one_key();
    desktop.run(&["token"]).ok();
}

#[test]
fn p47_every_command_bears_a_locked_keyring() {
    assert_bearable(|desktop| desktop.keyring.lock().unwrap(), "locked");
}

#[test]
fn p53_a_keyring_that_was_locked_or_silent_opens_the_same_sign_in_again() {
    let Some(desktop) = Desktop::sealed() else { return };
    let token = desktop.sandbox.value(&["token"]);
    desktop.keyring.lock().unwrap();
    desktop.run(&["token"]).fails(8, "locked", "unlock the keychain");
    desktop.keyring.unlock().unwrap();
    assert_eq!(desktop.sandbox.value(&["token"]), token);
    desktop.keyring.freeze().unwrap();
    desktop.run(&["token"]).fails(8, "did not respond", "hallpass login --storage file");
    desktop.keyring.thaw().unwrap();
    assert_eq!(desktop.sandbox.value(&["token"]), token);
    desktop.run(&["token", "--refresh"]).ok();
}

#[test]
fn p47_every_command_bears_a_keyring_that_hangs() {
    assert_bearable(|desktop| desktop.keyring.freeze().unwrap(), "did not respond");
}

#[test]
fn p47_every_command_bears_a_keyring_that_ended() {
    assert_bearable(|desktop| desktop.keyring.kill().unwrap(), "no keychain available");
}

#[test]
fn p47_every_command_bears_a_session_whose_bus_ended() {
    assert_bearable(|desktop| desktop.bus.kill().unwrap(), "no keychain available");
}

#[test]
fn p47_a_keyring_that_is_killed_during_a_call_failed() {
    for args in [&["token"][..], &["token", "--refresh"], &["logout"]] {
        let Some(mut desktop) = Desktop::sealed() else { return };
        desktop.keyring.freeze().unwrap();
        let call = desktop.sandbox.hallpass(args).start();
        // By then it waits for an answer.
        thread::sleep(Duration::from_millis(700));
        desktop.keyring.kill().unwrap();
        let call = in_time(call.finish());
        let code = if args == ["logout"] { 5 } else { 8 };
        assert_eq!(call.code, code, "{call:#?}");
        assert!(call.stderr.contains("the keychain failed"), "{call:#?}");
    }
}

#[test]
fn p40_p54_a_move_that_is_killed_leaves_a_sign_in_that_the_keyring_opens() {
    let Some(desktop) = Desktop::sealed() else { return };
    assert_outlives_moves(&desktop.sandbox, 40);
    desktop.run(&["logout"]).ok();
}
