//! A bench with a provider and a keychain: what a sealed sign-in needs.

use hallpass::{Builder, Hallpass, Result, Session};
use serde_json::Value;

use crate::bench::{Bench, PATIENCE, login, visitor};
use crate::keychains::{Call, Mood, TestKeychain};
use crate::provider::{CANARY, Provider};

/// Later than the end of every access token, earlier than that of every ID token.
pub(crate) const DAY: u64 = 24 * 3600 - 60;

pub(crate) struct Desk {
    pub(crate) bench: Bench,
    pub(crate) provider: Provider,
    pub(crate) keychain: TestKeychain,
}

impl Desk {
    /// Nobody is signed in.
    pub(crate) fn new() -> Desk {
        Desk::with(Mood::Willing)
    }

    pub(crate) fn with(mood: Mood) -> Desk {
        Desk { bench: Bench::new(), provider: Provider::clerk(), keychain: TestKeychain::that_is(mood) }
    }

    /// Signed in and sealed; what that took is forgotten.
    pub(crate) fn sealed() -> Desk {
        let desk = Desk::new();
        desk.login().unwrap();
        assert!(desk.is_sealed());
        desk.forget();
        desk
    }

    /// The same when the access token has expired.
    pub(crate) fn expired() -> Desk {
        let desk = Desk::sealed();
        desk.bench.wait(DAY);
        desk
    }

    pub(crate) fn builder(&self) -> Builder {
        // A login that waits for longer waits for something that does not come.
        self.bench.at(&self.provider).keychain(self.keychain.clone()).login_timeout(3 * PATIENCE)
    }

    /// What a new process would build.
    pub(crate) fn pass(&self) -> Hallpass {
        self.builder().build().unwrap()
    }

    pub(crate) fn login(&self) -> Result<Session> {
        login(self.builder(), visitor().0)
    }

    pub(crate) fn forget(&self) {
        self.provider.forget();
        self.keychain.calls();
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.bench.record().get("seal").is_some()
    }

    pub(crate) fn key_id(&self) -> String {
        self.bench.record()["seal"]["key_id"].as_str().unwrap().to_owned()
    }

    /// The secret half of the record, opened.
    pub(crate) fn secrets(&self) -> Value {
        self.keychain.secrets(&self.bench.record()).expect("the record opens with its key")
    }

    pub(crate) fn stored_access_token(&self) -> Value {
        self.secrets()["access_tokens"][0].clone()
    }

    /// The calls that read a key, since the last look.
    pub(crate) fn reads(&self) -> usize {
        self.keychain.calls().iter().filter(|call| matches!(call, Call::Get(_))).count()
    }

    /// No token of these secrets is in any file in clear.
    pub(crate) fn holds_nothing_in_clear(&self, secrets: &Value) {
        let id_token = secrets["id_token"].as_str().unwrap();
        for (path, bytes) in self.bench.files() {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(CANARY) && !text.contains(id_token), "{}: {text}", path.display());
        }
    }
}
