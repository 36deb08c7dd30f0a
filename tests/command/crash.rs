//! A command that is killed leaves the old record or the new one, complete, and a sign-in that still works.
//!
//! Ordinary tests try a few moments only. CONTRIBUTING.md has the command that tries all.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::Instant;

use hallpass_dev::DevServer;
use hallpass_test::command::timed_signal::{self, Moment};
use hallpass_test::command::{CLIENT, CommandSandbox};
use hallpass_test::files::files_below;
use hallpass_test::keychain::{
    GnomeKeyring, Habit, PrivateBus, REAL_KEYCHAIN, ScriptedService, are_installed,
};
use rustix::process::Signal;
use serde_json::Value;

use crate::new_sandbox;

/// The call that is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    /// `token --refresh`.
    Refresh,
    /// `login` over an older sign-in.
    Login,
    /// `login` where nobody is signed in.
    FirstLogin,
}

const VERBS: [Verb; 3] = [Verb::Refresh, Verb::Login, Verb::FirstLogin];

/// The results of some moments.
#[derive(Default)]
struct Tally {
    /// The record was as before.
    old: usize,
    /// It was a new one.
    new: usize,
    /// The server had rotated the refresh token and nobody was left to save the new one.
    lost: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { old, new, lost } = self;
        write!(
            f,
            "{} kills: {old} left the old record ({lost} of them after the refresh token was sent: lost), {new} the new one",
            old + new
        )
    }
}

/// A signed-in user, and the server.
struct Site {
    sandbox: CommandSandbox,
    server: DevServer,
    /// Of a sign-in that is sealed.
    _keychain: Option<(GnomeKeyring, PrivateBus)>,
}

impl Site {
    fn new() -> Site {
        Site::signed_in(new_sandbox(), None)
    }

    /// One whose record is sealed under a key in a keychain.
    fn sealed() -> Option<Site> {
        if !are_installed(&REAL_KEYCHAIN) {
            return None;
        }
        let bus = PrivateBus::start().unwrap();
        let keyring = GnomeKeyring::start(&bus).unwrap();
        let sandbox = new_sandbox().with("DBUS_SESSION_BUS_ADDRESS", bus.address());
        let site = Site::signed_in(sandbox.with("HALLPASS_STORAGE", "keychain"), Some((keyring, bus)));
        assert!(site.sandbox.record("default").get("seal").is_some());
        Some(site)
    }

    fn signed_in(sandbox: CommandSandbox, keychain: Option<(GnomeKeyring, PrivateBus)>) -> Site {
        let site = Site { sandbox, server: DevServer::start().unwrap(), _keychain: keychain };
        site.sandbox.sign_in(&site.server, &[]);
        site
    }

    fn command(&self, verb: Verb) -> std::process::Command {
        let login = ["login", "--no-browser", "--issuer", self.server.issuer(), "--client-id", CLIENT];
        let arguments = if verb == Verb::Refresh { &["token", "--refresh"] } else { &login[..] };
        self.sandbox.hallpass(arguments).into_command()
    }

    /// Plays the person in front of a login, and waits for the end.
    fn accompany(&self, mut child: Child) -> ExitStatus {
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let robot = self.server.robot();
        // The person finds nobody where the command is dead by then.
        lines.filter(|line| line.starts_with("http")).for_each(|url| drop(robot.visit(&url)));
        child.wait().unwrap()
    }

    /// Blows that are spread over the time of a call.
    fn by_time(&self, verb: Verb, count: u32) -> Vec<Moment> {
        let begun = Instant::now();
        assert!(self.accompany(timed_signal::start(self.command(verb))).success());
        timed_signal::spread(begun.elapsed() * 11 / 10, count)
    }

    /// A moment before each of its system calls; without `strace` some that are spread over its time.
    fn everywhere(&self, verb: Verb) -> Vec<Moment> {
        if !timed_signal::can_trace() {
            return self.by_time(verb, 100);
        }
        let log = self.sandbox.beside("calls");
        let traced = timed_signal::traced(&self.command(verb), &["-o", log.to_str().unwrap()]);
        assert!(self.accompany(timed_signal::start(traced)).success());
        timed_signal::system_calls(&fs::read_to_string(log).unwrap())
            .into_iter()
            .map(Moment::Before)
            .collect()
    }

    /// Once something may have been answered. What comes before is the loading of the program, above all.
    fn after_the_answer(&self, verb: Verb) -> Vec<Moment> {
        let received = |moment: &Moment| matches!(moment, Moment::Before(call) if call.name == "recvfrom");
        self.everywhere(verb).into_iter().skip_while(|moment| !received(moment)).collect()
    }

