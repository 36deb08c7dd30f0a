//! The signing keys of the server, made anew by every process and kept in memory.

use std::sync::{Arc, LazyLock};
use std::{io, thread};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::oauth::signing_key::{Alg, SigningKey};

/// The ES256 key is there at once. An RSA key takes long to find, so a thread looks for one while
/// the server already answers.
pub(crate) struct Keys {
    es256: Arc<SigningKey>,
    rs256: Pending,
}

/// A key that is there some time later.
type Pending = watch::Receiver<Option<Arc<SigningKey>>>;

/// One for all servers of a process: a test program starts hundreds, and finding a key costs each of
/// them up to a second of a core.
static RS256: LazyLock<Pending> = LazyLock::new(|| {
    let (found, rs256) = watch::channel(None);
    let search = move || found.send_replace(SigningKey::rs256().map(Arc::new));
    // Without a thread `found` is dropped here, and whoever waits for the key is told that none will come.
    let _ = thread::Builder::new().name("hallpass-dev-rsa".to_owned()).spawn(search);
    rs256
});

impl Keys {
    pub(crate) fn generate() -> io::Result<Keys> {
        let es256 = SigningKey::es256().ok_or_else(|| io::Error::other("no P-256 key could be made"))?;
        Ok(Keys { es256: Arc::new(es256), rs256: RS256.clone() })
    }

    /// The JWK set (RFC 7517 §5), of the keys that are ready.
    pub(crate) fn jwks(&self) -> Value {
        let mut keys = vec![self.es256.jwk.clone()];
        keys.extend(self.rs256.borrow().as_ref().map(|key| key.jwk.clone()));
        json!({ "keys": keys })
    }

    /// The key for `alg`, when it is there. `None` if it could not be made.
    pub(crate) async fn signer(&self, alg: Alg) -> Option<Arc<SigningKey>> {
        match alg {
            Alg::Es256 => Some(self.es256.clone()),
            Alg::Rs256 => self.rs256.clone().wait_for(Option::is_some).await.ok()?.clone(),
        }
    }
}
