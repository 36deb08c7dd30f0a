use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Limits of a command for a keychain that does not respond (P47), and of a response without waiting, on a
/// busy machine.
const IN_TIME: Duration = Duration::from_secs(4);
const AT_ONCE: Duration = Duration::from_millis(500);

/// Answers with one key, or never.
#[derive(Default)]
struct Fake {
    hangs: bool,
    calls: AtomicUsize,
}

impl Fake {
    fn that_hangs() -> Arc<Fake> {
        Arc::new(Fake { hangs: true, ..Fake::default() })
    }

    fn answer<T>(&self, answer: T) -> Result<T, KeychainError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.hangs {
            thread::sleep(Duration::from_secs(600));
        }
        Ok(answer)
    }
}

impl Keychain for Fake {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        assert_ne!(item.key_id, "panic", "as asked");
        self.answer(Key::new([7; 32]))
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        assert_eq!((*item, key), (KEY, &Key::new([8; 32])));
        self.answer(())
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        assert_eq!(*item, KEY);
        self.answer(())
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.answer(())
    }

    fn key_ids(&self, _: &str) -> Result<Vec<String>, KeychainError> {
        self.answer(Vec::new())
    }
}

const KEY: Item<'static> = Item { service: "mytool", key_id: "k1" };

/// The answer, and how long it took.
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
    let (answers, taken) = timed(|| {
        let other = keychain.clone();
        [keychain.get(&KEY).map(drop), other.set(&KEY, &Key::new([8; 32])), keychain.delete(&KEY)]
    });
    assert_eq!(answers, [const { Err(KeychainError::TimedOut) }; 3]);
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
    let theirs = canceller.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        theirs.cancel();
    });
    let (answer, taken) = timed(|| keychain.unlock(&canceller));
    assert_eq!(answer, Err(KeychainError::Refused));
    assert!(taken < AT_ONCE, "{taken:?}");
    assert!(!keychain.is_paused(), "it had no time to answer");
}

#[test]
fn a_panic_in_the_keychain_is_an_error() {
    let keychain = Bounded::new(Arc::new(Fake::default()));
    let answer = keychain.get(&Item::new("mytool", "panic"));
    assert!(matches!(answer, Err(KeychainError::Failed(_))), "{answer:?}");
}

#[test]
fn p48_a_hanging_call_does_not_delay_the_shutdown_of_an_async_runtime() {
    let runtimes = [tokio::runtime::Builder::new_current_thread().build(), tokio::runtime::Runtime::new()];
    for runtime in runtimes.map(Result::unwrap) {
        let (answer, taken) = timed(|| {
            let keychain = Bounded::new(Fake::that_hangs());
            let answer = runtime.block_on(async { keychain.get(&KEY) });
            drop(runtime);
            answer
        });
        assert_eq!(answer, Err(KeychainError::TimedOut));
        assert!(taken < IN_TIME, "{taken:?}");
    }
}

fn ask_in_this_process() {
    let keychain = Bounded::new(Fake::that_hangs());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(async { keychain.get(&KEY) }), Err(KeychainError::TimedOut));
}

#[test]
fn p48_a_process_exits_while_a_call_hangs() {
    const OF_ITS_OWN: &str = "HALLPASS_TEST_PROCESS";
    if std::env::var_os(OF_ITS_OWN).is_some() {
        return ask_in_this_process();
    }
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args(["--exact", "world::keychain::bounded::tests::p48_a_process_exits_while_a_call_hangs"]);
    let (output, taken) = timed(|| this.env(OF_ITS_OWN, "1").stdin(Stdio::null()).output().unwrap());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(taken > LIMIT && taken < IN_TIME + AT_ONCE, "{taken:?}");
}

#[cfg(all(feature = "keychain", unix, not(target_vendor = "apple")))]
mod at_a_bus {
    use hallpass_test::keychain::{Habit, MuteBus, ScriptedService, Variables};

    use super::*;
    use crate::environment::Environment;
    use crate::world::keychain::SystemKeychain;

    fn bounded(variables: &Variables) -> Bounded {
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        Bounded::new(Arc::new(SystemKeychain::new(&Environment::from_variables(variables))))
    }

    #[track_caller]
    fn is_silent_in_time(variables: &Variables) {
        let keychain = bounded(variables);
        let (answers, taken) = timed(|| {
            [
                keychain.get(&KEY).map(drop),
                keychain.set(&KEY, &Key::new([8; 32])),
                keychain.delete(&KEY),
                keychain.unlock(&Canceller::default()),
            ]
        });
        assert_eq!(answers, [const { Err(KeychainError::TimedOut) }; 4]);
        assert!(taken < IN_TIME, "{taken:?}");
    }

    #[test]
    fn p47_a_bus_that_never_responds_times_out() {
        is_silent_in_time(&MuteBus::start().unwrap().variables());
    }

    #[test]
    fn p47_a_silent_or_slow_bus_or_service_times_out() {
        thread::scope(|scope| {
            for habit in [Habit::BusSilent, Habit::Silent, Habit::Slow, Habit::Sluggish] {
                scope.spawn(move || is_silent_in_time(&ScriptedService::start(habit).unwrap().variables()));
            }
        });
    }

    #[test]
    fn an_open_unlock_prompt_can_be_cancelled() {
        let service = ScriptedService::start(Habit::NobodyAnswers).unwrap();
        service.lock();
        let keychain = bounded(&service.variables());
        let canceller = Canceller::default();
        let theirs = canceller.clone();
        let cancelling = thread::spawn(move || {
            while !service.calls().contains(&"Prompt".to_owned()) {
                thread::sleep(Duration::from_millis(10));
            }
            theirs.cancel();
        });
        assert_eq!(keychain.unlock(&canceller), Err(KeychainError::Refused));
        cancelling.join().unwrap();
    }
}