    /// Strikes once and looks at what is left, which has to work.
    fn kill_at(&self, verb: Verb, moment: &Moment, signal: Signal, tally: &mut Tally) {
        if verb == Verb::FirstLogin {
            fs::remove_file(self.sandbox.record_file("default")).unwrap();
        }
        let (before, temporary) = (self.record(), self.temporary_files());
        self.server.journal().clear();
        let status = self.accompany(timed_signal::start_and_signal(self.command(verb), moment, signal));
        let what = format!("{verb:?} {moment:?} {} {status}", timed_signal::signal_name(signal));
        assert!(is_how_it_ends(status, signal), "{what}");
        assert!(self.temporary_files() <= temporary + 2, "{what}: temporary files are left");
        self.nobody_else_may_read(&what);
        let is_old = self.record() == before;
        if !is_old {
            follows(before.as_deref(), &self.record().unwrap(), &what);
        }
        let is_signed_in = before.is_some() || !is_old;
        let is_lost = self.goes_on(is_signed_in, &what);
        assert!(!is_signed_in || self.temporary_files() == 0, "{what}: the next refresh swept nothing");
        assert!(!is_lost || (is_old && signal == Signal::KILL), "{what}: a refresh token was lost");
        tally.count(is_old, is_lost);
    }

    fn record(&self) -> Option<Vec<u8>> {
        fs::read(self.sandbox.record_file("default")).ok()
    }

    fn nobody_else_may_read(&self, what: &str) {
        for path in files_below(&self.sandbox.home()).into_keys() {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{what}: {} has {mode:o}", path.display());
        }
    }

    fn temporary_files(&self) -> usize {
        let is_temporary = |name: &str| name.starts_with('.') && name.ends_with(".tmp");
        let files = files_below(&self.sandbox.home()).into_keys();
        files.filter(|path| is_temporary(&path.file_name().unwrap().to_string_lossy())).count()
    }

    /// The next commands work. Whether the session is over for all that: it may be where the refresh token was sent
    /// and the answer not saved.
    fn goes_on(&self, is_signed_in: bool, what: &str) -> bool {
        let expected = if is_signed_in { 0 } else { 4 };
        assert_eq!(self.sandbox.run(&["status"]).code, expected, "{what}");
        let next = self.sandbox.run(&["token", "--refresh"]);
        let is_over = next.code == 4;
        assert!(next.code == 0 || is_over, "{what}: {next:#?}");
        assert!(!next.stderr.contains("another program"), "{what}: {next:#?}");
        if is_over {
            assert!(!is_signed_in || self.refreshes() > 1, "{what}: {next:#?}");
            self.sandbox.sign_in(&self.server, &[]);
        }
        is_signed_in && is_over
    }

    /// How many were sent.
    fn refreshes(&self) -> usize {
        let asked = self.server.journal().requests_to("/token");
        asked.iter().filter(|entry| entry.param("grant_type") == Some("refresh_token")).count()
    }
}

impl Tally {
    fn count(&mut self, is_old: bool, is_lost: bool) {
        *(if is_old { &mut self.old } else { &mut self.new }) += 1;
        self.lost += usize::from(is_lost);
    }
}

/// By itself, or by the signal as a shell tells it.
fn is_how_it_ends(status: ExitStatus, signal: Signal) -> bool {
    let number = signal.as_raw();
    status.success() || status.code() == Some(128 + number) || status.signal() == Some(number)
}

/// A whole record, later than the one before it, with secrets of its own.
fn follows(old: Option<&[u8]>, new: &[u8], what: &str) {
    let parsed =
        |bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let new = parsed(new);
    assert!(has_secrets(&new), "{what}");
    let Some(old) = old.map(parsed) else { return };
    let names = |record: &Value| record.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&new), names(&old), "{what}");
    assert!(new["generation"].as_u64() > old["generation"].as_u64(), "{what}");
    assert_ne!(new["secret"], old["secret"], "{what}");
}

/// In clear or sealed.
fn has_secrets(record: &Value) -> bool {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    match &record["secret"] {
        Value::String(sealed) => record["seal"].is_object() && !sealed.is_empty(),
        open => is_text(&open["refresh_token"]) && is_text(&open["access_tokens"][0]),
    }
}

#[test]
fn n85_p40_a_command_that_is_killed_leaves_the_old_record_or_the_new_one() {
    let (site, mut tally) = (Site::new(), Tally::default());
    for verb in VERBS {
        let sparse = if verb == Verb::Refresh { 1 } else { 4 };
        let moments = site.after_the_answer(verb).into_iter().step_by(sparse).chain(site.by_time(verb, 5));
        moments.for_each(|moment| site.kill_at(verb, &moment, Signal::KILL, &mut tally));
    }
    assert!(tally.old > 0 && tally.new > 0, "{tally}");
}

#[test]
fn p30_no_refresh_token_is_lost_to_a_signal() {
    let (site, mut tally) = (Site::new(), Tally::default());
    for (signal, verb) in
        [(Signal::INT, Verb::Refresh), (Signal::TERM, Verb::Refresh), (Signal::TERM, Verb::Login)]
    {
        let moments = site.after_the_answer(verb).into_iter().step_by(4).chain(site.by_time(verb, 5));
        moments.for_each(|moment| site.kill_at(verb, &moment, signal, &mut tally));
    }
    assert!(tally.old > 0 && tally.new > 0, "{tally}");
}

