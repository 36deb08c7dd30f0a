//! The signing keys of the server, which are generated anew in every process.

use std::sync::{Arc, LazyLock};
use std::{io, thread};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::oauth::signing_key::{Alg, SigningKey};

/// One key for each algorithm. The ES256 key is generated at once, the RSA key in the background.
pub(crate) struct Keys {
    es256: Arc<SigningKey>,
    rs256: Pending,
}

/// A key that is still being generated.
type Pending = watch::Receiver<Option<Arc<SigningKey>>>;

/// The RSA key of all servers in this process. A test program starts hundreds of servers, and generating a key takes
/// up to a second of CPU time.
static RS256: LazyLock<Pending> = LazyLock::new(|| {
    let (sender, rs256) = watch::channel(None);
    let generate = move || sender.send_replace(SigningKey::rs256().map(Arc::new));
    // If the thread cannot be started, the sender is dropped, and waiting for the key returns an error.
    let _ = thread::Builder::new().name("hallpass-dev-rsa".to_owned()).spawn(generate);
    rs256
});

impl Keys {
    pub(crate) fn generate() -> io::Result<Keys> {
        let Some(es256) = SigningKey::es256() else {
            return Err(io::Error::other("could not generate a P-256 key"));
        };
        Ok(Keys { es256: Arc::new(es256), rs256: RS256.clone() })
    }

    /// Returns the JWK set (RFC 7517 §5) of the keys that are ready.
    pub(crate) fn jwks(&self) -> Value {
        let mut keys = vec![self.es256.jwk.clone()];
        keys.extend(self.rs256.borrow().as_ref().map(|key| key.jwk.clone()));
        json!({ "keys": keys })
    }

    /// Returns the key for `alg` as soon as it is ready, or `None` if it could not be generated.
    pub(crate) async fn signing_key(&self, alg: Alg) -> Option<Arc<SigningKey>> {
        match alg {
            Alg::Es256 => Some(self.es256.clone()),
            Alg::Rs256 => self.rs256.clone().wait_for(Option::is_some).await.ok()?.clone(),
        }
    }
}
