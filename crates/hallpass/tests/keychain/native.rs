//! The keychain of macOS or Windows.

use hallpass::Environment;
use hallpass::error::KeychainError;
use hallpass::world::keychain::{Item, Keychain, SystemKeychain};

use crate::key;

#[test]
fn a_key_can_be_stored_read_listed_and_deleted() {
    let keychain = SystemKeychain::new(&Environment::from_process());
    let program = format!("hallpass-test-{}", std::process::id());
    let (first, second) = (Item::new(&program, "k1"), Item::new(&program, "k2"));
    assert_eq!(keychain.get(&first), Err(KeychainError::NoItem));
    keychain.set(&first, &key(1)).unwrap();
    keychain.set(&second, &key(2)).unwrap();
    assert_eq!((keychain.get(&first), keychain.get(&second)), (Ok(key(1)), Ok(key(2))));
    let mut ids = keychain.key_ids(&program).unwrap();
    ids.sort();
    assert_eq!(ids, ["k1", "k2"]);
    for item in [first, second, first] {
        assert_eq!(keychain.delete(&item), Ok(()));
        assert_eq!(keychain.get(&item), Err(KeychainError::NoItem));
    }
    assert_eq!(keychain.key_ids(&program), Ok(Vec::new()));
}
