//! Where a story happens: one sign-in and its processes.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::error::{Denied, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Error, Hallpass, Result, Session, State, Storage};
use url::Url;

use super::judge::{Found, Look, Verdict, demand};
use super::server::{ISSUER, Server};
use super::story::{Act, End, PROCESSES, Story};
use crate::bench::{self, Bench, Recorder, callback, get};
use crate::keychains::{Mood, TestKeychain};
use crate::wire::{Wire, until_killed};

#[derive(Clone)]
pub(super) struct Town(pub(super) Arc<Inside>);

pub(super) struct Inside {
    is_sealed: bool,
    pub(super) bench: Bench,
    pub(super) server: Server,
    pub(super) wire: Wire,
    pub(super) keychain: TestKeychain,
    passes: [Mutex<Hallpass>; PROCESSES],
    /// Whether keys may have been left behind because the keychain did not let go of them.
    pub(super) was_locked: AtomicBool,
    /// Whether it can be known that an answer was lost.
    pub(super) is_journal_whole: AtomicBool,
}

impl Town {
    pub(super) fn of(story: &Story) -> Town {
        let bench = Bench::new();
        let server = Server::new(Duration::from_secs(story.grace), bench.clock());
        let (wire, keychain) = (Wire::default(), TestKeychain::that_is(Mood::Willing));
        let passes = std::array::from_fn(|_| {
            Mutex::new(pass(&bench, &server, &wire, &keychain, story.is_sealed, Arc::new(|_| ())))
        });
        Town(Arc::new(Inside {
            is_sealed: story.is_sealed,
            bench,
            server,
            wire,
            keychain,
            passes,
            was_locked: AtomicBool::new(false),
            is_journal_whole: AtomicBool::new(true),
        }))
    }

    /// Lets something happen and judges what came of it.
    pub(super) fn act(&self, act: &Act) -> Verdict {
        self.perform(act)?;
        self.has_no_stray_keys()
    }

    fn perform(&self, act: &Act) -> Verdict {
        let before = self.carry_out(act, self.look()?)?;
        self.compare(&before, &self.look()?, act)
    }

    /// Returns the record that the one afterwards is to be compared with.
    fn carry_out(&self, act: &Act, before: Look) -> Found<Look> {
        match act {
            Act::Wait(seconds) => self.0.bench.wait(*seconds),
            Act::Token { by, is_forced, mishaps, meanwhile } => {
                self.0.wire.suffer(mishaps.iter().cloned());
                let verdict = self.when_sent(meanwhile.as_deref());
                self.token(*by, *is_forced, &before)?;
                self.0.wire.before_each(|| ());
                std::mem::replace(&mut *verdict.lock().unwrap(), Ok(()))?;
            }
            Act::TokenUnnoted(by) => self.token_unnoted(*by, &before)?,
            Act::Login { by, user, meanwhile, end } => {
                return self.login(*by, *user, meanwhile.as_deref(), *end, before);
            }
            Act::Logout(by) => self.logout(*by, &before)?,
            Act::Look(by) => self.ask_who(*by, &before)?,
            Act::Restart(by) => self.restart(*by),
            Act::Move(by) => self.relocate(*by, &before)?,
            Act::EndSessions => self.0.server.end_all(),
            Act::KeychainLocks => self.lock_keychain(),
            Act::KeychainUnlocks => self.0.keychain.becomes(Mood::Willing),
            Act::TearJournal(at) => self.tear_journal(*at),
        }
        Ok(before)
    }

    /// When everything is well again, every process has a token or is told the truth.
    pub(super) fn end(&self) -> Verdict {
        self.0.keychain.becomes(Mood::Willing);
        self.0.wire.suffer([]);
        self.ends_well(0, true)?;
        // A pause that the server asked for is over then, and every access token and grace.
        self.0.bench.wait(7200);
        (0..PROCESSES).try_for_each(|by| self.ends_well(by, false))
    }

    fn ends_well(&self, by: usize, is_forced: bool) -> Verdict {
        let before = self.look()?;
        let works = before.refresh_token.as_deref().is_some_and(|token| self.0.server.would_grant(token));
        let is_right = match self.token(by, is_forced, &before)?.expect("nobody is killed any more") {
            Ok(_) => works,
            Err(Error::LoginRequired(_)) => !works,
            Err(Error::Network(error)) => is_forced && error.kind == NetworkErrorKind::RetryLater,
            Err(_) => false,
        };
        demand!(is_right, "in the end process {by} has no token, or should not have one ({works})");
        self.compare(&before, &self.look()?, &Act::Look(by))
    }

