//! A sandbox with a provider and a keychain, for sealed sign-ins.

use hallpass::{Builder, Hallpass, Result, Session};
use serde_json::Value;

use super::{Behavior, Call, LibrarySandbox, PATIENCE, TestKeychain, login, visitor};
use crate::provider::{CANARY, Provider};

/// Seconds after which every access token has expired and no ID token has.
pub const DAY: u64 = 24 * 3600 - 60;

pub struct KeychainSetup {
    pub sandbox: LibrarySandbox,
    pub provider: Provider,
    pub keychain: TestKeychain,
}

impl KeychainSetup {
    /// Not signed in.
    pub fn new() -> KeychainSetup {
        KeychainSetup::with(Behavior::Working)
    }

    pub fn with(behavior: Behavior) -> KeychainSetup {
        KeychainSetup {
            sandbox: LibrarySandbox::new(),
            provider: Provider::clerk(),
            keychain: TestKeychain::new(behavior),
        }
    }

    /// Signed in and sealed; the requests and calls of that are forgotten.
    pub fn sealed() -> KeychainSetup {
        let setup = KeychainSetup::new();
        setup.login().unwrap();
        assert!(setup.is_sealed());
        setup.forget();
        setup
    }

    /// Signed in and sealed, with an expired access token.
    pub fn expired() -> KeychainSetup {
        let setup = KeychainSetup::sealed();
        setup.sandbox.wait(DAY);
        setup
    }

    pub fn builder(&self) -> Builder {
        // A login that takes longer waits for something that does not happen.
        self.sandbox.at(&self.provider).keychain(self.keychain.clone()).login_timeout(3 * PATIENCE)
    }

    /// Builds the pass of a new process.
    pub fn pass(&self) -> Hallpass {
        self.builder().build().unwrap()
    }

    pub fn login(&self) -> Result<Session> {
        login(self.builder(), visitor().0)
    }

    pub fn forget(&self) {
        self.provider.forget();
        self.keychain.calls();
    }

    pub fn is_sealed(&self) -> bool {
        self.sandbox.record().get("seal").is_some()
    }

    pub fn key_id(&self) -> String {
        self.sandbox.record()["seal"]["key_id"].as_str().unwrap().to_owned()
    }

    /// Returns the decrypted secret half of the record.
    pub fn secrets(&self) -> Value {
        self.keychain.secrets(&self.sandbox.record()).expect("the record opens with its key")
    }

    pub fn stored_access_token(&self) -> Value {
        self.secrets()["access_tokens"][0].clone()
    }

    /// Counts the calls that read a key, and forgets all calls so far.
    pub fn reads(&self) -> usize {
        self.keychain.calls().iter().filter(|call| matches!(call, Call::Get(_))).count()
    }

    /// Panics if a file contains a token of these secrets in clear.
    pub fn assert_nothing_in_clear(&self, secrets: &Value) {
        let id_token = secrets["id_token"].as_str().unwrap();
        for (path, bytes) in self.sandbox.files() {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(CANARY) && !text.contains(id_token), "{}: {text}", path.display());
        }
    }
}
