//! Settings of a server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Polling};
use crate::event::Event;
use crate::oauth::client::{Client, Clients};
use crate::oauth::signing_key::Alg;
use crate::server::{self, DevServer};
use crate::state::OnEvent;
use crate::user::User;

/// Settings of a [`DevServer`], all with defaults.
///
/// ```
/// use std::time::Duration;
/// use hallpass_dev::{Client, DevServer};
///
/// let server = DevServer::builder()
///     .user("ada.lovelace@example.com", "engine")
///     .client(Client::public("mytool").redirect_uri("http://127.0.0.1/callback"))
///     .token_ttl(Duration::from_secs(60))
///     .start()?;
/// # drop(server);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Builder {
    port: u16,
    users: Vec<User>,
    clients: Vec<Client>,
    token_ttl: Duration,
    signing_alg: Alg,
    profile_in_id_token: bool,
    refresh_reuse_grace: Duration,
    device_polling: Polling,
    on_event: Option<OnEvent>,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder {
            port: 0,
            users: Vec::new(),
            clients: Vec::new(),
            token_ttl: Duration::from_secs(3600),
            signing_alg: Alg::Es256,
            profile_in_id_token: true,
            refresh_reuse_grace: Duration::ZERO,
            device_polling: Polling { lifetime: Duration::from_secs(600), interval: Duration::from_secs(5) },
            on_event: None,
        }
    }

    /// The port of 127.0.0.1. Defaults to 0: a free one.
    pub fn port(mut self, port: u16) -> Builder {
        self.port = port;
        self
    }

    /// Adds an account; names are read from the address. Defaults to `test@example.com` with
    /// `password`, which is there only if no account is added.
    pub fn user(mut self, email: &str, password: &str) -> Builder {
        self.users.push(User::new(email, password));
        self
    }

    /// Adds a client beside `demo`, or replaces the one of that id.
    pub fn client(mut self, client: Client) -> Builder {
        self.clients.retain(|other| other.id != client.id);
        self.clients.push(client);
        self
    }

    /// How long access tokens live: `expires_in`, in whole seconds. Defaults to 1 h. ID tokens live
    /// as long, but at least 5 minutes.
    pub fn token_ttl(mut self, ttl: Duration) -> Builder {
        self.token_ttl = ttl;
        self
    }

    /// What ID tokens are signed with. Defaults to ES256. With RS256 the first token waits until the
    /// RSA key is found, a second or two after the start.
    pub fn signing_alg(mut self, alg: Alg) -> Builder {
        self.signing_alg = alg;
        self
    }

    /// Whether ID tokens hold the claims of `profile` and `email`. Defaults to true; with false a
    /// client has to ask `/userinfo` (OpenID Connect Core §5.4).
    pub fn profile_in_id_token(mut self, included: bool) -> Builder {
        self.profile_in_id_token = included;
        self
    }

    /// For how long after its first use a refresh token may be used again. Defaults to zero: the second use
    /// revokes all that came of the sign-in (RFC 9700 §4.14.2).
    pub fn refresh_reuse_grace(mut self, grace: Duration) -> Builder {
        self.refresh_reuse_grace = grace;
        self
    }

    /// How long a device waits for its user: the `expires_in` of a device code, in whole seconds. Defaults to 10
    /// minutes (RFC 8628 §3.2).
    pub fn device_code_ttl(mut self, ttl: Duration) -> Builder {
        self.device_polling.lifetime = ttl;
        self
    }

    /// How long a device has to wait between two polls: `interval`, in whole seconds. Defaults to 5 s. Each poll
    /// that comes sooner is answered by `slow_down`, and makes it 5 s longer for that device (RFC 8628 §3.5).
    pub fn device_interval(mut self, interval: Duration) -> Builder {
        self.device_polling.interval = interval;
        self
    }

    /// Called after each request, on the server's thread; for log lines.
    pub fn on_event(mut self, callback: Box<dyn Fn(&Event) + Send + Sync>) -> Builder {
        self.on_event = Some(callback);
        self
    }

    /// Starts the server. It listens when this returns.
    ///
    /// # Errors
    ///
    /// `AddrInUse` where the port is taken, `InvalidInput` where a client cannot be registered.
    pub fn start(self) -> io::Result<DevServer> {
        if let Some(fault) = self.clients.iter().find_map(Client::fault) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, fault));
        }
        let users = if self.users.is_empty() { default_users() } else { self.users };
        let config = Config {
            users: users.into_iter().map(Arc::new).collect(),
            clients: Clients::with_demo(self.clients),
            token_ttl: self.token_ttl,
            signing_alg: self.signing_alg,
            profile_in_id_token: self.profile_in_id_token,
            refresh_reuse_grace: self.refresh_reuse_grace,
            device_polling: self.device_polling,
        };
        server::start(self.port, config, self.on_event)
    }
}

fn default_users() -> Vec<User> {
    vec![User::new("test@example.com", "password")]
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("port", &self.port)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
