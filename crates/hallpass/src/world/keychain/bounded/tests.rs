use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The time limit of a command whose keychain does not respond (P47).
const IN_TIME: Duration = Duration::from_secs(4);

/// The time limit of a call that does not wait, on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Returns one key, or hangs.
#[derive(Default)]
struct Fake {
    hangs: bool,
    calls: AtomicUsize,
}

impl Fake {
    fn that_hangs() -> Arc<Fake> {
        Arc::new(Fake { hangs: true, ..Fake::default() })
    }

    fn respond<T>(&self, value: T) -> Result<T, KeychainError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.hangs {
            thread::sleep(Duration::from_secs(600));
        }
        Ok(value)
    }
}

impl Keychain for Fake {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        assert_ne!(item.key_id, "panic", "a test wants the keychain to panic");
        self.respond(Key::new([7; 32]))
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        assert_eq!((*item, key), (KEY, &Key::new([8; 32])));
        self.respond(())
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        assert_eq!(*item, KEY);
        self.respond(())
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.respond(())
    }

    fn key_ids(&self, _: &str) -> Result<Vec<String>, KeychainError> {
        self.respond(Vec::new())
    }
}

const KEY: Item<'static> = Item { service: "mytool", key_id: "k1" };

/// Returns the result of a call, and how long it took.
fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (call(), start.elapsed())
}

#[test]
fn calls_and_results_pass_through() {
    let keychain = Bounded::new(Arc::new(Fake::default()));
    assert_eq!(keychain.get(&KEY), Ok(Key::new([7; 32])));
    assert_eq!(keychain.set(&KEY, &Key::new([8; 32])), Ok(()));
    assert_eq!(keychain.delete(&KEY), Ok(()));
    assert_eq!(keychain.unlock(&Canceller::default()), Ok(()));
}

#[test]
fn p47_a_hanging_keychain_times_out_and_is_called_once() {
    let fake = Fake::that_hangs();
    let keychain = Bounded::new(fake.clone());
    let (results, taken) = timed(|| {
        let other = keychain.clone();
        [keychain.get(&KEY).map(drop), other.set(&KEY, &Key::new([8; 32])), keychain.delete(&KEY)]
    });
    assert_eq!(results, [const { Err(KeychainError::TimedOut) }; 3]);
    assert!(taken < IN_TIME, "{taken:?}");
    assert_eq!(fake.calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_keychain_that_timed_out_is_called_again_after_a_minute() {
    let keychain = Bounded::new(Arc::new(Fake::default()));
    *keychain.timed_out_at() = Some(Instant::now());
    assert_eq!(keychain.get(&KEY), Err(KeychainError::TimedOut));
    *keychain.timed_out_at() = Instant::now().checked_sub(PAUSE);
    assert_eq!(keychain.get(&KEY), Ok(Key::new([7; 32])));
}

#[test]
fn cancelling_ends_the_wait_for_unlocking() {
    let keychain = Bounded::new(Fake::that_hangs());
    let canceller = Canceller::default();
    let copy = canceller.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        copy.cancel();
    });
    let (result, taken) = timed(|| keychain.unlock(&canceller));
    assert_eq!(result, Err(KeychainError::Refused));
    assert!(taken < AT_ONCE, "{taken:?}");
    assert!(!keychain.is_paused(), "a cancelled call is not a time-out");
}

#[test]
fn a_panic_in_the_keychain_is_an_error() {
    let keychain = Bounded::new(Arc::new(Fake::default()));
    let result = keychain.get(&Item::new("mytool", "panic"));
    assert!(matches!(result, Err(KeychainError::Failed(_))), "{result:?}");
}

#[test]
fn p48_a_hanging_call_does_not_delay_the_shutdown_of_an_async_runtime() {
    let runtimes = [tokio::runtime::Builder::new_current_thread().build(), tokio::runtime::Runtime::new()];
    for runtime in runtimes.map(Result::unwrap) {
        let (result, taken) = timed(|| {
            let keychain = Bounded::new(Fake::that_hangs());
            let result = runtime.block_on(async { keychain.get(&KEY) });
            drop(runtime);
            result
        });
        assert_eq!(result, Err(KeychainError::TimedOut));
        assert!(taken < IN_TIME, "{taken:?}");
    }
}

fn call_in_this_process() {
    let keychain = Bounded::new(Fake::that_hangs());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(async { keychain.get(&KEY) }), Err(KeychainError::TimedOut));
}

#[test]
fn p48_a_process_exits_while_a_call_hangs() {
    const IS_CHILD: &str = "HALLPASS_TEST_PROCESS";
    if std::env::var_os(IS_CHILD).is_some() {
        return call_in_this_process();
    }
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args(["--exact", "world::keychain::bounded::tests::p48_a_process_exits_while_a_call_hangs"]);
    let (output, taken) = timed(|| this.env(IS_CHILD, "1").stdin(Stdio::null()).output().unwrap());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(taken > LIMIT && taken < IN_TIME + AT_ONCE, "{taken:?}");
}

#[cfg(all(feature = "keychain", unix, not(target_vendor = "apple")))]
mod on_a_bus {
    use hallpass_test::keychain::{Habit, MuteBus, ScriptedService, Variables};

    use super::*;
    use crate::environment::Environment;
    use crate::world::keychain::SystemKeychain;

    fn bounded(variables: &Variables) -> Bounded {
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        Bounded::new(Arc::new(SystemKeychain::new(&Environment::from_variables(variables))))
    }

    #[track_caller]
    fn times_out(variables: &Variables) {
        let keychain = bounded(variables);
        let (results, taken) = timed(|| {
            [
                keychain.get(&KEY).map(drop),
                keychain.set(&KEY, &Key::new([8; 32])),
                keychain.delete(&KEY),
                keychain.unlock(&Canceller::default()),
            ]
        });
        assert_eq!(results, [const { Err(KeychainError::TimedOut) }; 4]);
        assert!(taken < IN_TIME, "{taken:?}");
    }

    #[test]
    fn p47_a_bus_that_never_responds_times_out() {
        times_out(&MuteBus::start().unwrap().variables());
    }

    #[test]
    fn p47_a_silent_or_slow_bus_or_service_times_out() {
        thread::scope(|scope| {
            for habit in [Habit::BusSilent, Habit::Silent, Habit::Slow, Habit::Sluggish] {
                scope.spawn(move || times_out(&ScriptedService::start(habit).unwrap().variables()));
            }
        });
    }

    #[test]
    fn an_open_unlock_prompt_can_be_cancelled() {
        let service = ScriptedService::start(Habit::NobodyAnswers).unwrap();
        service.lock();
        let keychain = bounded(&service.variables());
        let canceller = Canceller::default();
        let copy = canceller.clone();
        let cancelling = thread::spawn(move || {
            while !service.calls().contains(&"Prompt".to_owned()) {
                thread::sleep(Duration::from_millis(10));
            }
            copy.cancel();
        });
        assert_eq!(keychain.unlock(&canceller), Err(KeychainError::Refused));
        cancelling.join().unwrap();
    }
}