#[test]
fn p40_a_sealed_sign_in_outlives_a_login_and_a_refresh_that_are_killed() {
    let Some(site) = Site::sealed() else { return };
    let mut tally = Tally::default();
    for verb in [Verb::Refresh, Verb::Login] {
        let moments = site.after_the_answer(verb).into_iter().step_by(8).chain(site.by_time(verb, 5));
        moments.for_each(|moment| site.kill_at(verb, &moment, Signal::KILL, &mut tally));
    }
    assert!(tally.old > 0 && tally.new > 0, "{tally}");
}

#[test]
#[ignore = "minutes long; CONTRIBUTING.md names the command"]
fn p30_p40_struck_everywhere_by_every_signal() {
    struck_everywhere(&Site::new(), &[Signal::KILL, Signal::INT, Signal::TERM]);
    if let Some(site) = Site::sealed() {
        tell("sealed:");
        struck_everywhere(&site, &[Signal::KILL, Signal::TERM]);
    }
}

fn struck_everywhere(site: &Site, signals: &[Signal]) {
    for (signal, verb) in signals.iter().flat_map(|signal| VERBS.map(|verb| (*signal, verb))) {
        let (begun, mut tally) = (Instant::now(), Tally::default());
        let moments = [site.everywhere(verb), site.by_time(verb, 100)].concat();
        moments.iter().for_each(|moment| site.kill_at(verb, moment, signal, &mut tally));
        let (name, left, took) =
            (timed_signal::signal_name(signal), site.temporary_files(), begun.elapsed().as_secs());
        tell(&format!("{name} {verb:?}: {tally}; {left} temporary files lie about; {took} s"));
    }
}

/// A user who signs out, and is signed in again each time.
struct Leaver<'a> {
    site: &'a Site,
    /// How many keys the keychain has.
    keys: &'a dyn Fn() -> usize,
}

impl Leaver<'_> {
    /// A moment before each system call of a logout; without `strace` some that are spread over its time.
    fn everywhere(&self) -> Vec<Moment> {
        let (sandbox, log) = (&self.site.sandbox, self.site.sandbox.beside("calls"));
        let logout = sandbox.hallpass(&["logout"]).into_command();
        let begun = Instant::now();
        let moments = if timed_signal::can_trace() {
            let traced = timed_signal::traced(&logout, &["-o", log.to_str().unwrap()]);
            assert!(self.site.accompany(timed_signal::start(traced)).success());
            timed_signal::system_calls(&fs::read_to_string(log).unwrap())
                .into_iter()
                .map(Moment::Before)
                .collect()
        } else {
            assert!(self.site.accompany(timed_signal::start(logout)).success());
            timed_signal::spread(begun.elapsed() * 11 / 10, 100)
        };
        sandbox.sign_in(&self.site.server, &[]);
        moments
    }

    /// The sign-in is there, whole, or it is not, and the next logout leaves nothing. Whether it was there.
    fn kill_at(&self, moment: &Moment) -> bool {
        let Site { sandbox, server, .. } = self.site;
        let (before, token, keys) = (self.site.record(), sandbox.value(&["token"]), (self.keys)());
        server.journal().clear();
        let status = self.site.accompany(timed_signal::start_and_signal(
            sandbox.hallpass(&["logout"]).into_command(),
            moment,
            Signal::KILL,
        ));
        assert!(is_how_it_ends(status, Signal::KILL), "{moment:?}: {status}");
        let (after, next) = (self.site.record(), sandbox.run(&["token"]));
        match &after {
            Some(_) => assert_eq!(
                (&after, (self.keys)(), next.ok().value()),
                (&before, keys, token.as_str()),
                "{moment:?}"
            ),
            None => assert_eq!(next.code, 4, "{moment:?}: {next:#?}"),
        }
        sandbox.run(&["logout"]).ok();
        assert_eq!(
            (self.site.record(), (self.keys)(), self.site.temporary_files()),
            (None, 0, 0),
            "{moment:?}"
        );
        sandbox.sign_in(server, &[]);
        after.is_some()
    }
}

/// Struck before each of its system calls.
fn outlives_logouts(site: &Site, keys: &dyn Fn() -> usize) {
    let leaver = Leaver { site, keys };
    let stayed = leaver.everywhere().iter().map(|moment| leaver.kill_at(moment)).collect::<Vec<_>>();
    assert!(stayed.contains(&true) && stayed.contains(&false), "{stayed:?}");
}

#[test]
fn p40_a_logout_that_is_killed_leaves_a_whole_sign_in_or_none_and_the_next_one_nothing() {
    outlives_logouts(&Site::new(), &|| 0);
}

#[test]
fn p40_p54_a_logout_that_is_killed_leaves_no_key_that_the_next_one_does_not_remove() {
    let service = ScriptedService::start(Habit::Honest).unwrap();
    let sandbox =
        service.variables().iter().fold(new_sandbox(), |sandbox, (name, value)| sandbox.with(name, value));
    let site = Site::signed_in(sandbox, None);
    assert_eq!(service.items(), 1);
    outlives_logouts(&site, &|| service.items());
}

/// The test harness swallows what `eprintln!` prints.
fn tell(figures: &str) {
    let _ = writeln!(std::io::stderr(), "{figures}");
}
