//! The settings with which a server is started.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use crate::config::Config;
use crate::event::{Event, OnEvent};
use crate::oauth::client::Client;
use crate::oauth::signing_key::Alg;
use crate::server::{self, DevServer};
use crate::user::User;

/// The settings of a [`DevServer`]. Each has a default.
///
/// ```
/// use std::time::Duration;
/// use hallpass_dev::{Client, DevServer};
///
/// let server = DevServer::builder()
///     .user("ada.lovelace@example.com", "engine")
///     .client(Client::public("mytool").redirect_uri("http://127.0.0.1/callback"))
///     .token_ttl(Duration::from_secs(60))
///     .on_event(Box::new(|event| eprintln!("{event}")))
///     .start()?;
/// # drop(server);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Builder {
    port: u16,
    config: Config,
    on_event: Option<OnEvent>,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder { port: 0, config: Config::default(), on_event: None }
    }

    /// Sets the port on 127.0.0.1. Defaults to 0, which picks a free port.
    pub fn port(mut self, port: u16) -> Builder {
        self.port = port;
        self
    }

    /// Adds a user account, whose names are derived from the email address. Defaults to `test@example.com` with the
    /// password `password`, which exists only if no account is added.
    pub fn user(mut self, email: &str, password: &str) -> Builder {
        self.config.users.push(Arc::new(User::new(email, password)));
        self
    }

    /// Adds a client, or replaces the one with the same ID. The client `demo` exists unless it is replaced.
    pub fn client(mut self, client: Client) -> Builder {
        self.config.clients.register(client);
        self
    }

    /// Sets the lifetime of access tokens, which is reported as `expires_in` in whole seconds. Defaults to 1 hour.
    ///
    /// ID tokens have the same lifetime, but at least 5 minutes.
    pub fn token_ttl(mut self, ttl: Duration) -> Builder {
        self.config.token_ttl = ttl;
        self
    }

    /// Sets the algorithm that signs ID tokens. Defaults to ES256.
    ///
    /// With RS256 the first token response waits until an RSA key has been generated, which takes a second or two
    /// after the first start in a process.
    pub fn signing_alg(mut self, alg: Alg) -> Builder {
        self.config.signing_alg = alg;
        self
    }

    /// Leaves the claims of `profile` and `email` out of ID tokens, so that clients have to request them from
    /// `/userinfo` (OpenID Connect Core §5.4). By default ID tokens have them too.
    pub fn profile_only_in_userinfo(mut self) -> Builder {
        self.config.profile_in_id_token = false;
        self
    }

    /// Sets how long a refresh token can be used again after its first use. Defaults to zero: any second use revokes
    /// all tokens of the sign-in (RFC 9700 §4.14.2).
    pub fn refresh_reuse_grace(mut self, grace: Duration) -> Builder {
        self.config.refresh_reuse_grace = grace;
        self
    }

    /// Sets the lifetime of device codes, which is reported as `expires_in` in whole seconds (RFC 8628 §3.2).
    /// Defaults to 10 minutes.
    pub fn device_code_ttl(mut self, ttl: Duration) -> Builder {
        self.config.device_polling.lifetime = ttl;
        self
    }

    /// Sets how long a device has to wait between two polls, which is reported as `interval` in whole seconds.
    /// Defaults to 5 seconds.
    ///
    /// A poll that comes sooner gets the error `slow_down` and makes the interval of its device 5 seconds longer (RFC
    /// 8628 §3.5).
    pub fn device_interval(mut self, interval: Duration) -> Builder {
        self.config.device_polling.interval = interval;
        self
    }

    /// Sets a function to call after each request, such as one that writes a log line. Defaults to none.
    ///
    /// It is called on the server's thread, so a slow function delays the next response.
    pub fn on_event(mut self, callback: Box<dyn Fn(&Event) + Send + Sync>) -> Builder {
        self.on_event = Some(callback);
        self
    }

    /// Starts the server, which accepts connections as soon as this returns.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if the port is taken, `InvalidInput` if a client has an invalid ID or redirect URI, and another
    /// kind if the operating system provides no socket, thread or random bytes.
    pub fn start(mut self) -> io::Result<DevServer> {
        let validated = self.config.clients.validate();
        validated.map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        if self.config.users.is_empty() {
            self = self.user("test@example.com", "password");
        }
        self.config.clients.register_demo();
        server::start(self.port, self.config, self.on_event)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("port", &self.port)
            .field("clients", &self.config.clients)
            .finish_non_exhaustive()
    }
}
