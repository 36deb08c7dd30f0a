//! A disk that is full or read-only: found out before the browser opens and before a refresh token is spent, and over
//! with its cause.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use hallpass_dev::DevServer;
use hallpass_test::command::{
    CLIENT, CommandSandbox, Outcome, expire_in, forget_journal, timed_signal, visit,
};
use serde_json::Value;

use crate::mounts::Mounts;
use crate::new_sandbox;

/// KiB and files for which a small disk has room: many times of what is needed.
const ROOM: u32 = 512;
const FILES: u32 = 100;

/// A home on a disk of its own, in which somebody signed in.
struct Site {
    sandbox: CommandSandbox,
    server: DevServer,
    mounts: Mounts,
}

impl Site {
    /// A disk on which everything fits.
    fn small() -> Option<Site> {
        let sandbox = new_sandbox();
        let mounts = Mounts::small_disk(&sandbox.home(), ROOM, FILES)?;
        let site = Site { sandbox, server: DevServer::start().unwrap(), mounts };
        site.login().play(|url| visit(&site.server, url)).0.ok();
        site.server.journal().clear();
        Some(site)
    }

    /// A home that was mounted read-only after the sign-in.
    fn read_only() -> Option<Site> {
        let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
        sandbox.sign_in(&server, &[]);
        server.journal().clear();
        let mounts = Mounts::read_only(&sandbox.home())?;
        Some(Site { sandbox, server, mounts })
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.mounts.hallpass(&self.sandbox, args).run()
    }

    fn login(&self) -> hallpass_test::command::Invocation<'_> {
        let browser = format!("--browser={}", self.sandbox.browser());
        let args = ["login", &browser, "--issuer", self.server.issuer(), "--client-id", CLIENT];
        self.mounts.hallpass(&self.sandbox, &args)
    }

    fn path(&self) -> PathBuf {
        self.mounts.path(&self.sandbox.record_file("default"))
    }

    fn record(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn let_expire_in(&self, seconds: u64) {
        let mut record: Value = serde_json::from_slice(&self.record()).unwrap();
        expire_in(&mut record, seconds);
        fs::write(self.path(), record.to_string()).unwrap();
        forget_journal(&self.path());
    }

    fn filler(&self) -> PathBuf {
        self.mounts.path(&self.sandbox.home().join("filler"))
    }

    /// Fills the disk to the last byte.
    fn fill(&self) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn leave_free(&self, bytes: u64) {
        self.fill();
        let filler = OpenOptions::new().write(true).open(self.filler()).unwrap();
        filler.set_len(filler.metadata().unwrap().len() - bytes).unwrap();
    }

    /// Checks that stored values are printed, no refresh token is spent, no login starts, and the record stays as it is.
    fn keeps_what_it_has(&self, cause: &str) {
        let (before, opened) = (self.record(), self.sandbox.opened().len());
        for verb in ["token", "whoami", "status"] {
            self.run(&[verb]).ok();
        }
        self.run(&["token", "--refresh"]).fails(8, cause, "HALLPASS_STATE_DIR=/path");
        self.login().run().fails(8, cause, "HALLPASS_STATE_DIR=/path");
        assert_eq!(self.sandbox.opened().len(), opened, "the browser was opened");
        assert_eq!(self.asked(), 0);
        assert!(self.record() == before);
    }

    /// An access token is handed out for as long as it works.
    fn hands_out_what_ends(&self, cause: &str) {
        self.let_expire_in(20);
        let ending = self.run(&["token"]).ok();
        assert!(ending.stderr.contains("Note: ") && ending.stderr.contains(cause), "{ending:#?}");
        self.let_expire_in(0);
        self.run(&["token"]).fails(8, cause, "HALLPASS_STATE_DIR=/path");
        assert_eq!(self.asked(), 0);
    }

    /// How many requests went to the authorization and the token endpoint.
    fn asked(&self) -> usize {
        self.server.journal().count("/authorize") + self.server.journal().count("/token")
    }
}

const FULL: &str = "the disk is full";

#[test]
fn p41_a_full_disk_is_found_out_before_anything_is_spent_or_begun() {
    let Some(site) = Site::small() else { return };
    site.fill();
    site.keeps_what_it_has(FULL);
    site.hands_out_what_ends(FULL);
    fs::remove_file(site.filler()).unwrap();
    assert_eq!(site.run(&["token"]).ok().stderr, "");
    assert_eq!(site.asked(), 1);
}

