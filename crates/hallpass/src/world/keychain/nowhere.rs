//! Where there is no keychain.

use super::{Item, Key, Keychain, KeychainError};
use crate::environment::Environment;

#[derive(Debug, Clone)]
pub(super) struct Nowhere;

impl Nowhere {
    pub(super) fn new(_: &Environment) -> Nowhere {
        Nowhere
    }
}

fn absent<T>() -> Result<T, KeychainError> {
    let why = if cfg!(feature = "keychain") {
        "no keychain of this system is known to Hallpass"
    } else {
        "this program was built without the use of one"
    };
    Err(KeychainError::Absent(why.to_owned()))
}

impl Keychain for Nowhere {
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
