//! What a server was started with.

use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::devices::Polling;
use crate::keys::Alg;
use crate::user::User;

pub(crate) struct Config {
    pub(crate) users: Vec<Arc<User>>,
    pub(crate) clients: Vec<Arc<Client>>,
    pub(crate) token_ttl: Duration,
    pub(crate) signing_alg: Alg,
    pub(crate) profile_in_id_token: bool,
    pub(crate) refresh_reuse_grace: Duration,
    pub(crate) device_polling: Polling,
}

impl Config {
    pub(crate) fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.clients.iter().find(|client| client.id == id).cloned()
    }

    pub(crate) fn user(&self, email: &str, password: &str) -> Option<Arc<User>> {
        self.users.iter().find(|user| user.is(email, password)).cloned()
    }

    /// The account that pages and the robot offer.
    pub(crate) fn first_user(&self) -> &User {
        &self.users[0]
    }
}
