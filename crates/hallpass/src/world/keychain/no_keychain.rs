//! The keychain of systems without one.

use super::{Item, Key, Keychain};
use crate::environment::Environment;
use crate::error::KeychainError;

#[derive(Debug, Clone)]
pub(super) struct NoKeychain;

impl NoKeychain {
    pub(super) fn new(_: &Environment) -> NoKeychain {
        NoKeychain
    }
}

fn absent<T>() -> Result<T, KeychainError> {
    let why = if cfg!(feature = "keychain") {
        "this system's keychain is not supported"
    } else {
        "this program was built without keychain support"
    };
    Err(KeychainError::Absent(why.to_owned()))
}

impl Keychain for NoKeychain {
    fn get(&self, _: &Item<'_>) -> Result<Key, KeychainError> {
        absent()
    }

    fn set(&self, _: &Item<'_>, _: &Key) -> Result<(), KeychainError> {
        absent()
    }

    fn delete(&self, _: &Item<'_>) -> Result<(), KeychainError> {
        absent()
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        absent()
    }

    fn key_ids(&self, _: &str) -> Result<Vec<String>, KeychainError> {
        absent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::keychain::SystemKeychain;

    #[test]
    fn every_call_reports_that_there_is_no_keychain() {
        let keychain = SystemKeychain::new(&Environment::default());
        let item = Item::new("mytool", "k1");
        let results = [
            keychain.get(&item).map(drop),
            keychain.set(&item, &Key::new([7; 32])),
            keychain.delete(&item),
            keychain.unlock(),
            keychain.key_ids("mytool").map(drop),
        ];
        assert!(results.iter().all(|result| matches!(result, Err(KeychainError::Absent(_)))), "{results:?}");
    }
}
