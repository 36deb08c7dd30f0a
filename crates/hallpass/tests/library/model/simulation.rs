//! Runs the steps of a history: one sign-in, its processes, its server and its keychain.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::error::{Denied, NetworkErrorKind, StoreError};
use hallpass::{AccessToken, Error, Hallpass, Result, Session, State, Storage};
use hallpass_test::library::{self, Behavior, LibrarySandbox, RecordingUi, TestKeychain, callback, get};
use url::Url;

use super::history::{End, History, PROCESSES, Step};
use super::invariants::{Check, Checked, Snapshot, ensure};
use super::server::{ISSUER, Server};
use crate::unreliable_network::{UnreliableNetwork, until_killed};

#[derive(Clone)]
pub(super) struct Simulation(pub(super) Arc<Shared>);

pub(super) struct Shared {
    is_sealed: bool,
    pub(super) sandbox: LibrarySandbox,
    pub(super) server: Server,
    pub(super) network: UnreliableNetwork,
    pub(super) keychain: TestKeychain,
    passes: [Mutex<Hallpass>; PROCESSES],
    /// Whether the keychain was locked, so that unused keys may be left in it.
    pub(super) was_locked: AtomicBool,
    /// Whether the journal is complete, so that it shows a lost response.
    pub(super) is_journal_whole: AtomicBool,
}

impl Simulation {
    pub(super) fn new(history: &History) -> Simulation {
        let sandbox = LibrarySandbox::new();
        let server = Server::new(Duration::from_secs(history.grace), sandbox.clock());
        let (network, keychain) = (UnreliableNetwork::default(), TestKeychain::new(Behavior::Working));
        let passes = std::array::from_fn(|_| {
            Mutex::new(pass(&sandbox, &server, &network, &keychain, history.is_sealed, Arc::new(|_| ())))
        });
        Simulation(Arc::new(Shared {
            is_sealed: history.is_sealed,
            sandbox,
            server,
            network,
            keychain,
            passes,
            was_locked: AtomicBool::new(false),
            is_journal_whole: AtomicBool::new(true),
        }))
    }

    /// Runs a step and checks the result.
    pub(super) fn step(&self, step: &Step) -> Check {
        self.perform(step)?;
        self.check_keys()
    }

    fn perform(&self, step: &Step) -> Check {
        let before = self.carry_out(step, self.snapshot()?)?;
        self.compare(&before, &self.snapshot()?, step)
    }

    /// Returns the record to compare the new one with.
    fn carry_out(&self, step: &Step, before: Snapshot) -> Checked<Snapshot> {
        match step {
            Step::Wait(seconds) => self.0.sandbox.wait(*seconds),
            Step::Token { by, is_forced, faults, meanwhile } => {
                self.0.network.inject(faults.iter().cloned());
                let check = self.when_sent(meanwhile.as_deref());
                self.token(*by, *is_forced, &before)?;
                self.0.network.before_each(|| ());
                std::mem::replace(&mut *check.lock().unwrap(), Ok(()))?;
            }
            Step::TokenUnnoted(by) => self.token_unnoted(*by, &before)?,
            Step::Login { by, user, meanwhile, end } => {
                return self.login(*by, *user, meanwhile.as_deref(), *end, before);
            }
            Step::Logout(by) => self.logout(*by, &before)?,
            Step::Query(by) => self.look_up(*by, &before)?,
            Step::Restart(by) => self.restart(*by),
            Step::Move(by) => self.relocate(*by, &before)?,
            Step::EndSessions => self.0.server.end_all(),
            Step::KeychainLocks => self.lock_keychain(),
            Step::KeychainUnlocks => self.0.keychain.set_behavior(Behavior::Working),
            Step::TearJournal(at) => self.tear_journal(*at),
        }
        Ok(before)
    }

    /// Removes all faults, and checks that every process gets a token or the right error.
    pub(super) fn end(&self) -> Check {
        self.0.keychain.set_behavior(Behavior::Working);
        self.0.network.inject([]);
        self.check_end(0, true)?;
        // After this, every pause that the server asked for is over, and every access token has expired.
        self.0.sandbox.wait(7200);
        (0..PROCESSES).try_for_each(|by| self.check_end(by, false))
    }

