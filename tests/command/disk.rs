//! A disk that is full or read-only: found out before the browser opens and before a refresh token is spent, and over
//! with its cause.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use hallpass_dev::DevServer;
use serde_json::Value;

use crate::bench::{Bench, CLIENT, Outcome, ends_in, own_up_to, visit};
use crate::blow;
use crate::mounts::Mounts;

/// KiB and files for which a small disk has room: many times of what is needed.
const ROOM: u32 = 512;
const FILES: u32 = 100;

/// A home on a disk of its own, in which somebody signed in.
struct Site {
    bench: Bench,
    server: DevServer,
    mounts: Mounts,
}

impl Site {
    /// A disk on which everything fits.
    fn small() -> Option<Site> {
        let bench = Bench::new();
        let mounts = Mounts::small_disk(&bench.home(), ROOM, FILES)?;
        let site = Site { bench, server: DevServer::start().unwrap(), mounts };
        site.login().play(|url| visit(&site.server, url)).0.ok();
        site.server.journal().clear();
        Some(site)
    }

    /// A home that was mounted read-only after the sign-in.
    fn read_only() -> Option<Site> {
        let (bench, server) = (Bench::new(), DevServer::start().unwrap());
        bench.sign_in(&server, &[]);
        server.journal().clear();
        let mounts = Mounts::read_only(&bench.home())?;
        Some(Site { bench, server, mounts })
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.mounts.hallpass(&self.bench, args).run()
    }

    fn login(&self) -> crate::bench::Call<'_> {
        let browser = format!("--browser={}", self.bench.browser());
        let args = ["login", &browser, "--issuer", self.server.issuer(), "--client-id", CLIENT];
        self.mounts.hallpass(&self.bench, &args)
    }

    fn path(&self) -> PathBuf {
        self.mounts.path(&self.bench.record_file("default"))
    }

    fn record(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn let_expire_in(&self, seconds: u64) {
        let mut record: Value = serde_json::from_slice(&self.record()).unwrap();
        ends_in(&mut record, seconds);
        fs::write(self.path(), record.to_string()).unwrap();
        own_up_to(&self.path());
    }

    fn filler(&self) -> PathBuf {
        self.mounts.path(&self.bench.home().join("filler"))
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

    /// What is stored is handed out, nothing is spent and nothing begun; the record stays as it is.
    fn keeps_what_it_has(&self, cause: &str) {
        let (before, opened) = (self.record(), self.bench.opened().len());
        for verb in ["token", "whoami", "status"] {
            self.run(&[verb]).ok();
        }
        self.run(&["token", "--refresh"]).fails(8, cause, "HALLPASS_STATE_DIR=/path");
        self.login().run().fails(8, cause, "HALLPASS_STATE_DIR=/path");
        assert_eq!(self.bench.opened().len(), opened, "the browser was opened");
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
    let file = |number: u32| site.mounts.path(&site.bench.home().join(number.to_string()));
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
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    let Some(mounts) = Mounts::small_disk(&bench.home(), ROOM, FILES) else { return };
    let site = Site { bench, server, mounts };
    site.fill();
    site.login().run().fails(8, FULL, "");
    assert_eq!((site.bench.opened().len(), site.asked()), (0, 0));
    fs::remove_file(site.filler()).unwrap();
    site.login().play(|url| visit(&site.server, url)).0.ok();
}

#[test]
fn p41_a_home_that_is_mounted_read_only_gives_what_it_has() {
    let Some(site) = Site::read_only() else { return };
    let read_only = "the file system is read-only";
    site.keeps_what_it_has(read_only);
    site.bench.let_expire_in("default", 20);
    assert!(site.run(&["token"]).ok().stderr.contains(read_only));
    site.bench.let_expire_in("default", 0);
    site.run(&["token"]).fails(8, read_only, "HALLPASS_STATE_DIR=/path");
    assert_eq!(site.asked(), 0);
    site.bench.run(&["token"]).ok();
}

/// What a program is told that may not have more room. No test may set a real quota.
fn beyond_its_quota(command: &Command, log: &Path) -> Command {
    blow::traced(command, &["-f", "-o", log.to_str().unwrap(), "-e", "inject=fallocate:error=EDQUOT"])
}

#[test]
fn p41_a_quota_that_is_used_up_is_found_out_before_anything_is_spent_or_begun() {
    if !blow::can_trace() {
        return;
    }
    let (bench, server) = (Bench::new(), DevServer::start().unwrap());
    bench.sign_in(&server, &[]);
    let (before, opened) = (bench.record_bytes("default"), bench.opened().len());
    server.journal().clear();
    for call in [bench.hallpass(&["token", "--refresh"]), bench.login_at(&server, &[])] {
        let call = beyond_its_quota(&call.into_command(), &bench.beside("calls"));
        bench.call(call).run().fails(8, "the disk quota is exceeded", "HALLPASS_STATE_DIR=/path");
    }
    assert_eq!((server.journal().count("/authorize"), server.journal().count("/token")), (0, 0));
    assert_eq!((bench.record_bytes("default"), bench.opened().len()), (before, opened));
    bench.value(&["token", "--refresh"]);
}
