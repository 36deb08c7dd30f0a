//! The settings of a running server.

use std::sync::Arc;
use std::time::Duration;

use crate::oauth::client::Clients;
use crate::oauth::signing_key::Alg;
use crate::user::User;

pub(crate) struct Config {
    pub(crate) users: Vec<Arc<User>>,
    pub(crate) clients: Clients,
    pub(crate) token_ttl: Duration,
    pub(crate) signing_alg: Alg,
    pub(crate) profile_in_id_token: bool,
    pub(crate) refresh_reuse_grace: Duration,
    pub(crate) device_polling: Polling,
}

/// The time limits of a device code (RFC 8628 §3.2).
#[derive(Clone, Copy)]
pub(crate) struct Polling {
    /// How long the device may poll.
    pub(crate) lifetime: Duration,
    /// How long it has to wait between two polls.
    pub(crate) interval: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            users: Vec::new(),
            clients: Clients::default(),
            token_ttl: Duration::from_secs(3600),
            signing_alg: Alg::Es256,
            profile_in_id_token: true,
            refresh_reuse_grace: Duration::ZERO,
            device_polling: Polling { lifetime: Duration::from_secs(600), interval: Duration::from_secs(5) },
        }
    }
}

impl Config {
    /// Returns the user with these credentials.
    pub(crate) fn user(&self, email: &str, password: &str) -> Option<Arc<User>> {
        self.users.iter().find(|user| user.has_credentials(email, password)).cloned()
    }

    /// Returns the account that the pages show and the robot signs in with.
    pub(crate) fn first_user(&self) -> &User {
        &self.users[0]
    }
}
