//! What a server was started with.

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

/// For how long a device may poll, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Polling {
    pub(crate) lifetime: Duration,
    pub(crate) interval: Duration,
}

impl Config {
    pub(crate) fn user(&self, email: &str, password: &str) -> Option<Arc<User>> {
        self.users.iter().find(|user| user.is(email, password)).cloned()
    }

    /// The account that pages and the robot offer.
    pub(crate) fn first_user(&self) -> &User {
        &self.users[0]
    }
}
