use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::world::keychain::{Item, Key, Keychain};

#[derive(Clone, Default)]
struct FakeKeychain(Arc<Mutex<BTreeMap<String, Key>>>);

impl Keychain for FakeKeychain {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.0.lock().unwrap().get(item.key_id).cloned().ok_or(KeychainError::NoItem)
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.0.lock().unwrap().insert(item.key_id.to_owned(), key.clone());
        Ok(())
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.0.lock().unwrap().remove(item.key_id);
        Ok(())
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        Ok(())
    }

    fn key_ids(&self, _: &str) -> Result<Vec<String>, KeychainError> {
        Ok(self.0.lock().unwrap().keys().cloned().collect())
    }
}

fn store(dir: &Path, keychain: &FakeKeychain) -> Store {
    Store::File(FileStore::new(dir.to_owned(), "mytool", "default", Arc::new(keychain.clone())))
}

/// Saves a record with a new key.
fn sealed(store: &Store) -> Record {
    let v1 = include_bytes!("../../../../tests/fixtures/records/v1.json");
    let open = StoredRecord::parse(v1, Path::new("v1")).unwrap().into_open().unwrap();
    let seal = Some(store.new_seal().unwrap());
    store.stage().unwrap().save(Record { seal, ..open }).unwrap()
}

#[test]
fn a_key_that_the_record_uses_is_never_removed() {
    let (dir, keychain) = (tempfile::tempdir().unwrap(), FakeKeychain::default());
    let store = store(dir.path(), &keychain);
    let record = sealed(&store);
    store.break_seal(record.seal.as_ref().unwrap());
    let stored = store.read().unwrap().unwrap();
    assert_eq!(store.open(stored).unwrap().secret.refresh_token.unwrap().expose(), "CANARY-refresh");

    store.break_seal(&store.new_seal().unwrap());
    assert_eq!(keychain.key_ids("").unwrap(), [record.key_id().unwrap()]);
    store.erase(record.seal.as_ref()).unwrap();
    assert_eq!(keychain.key_ids("").unwrap(), [""; 0]);
}

#[test]
fn a_key_stays_if_the_record_cannot_be_read() {
    let (dir, keychain) = (tempfile::tempdir().unwrap(), FakeKeychain::default());
    let store = store(dir.path(), &keychain);
    let record = sealed(&store);
    let path = dir.path().join("default.json");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    store.break_seal(record.seal.as_ref().unwrap());
    assert_eq!(keychain.key_ids("").unwrap().len(), 1);
}

#[test]
fn an_open_record_is_sealed_again_without_the_keychain() {
    let (dir, keychain) = (tempfile::tempdir().unwrap(), FakeKeychain::default());
    let record = sealed(&store(dir.path(), &keychain));
    let other = store(dir.path(), &FakeKeychain::default());
    let saved = other.stage().unwrap().save(record).unwrap();
    assert_eq!(saved.generation, 5);
    assert!(!std::fs::read_to_string(dir.path().join("default.json")).unwrap().contains("CANARY"));
}
