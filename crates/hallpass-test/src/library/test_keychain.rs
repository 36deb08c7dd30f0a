//! A keychain in memory that works, is absent or locked, or is broken in one of the ways that users reported.

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

/// How the keychain handles a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    Working,
    Absent,
    /// Until the user unlocks it.
    Locked,
    /// Locked, and the user dismisses its prompt.
    Refusing,
    /// Never returns.
    Silent,
    /// Accepts a key and does not keep it.
    Forgetful,
    /// Keeps the first half of a key.
    Truncating,
    /// Returns another key than it was given.
    Lying,
    /// Returns the keys it has, and accepts no more.
    Full,
    /// Accepts a key and fails to return it.
    WriteOnly,
    Panicking,
}

/// A call of the keychain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Get(String),
    Set(String),
    Delete(String),
    Unlock,
}

type Hook = Arc<dyn Fn(&Call) + Send + Sync>;

/// The keychain; clones share their keys.
#[derive(Clone)]
pub struct TestKeychain(Arc<Inside>);

struct Inside {
    behavior: Mutex<Behavior>,
    keys: Mutex<BTreeMap<String, Key>>,
    calls: Mutex<Vec<Call>>,
    before: Mutex<Option<Hook>>,
    after: Mutex<Option<Hook>>,
}

impl TestKeychain {
    pub fn new(behavior: Behavior) -> TestKeychain {
        TestKeychain(Arc::new(Inside {
            behavior: Mutex::new(behavior),
            keys: Mutex::default(),
            calls: Mutex::default(),
            before: Mutex::default(),
            after: Mutex::default(),
        }))
    }

    pub fn set_behavior(&self, behavior: Behavior) {
        *self.0.behavior.lock().unwrap() = behavior;
    }

    /// Returns the calls since the last time, and forgets them.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.calls.lock().unwrap())
    }

    pub fn key_ids(&self) -> Vec<String> {
        self.keys().keys().cloned().collect()
    }

    pub fn has(&self, key_id: &str) -> bool {
        self.keys().contains_key(key_id)
    }

    /// Removes every key, as a reset of the keychain does.
    pub fn lose_all(&self) {
        self.keys().clear();
    }

    /// Stores a key as another program could.
    pub fn put(&self, key_id: &str, key: [u8; 32]) {
        self.keys().insert(key_id.to_owned(), Key::new(key));
    }

    /// Runs a hook before each call.
    pub fn before_each(&self, hook: impl Fn(&Call) + Send + Sync + 'static) {
        *self.0.before.lock().unwrap() = Some(Arc::new(hook));
    }

    /// Runs a hook after each call, failed ones included.
    pub fn after_each(&self, hook: impl Fn(&Call) + Send + Sync + 'static) {
        *self.0.after.lock().unwrap() = Some(Arc::new(hook));
    }

    /// Returns the secret half of a record, decrypted by other code than the library's if it is sealed.
    pub fn secrets(&self, record: &Value) -> Option<Value> {
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

    fn behavior(&self) -> Behavior {
        *self.0.behavior.lock().unwrap()
    }

    fn handle<T>(
        &self,
        call: Call,
        work: impl FnOnce() -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        self.0.calls.lock().unwrap().push(call.clone());
        run_hook(&self.0.before, &call);
        let result = match self.behavior() {
            Behavior::Absent => Err(KeychainError::Absent("no bus".to_owned())),
            Behavior::Locked | Behavior::Refusing => Err(KeychainError::Locked),
            Behavior::Silent => {
                thread::sleep(Duration::from_secs(600));
                unreachable!("no test waits this long")
            }
            Behavior::Panicking => panic!("as told"),
            _ => work(),
        };
        run_hook(&self.0.after, &call);
        result
    }
}

/// A hook may itself call the keychain, so the lock is not held here.
fn run_hook(hook: &Mutex<Option<Hook>>, call: &Call) {
    let hook = hook.lock().unwrap().clone();
    hook.into_iter().for_each(|hook| hook(call));
}

impl Keychain for TestKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.handle(Call::Get(item.key_id.to_owned()), || match self.behavior() {
            Behavior::Lying => Ok(Key::new([7; 32])),
            Behavior::WriteOnly => Err(KeychainError::Failed("it fails".to_owned())),
            _ => self.keys().get(item.key_id).cloned().ok_or(KeychainError::NoItem),
        })
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.handle(Call::Set(item.key_id.to_owned()), || {
            let mut bytes = *key.expose();
            match self.behavior() {
                Behavior::Forgetful => return Ok(()),
                Behavior::Full => return Err(KeychainError::Failed("it is full".to_owned())),
                Behavior::Truncating => bytes[16..].fill(0),
                _ => {}
            }
            let earlier = self.keys().insert(item.key_id.to_owned(), Key::new(bytes));
            assert!(earlier.is_none(), "a key was overwritten");
            Ok(())
        })
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.handle(Call::Delete(item.key_id.to_owned()), || {
            self.keys().remove(item.key_id);
            Ok(())
        })
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.0.calls.lock().unwrap().push(Call::Unlock);
        if self.behavior() == Behavior::Refusing {
            return Err(KeychainError::Refused);
        }
        self.set_behavior(Behavior::Working);
        Ok(())
    }

    fn key_ids(&self, _: &str) -> Result<Vec<String>, KeychainError> {
        Ok(TestKeychain::key_ids(self))
    }
}

/// Writes members in the order of their names, whichever order this build's JSON library keeps.
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