#[test]
fn p41_a_disk_without_room_for_one_more_file_is_as_good_as_full() {
    let Some(site) = Site::small() else { return };
    let file = |number: u32| site.mounts.path(&site.sandbox.home().join(number.to_string()));
    let count = (0..FILES).take_while(|number| File::create(file(*number)).is_ok()).count();
    assert!(count < FILES as usize);
    site.keeps_what_it_has(FULL);
    site.hands_out_what_ends(FULL);
    fs::remove_file(file(0)).unwrap();
    site.run(&["token"]).ok();
}

#[test]
fn p41_however_little_room_there_is_a_refresh_is_saved_or_not_sent() {
    let Some(site) = Site::small() else { return };
    for kibibytes in (0..96).step_by(4) {
        site.leave_free(kibibytes * 1024);
        site.server.journal().clear();
        let before = site.record();
        let refresh = site.run(&["token", "--refresh"]);
        assert_eq!(refresh.code, if site.asked() == 0 { 8 } else { 0 }, "{kibibytes} KiB: {refresh:#?}");
        assert_eq!(site.record() == before, site.asked() == 0, "{kibibytes} KiB");
    }
    assert_eq!(site.asked(), 1);
}

#[test]
fn p41_a_disk_that_fills_up_while_the_user_signs_in_costs_no_older_sign_in() {
    let Some(site) = Site::small() else { return };
    let before = site.record();
    let (login, visit) = site.login().play(|url| {
        site.fill();
        visit(&site.server, url)
    });
    login.fails(8, FULL, "HALLPASS_STATE_DIR=/path");
    assert_eq!(visit.status, 400, "{}", visit.body);
    assert!(site.record() == before);
    fs::remove_file(site.filler()).unwrap();
    site.run(&["token", "--refresh"]).ok();
}

#[test]
fn p41_a_first_login_on_a_full_disk_opens_no_browser_and_leaves_nothing() {
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let Some(mounts) = Mounts::small_disk(&sandbox.home(), ROOM, FILES) else { return };
    let site = Site { sandbox, server, mounts };
    site.fill();
    site.login().run().fails(8, FULL, "");
    assert_eq!((site.sandbox.opened().len(), site.asked()), (0, 0));
    fs::remove_file(site.filler()).unwrap();
    site.login().play(|url| visit(&site.server, url)).0.ok();
}

#[test]
fn p41_a_home_that_is_mounted_read_only_gives_what_it_has() {
    let Some(site) = Site::read_only() else { return };
    let read_only = "the file system is read-only";
    site.keeps_what_it_has(read_only);
    site.sandbox.let_expire_in("default", 20);
    assert!(site.run(&["token"]).ok().stderr.contains(read_only));
    site.sandbox.let_expire_in("default", 0);
    site.run(&["token"]).fails(8, read_only, "HALLPASS_STATE_DIR=/path");
    assert_eq!(site.asked(), 0);
    site.sandbox.run(&["token"]).ok();
}

/// Returns the command with the error of an exceeded quota, because tests cannot set a real quota.
fn beyond_its_quota(command: &Command, log: &Path) -> Command {
    timed_signal::traced(command, &["-f", "-o", log.to_str().unwrap(), "-e", "inject=fallocate:error=EDQUOT"])
}

#[test]
fn p41_a_quota_that_is_used_up_is_found_out_before_anything_is_spent_or_begun() {
    if !timed_signal::can_trace() {
        return;
    }
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    let (before, opened) = (sandbox.record_bytes("default"), sandbox.opened().len());
    server.journal().clear();
    for call in [sandbox.hallpass(&["token", "--refresh"]), sandbox.login_at(&server, &[])] {
        let call = beyond_its_quota(&call.into_command(), &sandbox.beside("calls"));
        sandbox.call(call).run().fails(8, "the disk quota is exceeded", "HALLPASS_STATE_DIR=/path");
    }
    assert_eq!((server.journal().count("/authorize"), server.journal().count("/token")), (0, 0));
    assert_eq!((sandbox.record_bytes("default"), sandbox.opened().len()), (before, opened));
    sandbox.value(&["token", "--refresh"]);
}