    fn check_end(&self, by: usize, is_forced: bool) -> Check {
        let before = self.snapshot()?;
        let works = before.refresh_token.as_deref().is_some_and(|token| self.0.server.would_grant(token));
        let is_right = match self.token(by, is_forced, &before)?.expect("no process is killed any more") {
            Ok(_) => works,
            Err(Error::LoginRequired(_)) => !works,
            Err(Error::Network(error)) => is_forced && error.kind == NetworkErrorKind::RetryLater,
            Err(_) => false,
        };
        ensure!(is_right, "in the end process {by} has no token, or should not have one ({works})");
        self.compare(&before, &self.snapshot()?, &Step::Query(by))
    }

    /// Returns weak access to the simulation, for closures that it owns itself.
    fn weak(&self) -> impl Fn() -> Simulation + Send + Sync + 'static {
        let simulation = Arc::downgrade(&self.0);
        move || Simulation(simulation.upgrade().expect("the simulation is still running"))
    }

    fn pass(&self, by: usize) -> Hallpass {
        self.0.passes[by].lock().unwrap().clone()
    }

    fn new_pass(&self) -> Hallpass {
        self.pass_with(Arc::new(|_| ()))
    }

    fn pass_with(&self, browse: Arc<dyn Fn(&Url) + Send + Sync>) -> Hallpass {
        let Shared { sandbox, server, network, keychain, is_sealed, .. } = &*self.0;
        pass(sandbox, server, network, keychain, *is_sealed, browse)
    }

    /// Runs a step while a refresh is under way.
    fn when_sent(&self, step: Option<&Step>) -> Arc<Mutex<Check>> {
        let check = Arc::new(Mutex::new(Ok(())));
        let (simulation, step, result) = (self.weak(), Mutex::new(step.cloned()), check.clone());
        self.0.network.before_each(move || {
            if let Some(step) = step.lock().unwrap().take() {
                *result.lock().unwrap() =
                    simulation().perform(&step).map_err(|fault| format!("meanwhile: {fault}"));
            }
        });
        check
    }

    /// Gets a token and checks the result; `None` if the process was killed.
    fn token(&self, by: usize, is_forced: bool, before: &Snapshot) -> Checked<Option<Result<AccessToken>>> {
        let pass = self.pass(by);
        let (tried, was_used) = (self.0.network.count(), self.was_used(before));
        let result = until_killed(|| if is_forced { pass.force_refresh() } else { pass.access_token() });
        let after = self.snapshot()?;
        let tried = self.0.network.count() - tried;
        ensure!(tried <= 2, "{tried} tries");
        ensure!(!before.is_ended || tried == 0, "a dead token was sent");
        match &result {
            None => self.restart(by),
            Some(Ok(token)) => self.check_token(token, &after)?,
            Some(Err(error)) => self.check_error(error, before, &after, was_used, tried)?,
        }
        Ok(result)
    }

    /// Refreshes, and is killed between record and journal: the new token is saved, and the journal still has the old one.
    fn token_unnoted(&self, by: usize, before: &Snapshot) -> Check {
        let noted = Arc::<Mutex<Option<Vec<u8>>>>::default();
        let (note, path) = (noted.clone(), self.0.sandbox.folder().join("default.refresh"));
        let journal = path.clone();
        self.0.network.inject([]);
        self.0.network.before_each(move || *note.lock().unwrap() = fs::read(&journal).ok());
        self.token(by, true, before)?;
        if let Some(journal) = noted.lock().unwrap().take() {
            fs::write(path, journal).unwrap();
        }
        self.0.network.before_each(|| ());
        self.restart(by);
        Ok(())
    }

    /// Returns the record as it was when the user came back from the browser.
    fn login(
        &self,
        by: usize,
        user: u8,
        meanwhile: Option<&Step>,
        end: End,
        before: Snapshot,
    ) -> Checked<Snapshot> {
        let seen = Arc::new(Mutex::new(Ok(before)));
        let (result, pass) = self.visit(user, meanwhile, end, &seen);
        let before = seen.lock().unwrap().clone()?;
        let after = self.snapshot()?;
        let is_right = match (&result, end) {
            (Ok(_), End::Well) => after.refresh_token.as_deref().is_some_and(|token| {
                self.0.server.came_by_login(token) && self.0.server.user_of(token) == user && !after.is_ended
            }),
            (Err(Error::Denied(Denied::ByServer(_))), End::Refused) => after == before,
            (Err(Error::Cancelled), End::Cancelled) => after == before,
            (Err(Error::Network(_) | Error::ServerMisbehaved(_)), End::LoginFault(_)) => after == before,
            _ => false,
        };
        ensure!(is_right, "a login that should end {end:?}: {result:?}");
        self.check_replaced(&before, &after)?;
        *self.0.passes[by].lock().unwrap() = if end == End::Cancelled { self.new_pass() } else { pass };
        Ok(before)
    }

    fn visit(
        &self,
        user: u8,
        meanwhile: Option<&Step>,
        end: End,
        seen: &Arc<Mutex<Checked<Snapshot>>>,
    ) -> (Result<Session>, Hallpass) {
        let canceller = Arc::<Mutex<Option<hallpass::Canceller>>>::default();
        let (simulation, seen, cancel) = (self.weak(), seen.clone(), canceller.clone());
        let meanwhile = meanwhile.cloned();
        let pass = self.pass_with(Arc::new(move |url| {
            if let Some(step) = &meanwhile {
                *seen.lock().unwrap() = simulation().perform(step).and_then(|()| simulation().snapshot());
            }
            match end {
                End::Refused => drop(get(&callback(url, "error=access_denied&state={state}"))),
                End::Cancelled => cancel.lock().unwrap().as_ref().unwrap().cancel(),
                End::Well | End::LoginFault(_) => drop(get(&simulation().0.server.authorize(url, user))),
            }
        }));
        *canceller.lock().unwrap() = Some(pass.canceller());
        self.0.server.break_next_login(if let End::LoginFault(login_fault) = end {
            Some(login_fault)
        } else {
            None
        });
        (pass.login(&mut RecordingUi::default()), pass)
    }

    fn logout(&self, by: usize, before: &Snapshot) -> Check {
        let report = self.pass(by).logout().map_err(|error| format!("logout: {error}"))?;
        ensure!(report.erased == before.is_there(), "erased: {}", report.erased);
        Ok(())
    }

    fn restart(&self, by: usize) {
        *self.0.passes[by].lock().unwrap() = self.new_pass();
    }

    fn lock_keychain(&self) {
        self.0.keychain.set_behavior(Behavior::Locked);
        self.0.was_locked.store(true, Ordering::SeqCst);
    }

    fn look_up(&self, by: usize, before: &Snapshot) -> Check {
        let pass = self.pass(by);
        self.0.keychain.calls();
        let (who, status) = (pass.whoami(), pass.status());
        ensure!(who.is_ok() == before.is_there(), "whoami: {who:?}");
        let is_over = matches!(status.state, State::LoginRequired(_));
        ensure!(is_over == (!before.is_there() || before.is_ended), "status: {status:?}");
        let calls = self.0.keychain.calls();
        ensure!(calls.is_empty(), "the keychain was asked: {calls:?}");
        Ok(())
    }

    /// Moves the sign-in to the other store.
    fn relocate(&self, by: usize, before: &Snapshot) -> Check {
        let storage = if before.key_id.is_some() { Storage::File } else { Storage::Keychain };
        let result = self.pass(by).move_to(storage);
        let after = self.snapshot()?;
        let is_right = match &result {
            Ok(_) => after.key_id.is_some() != before.key_id.is_some(),
            Err(Error::LoginRequired(_)) => !before.is_there(),
            Err(Error::Store(StoreError::Keychain { .. } | StoreError::NoKeychain(_))) => {
                after == *before && self.0.was_locked.load(Ordering::SeqCst)
            }
            Err(_) => false,
        };
        ensure!(is_right, "moved: {result:?}");
        ensure!(after.refresh_token == before.refresh_token, "another token");
        Ok(())
    }

    fn tear_journal(&self, at: usize) {
        let path = self.0.sandbox.folder().join("default.refresh");
        if let Ok(journal) = fs::read(&path) {
            fs::write(path, &journal[..at.min(journal.len())]).unwrap();
            self.0.is_journal_whole.store(false, Ordering::SeqCst);
        }
    }
}

/// Builds the pass of a new process.
fn pass(
    sandbox: &LibrarySandbox,
    server: &Server,
    network: &UnreliableNetwork,
    keychain: &TestKeychain,
    is_sealed: bool,
    browse: Arc<dyn Fn(&Url) + Send + Sync>,
) -> Hallpass {
    let browser = move |url: &str| {
        browse(&Url::parse(url).unwrap());
        Ok(())
    };
    let builder = sandbox
        .builder(ISSUER, "cli")
        .http(network.to(server.clone()))
        .clock(network.deadly_clock(sandbox.clock()));
    builder
        .storage(if is_sealed { Storage::Auto } else { Storage::File })
        .keychain(keychain.clone())
        .browser(browser)
        .login_timeout(library::PATIENCE)
        .build()
        .unwrap()
}
