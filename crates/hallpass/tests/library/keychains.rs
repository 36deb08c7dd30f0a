//! Keychains as people have them: whole, absent, locked, and broken in the ways that were reported.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hallpass::error::KeychainError;
use hallpass::world::keychain::{Item, Key, Keychain};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::Value;

/// What it does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Willing,
    Absent,
    /// Until the person unlocks it.
    Locked,
    /// Locked, and the person dismisses its question.
    Refusing,
    /// Never answers.
    Silent,
    /// Takes a key and has none afterwards.
    Forgetful,
    /// Keeps the first half of a key.
    Truncating,
    /// Gives back a key that nobody gave it.
    Lying,
    /// Gives back what it has, and takes nothing more.
    Full,
    /// Takes a key and fails to give it back.
    WriteOnly,
    Panicking,
}

/// A call, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Get(String),
    Set(String),
    Delete(String),
    Unlock,
}

type Hook = Arc<dyn Fn(&Call) + Send + Sync>;

/// A keychain in this process's memory; clones are the same one.
#[derive(Clone)]
pub(crate) struct TestKeychain(Arc<Inside>);

struct Inside {
    mood: Mutex<Mood>,
    keys: Mutex<BTreeMap<String, Key>>,
    calls: Mutex<Vec<Call>>,
    before: Mutex<Option<Hook>>,
    after: Mutex<Option<Hook>>,
}

impl TestKeychain {
    pub(crate) fn that_is(mood: Mood) -> TestKeychain {
        TestKeychain(Arc::new(Inside {
            mood: Mutex::new(mood),
            keys: Mutex::default(),
            calls: Mutex::default(),
            before: Mutex::default(),
            after: Mutex::default(),
        }))
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.0.mood.lock().unwrap() = mood;
    }

    /// The calls since the last time that this was asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.calls.lock().unwrap())
    }

    pub(crate) fn key_ids(&self) -> Vec<String> {
        self.keys().keys().cloned().collect()
    }

    pub(crate) fn has(&self, key_id: &str) -> bool {
        self.keys().contains_key(key_id)
    }

    /// Removes every key, as a reset of the keychain does.
    pub(crate) fn lose_all(&self) {
        self.keys().clear();
    }

    /// Changes a key behind everybody's back.
    pub(crate) fn put(&self, key_id: &str, key: [u8; 32]) {
        self.keys().insert(key_id.to_owned(), Key::new(key));
    }

    /// Before each call.
    pub(crate) fn before_each(&self, hook: impl Fn(&Call) + Send + Sync + 'static) {
        *self.0.before.lock().unwrap() = Some(Arc::new(hook));
    }

    /// After each call, whatever came of it.
    pub(crate) fn after_each(&self, hook: impl Fn(&Call) + Send + Sync + 'static) {
        *self.0.after.lock().unwrap() = Some(Arc::new(hook));
    }

    /// The secret half of a record: as it lies there, or opened with its key by other code than the library's.
    pub(crate) fn secrets(&self, record: &Value) -> Option<Value> {
        let Some(seal) = record.get("seal") else { return Some(record["secret"].clone()) };
        let bytes = |text: &Value| BASE64URL.decode(text.as_str().unwrap()).unwrap();
        let key = self.keys().get(seal["key_id"].as_str()?)?.expose().to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&bytes(&seal["nonce"])).unwrap();
        let mut clear = record.clone();
        clear["secret"] = Value::Null;
        let mut secret = bytes(&record["secret"]);
        let opened = key.open_in_place(nonce, Aad::from(canonical(&clear).as_bytes()), &mut secret).ok()?;
        serde_json::from_slice(opened).ok()
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<String, Key>> {
        self.0.keys.lock().unwrap()
    }

    fn mood(&self) -> Mood {
        *self.0.mood.lock().unwrap()
    }

    fn answer<T>(
        &self,
        call: Call,
        work: impl FnOnce() -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        self.0.calls.lock().unwrap().push(call.clone());
        tell(&self.0.before, &call);
        let answer = match self.mood() {
            Mood::Absent => Err(KeychainError::Absent("no bus".to_owned())),
            Mood::Locked | Mood::Refusing => Err(KeychainError::Locked),
            Mood::Silent => {
                thread::sleep(Duration::from_secs(600));
                unreachable!("nobody waits for so long")
            }
            Mood::Panicking => panic!("as told"),
            _ => work(),
        };
        tell(&self.0.after, &call);
        answer
    }
}

/// A hook may call what calls the hook.
fn tell(hook: &Mutex<Option<Hook>>, call: &Call) {
    let hook = hook.lock().unwrap().clone();
    hook.into_iter().for_each(|hook| hook(call));
}

impl Keychain for TestKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.answer(Call::Get(item.key_id.to_owned()), || match self.mood() {
            Mood::Lying => Ok(Key::new([7; 32])),
            Mood::WriteOnly => Err(KeychainError::Failed("it fails".to_owned())),
            _ => self.keys().get(item.key_id).cloned().ok_or(KeychainError::NoItem),
        })
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.answer(Call::Set(item.key_id.to_owned()), || {
            let mut bytes = *key.expose();
            match self.mood() {
                Mood::Forgetful => return Ok(()),
                Mood::Full => return Err(KeychainError::Failed("it is full".to_owned())),
                Mood::Truncating => bytes[16..].fill(0),
                _ => {}
            }
            let earlier = self.keys().insert(item.key_id.to_owned(), Key::new(bytes));
            assert!(earlier.is_none(), "a key was overwritten");
            Ok(())
        })
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.answer(Call::Delete(item.key_id.to_owned()), || {
            self.keys().remove(item.key_id);
            Ok(())
        })
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.0.calls.lock().unwrap().push(Call::Unlock);
        if self.mood() == Mood::Refusing {
            return Err(KeychainError::Refused);
        }
        self.becomes(Mood::Willing);
        Ok(())
    }

    fn key_ids(&self, _: &str) -> Result<Vec<String>, KeychainError> {
        Ok(TestKeychain::key_ids(self))
    }
}

/// Members in the order of their names, whatever order this build's JSON library keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let spelled = |(name, value): (&String, &Value)| {
                format!("{}:{}", Value::String(name.clone()), canonical(value))
            };
            format!("{{{}}}", sorted.into_iter().map(spelled).collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
        value => value.to_string(),
    }
}