    /// The town, for what lives in it and must not keep it from ending.
    fn visitor(&self) -> impl Fn() -> Town + Send + Sync + 'static {
        let town = Arc::downgrade(&self.0);
        move || Town(town.upgrade().expect("the story is still being told"))
    }

    fn pass(&self, by: usize) -> Hallpass {
        self.0.passes[by].lock().unwrap().clone()
    }

    fn new_pass(&self) -> Hallpass {
        self.pass_with(Arc::new(|_| ()))
    }

    fn pass_with(&self, browse: Arc<dyn Fn(&Url) + Send + Sync>) -> Hallpass {
        let Inside { bench, server, wire, keychain, is_sealed, .. } = &*self.0;
        pass(bench, server, wire, keychain, *is_sealed, browse)
    }

    /// Lets something happen while a refresh is under way.
    fn when_sent(&self, act: Option<&Act>) -> Arc<Mutex<Verdict>> {
        let verdict = Arc::new(Mutex::new(Ok(())));
        let (town, act, told) = (self.visitor(), Mutex::new(act.cloned()), verdict.clone());
        self.0.wire.before_each(move || {
            if let Some(act) = act.lock().unwrap().take() {
                *told.lock().unwrap() = town().perform(&act).map_err(|fault| format!("meanwhile: {fault}"));
            }
        });
        verdict
    }

    /// A token, or the truth; nothing where the process was killed.
    fn token(&self, by: usize, is_forced: bool, before: &Look) -> Found<Option<Result<AccessToken>>> {
        let pass = self.pass(by);
        let (tried, was_used) = (self.0.wire.count(), self.was_used(before));
        let result = until_killed(|| if is_forced { pass.force_refresh() } else { pass.access_token() });
        let after = self.look()?;
        let tried = self.0.wire.count() - tried;
        demand!(tried <= 2, "{tried} tries");
        demand!(!before.is_ended || tried == 0, "a dead token was sent");
        match &result {
            None => self.restart(by),
            Some(Ok(token)) => self.judge_token(token, &after)?,
            Some(Err(error)) => self.judge_error(error, before, &after, was_used, tried)?,
        }
        Ok(result)
    }

    /// Killed between the record and the journal: the new token is saved, and the old one still noted as on its way.
    fn token_unnoted(&self, by: usize, before: &Look) -> Verdict {
        let noted = Arc::<Mutex<Option<Vec<u8>>>>::default();
        let (note, path) = (noted.clone(), self.0.bench.folder().join("default.refresh"));
        let journal = path.clone();
        self.0.wire.suffer([]);
        self.0.wire.before_each(move || *note.lock().unwrap() = fs::read(&journal).ok());
        self.token(by, true, before)?;
        if let Some(journal) = noted.lock().unwrap().take() {
            fs::write(path, journal).unwrap();
        }
        self.0.wire.before_each(|| ());
        self.restart(by);
        Ok(())
    }

    /// Returns the record as it was when the person came back.
    fn login(&self, by: usize, user: u8, meanwhile: Option<&Act>, end: End, before: Look) -> Found<Look> {
        let seen = Arc::new(Mutex::new(Ok(before)));
        let (result, pass) = self.visit(user, meanwhile, end, &seen);
        let before = seen.lock().unwrap().clone()?;
        let after = self.look()?;
        let is_right = match (&result, end) {
            (Ok(_), End::Well) => after.refresh_token.as_deref().is_some_and(|token| {
                self.0.server.came_by_login(token) && self.0.server.user_of(token) == user && !after.is_ended
            }),
            (Err(Error::Denied(Denied::ByServer(_))), End::Refused) => after == before,
            (Err(Error::Cancelled), End::Cancelled) => after == before,
            (Err(Error::Network(_) | Error::ServerMisbehaved(_)), End::Spoilt(_)) => after == before,
            _ => false,
        };
        demand!(is_right, "a login that should end {end:?}: {result:?}");
        self.judge_replaced(&before, &after)?;
        *self.0.passes[by].lock().unwrap() = if end == End::Cancelled { self.new_pass() } else { pass };
        Ok(before)
    }

    fn visit(
        &self,
        user: u8,
        meanwhile: Option<&Act>,
        end: End,
        seen: &Arc<Mutex<Found<Look>>>,
    ) -> (Result<Session>, Hallpass) {
        let canceller = Arc::<Mutex<Option<hallpass::Canceller>>>::default();
        let (town, seen, cancel) = (self.visitor(), seen.clone(), canceller.clone());
        let meanwhile = meanwhile.cloned();
        let pass = self.pass_with(Arc::new(move |url| {
            if let Some(act) = &meanwhile {
                *seen.lock().unwrap() = town().perform(act).and_then(|()| town().look());
            }
            match end {
                End::Refused => drop(get(&callback(url, "error=access_denied&state={state}"))),
                End::Cancelled => cancel.lock().unwrap().as_ref().unwrap().cancel(),
                End::Well | End::Spoilt(_) => drop(get(&town().0.server.authorize(url, user))),
            }
        }));
        *canceller.lock().unwrap() = Some(pass.canceller());
        self.0.server.spoil(if let End::Spoilt(spoilt) = end { Some(spoilt) } else { None });
        (pass.login(&mut Recorder::default()), pass)
    }

    fn logout(&self, by: usize, before: &Look) -> Verdict {
        let report = self.pass(by).logout().map_err(|error| format!("logout: {error}"))?;
        demand!(report.erased == before.is_there(), "erased: {}", report.erased);
        Ok(())
    }

    fn restart(&self, by: usize) {
        *self.0.passes[by].lock().unwrap() = self.new_pass();
    }

    fn lock_keychain(&self) {
        self.0.keychain.becomes(Mood::Locked);
        self.0.was_locked.store(true, Ordering::SeqCst);
    }

    fn ask_who(&self, by: usize, before: &Look) -> Verdict {
        let pass = self.pass(by);
        self.0.keychain.calls();
        let (who, status) = (pass.whoami(), pass.status());
        demand!(who.is_ok() == before.is_there(), "whoami: {who:?}");
        let is_over = matches!(status.state, State::LoginRequired(_));
        demand!(is_over == (!before.is_there() || before.is_ended), "status: {status:?}");
        let calls = self.0.keychain.calls();
        demand!(calls.is_empty(), "the keychain was asked: {calls:?}");
        Ok(())
    }

    /// To where it is not.
    fn relocate(&self, by: usize, before: &Look) -> Verdict {
        let storage = if before.key_id.is_some() { Storage::File } else { Storage::Keychain };
        let result = self.pass(by).move_to(storage);
        let after = self.look()?;
        let is_right = match &result {
            Ok(_) => after.key_id.is_some() != before.key_id.is_some(),
            Err(Error::LoginRequired(_)) => !before.is_there(),
            Err(Error::Store(StoreError::Keychain { .. } | StoreError::NoKeychain(_))) => {
                after == *before && self.0.was_locked.load(Ordering::SeqCst)
            }
            Err(_) => false,
        };
        demand!(is_right, "moved: {result:?}");
        demand!(after.refresh_token == before.refresh_token, "another token");
        Ok(())
    }

    fn tear_journal(&self, at: usize) {
        let path = self.0.bench.folder().join("default.refresh");
        if let Ok(journal) = fs::read(&path) {
            fs::write(path, &journal[..at.min(journal.len())]).unwrap();
            self.0.is_journal_whole.store(false, Ordering::SeqCst);
        }
    }
}

/// A new process.
fn pass(
    bench: &Bench,
    server: &Server,
    wire: &Wire,
    keychain: &TestKeychain,
    is_sealed: bool,
    browse: Arc<dyn Fn(&Url) + Send + Sync>,
) -> Hallpass {
    let browser = move |url: &str| {
        browse(&Url::parse(url).unwrap());
        Ok(())
    };
    let builder =
        bench.builder(ISSUER, "cli").http(wire.to(server.clone())).clock(wire.mortal(bench.clock()));
    builder
        .storage(if is_sealed { Storage::Auto } else { Storage::File })
        .keychain(keychain.clone())
        .browser(browser)
        .login_timeout(bench::PATIENCE)
        .build()
        .unwrap()
}
