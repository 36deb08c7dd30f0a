//! The settings of a [`Hallpass`], and the parts of the outside world that a program may replace.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::browser::{Browser, SystemBrowser};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::flow::Context;
use crate::interrupt::Canceller;
use crate::interrupt::saving::Saving;
use crate::loopback::Pages;
use crate::secret::Secret;
use crate::settings::Provider;
use crate::settings::{Config, DeviceGrant, Draft, Storage};
use crate::store::{FileStore, MemoryStore, Store};
use crate::world::clock::{Clock, SystemClock};
use crate::world::http::proxy::Proxies;
use crate::world::http::{Client, ClientSettings, Http};
use crate::world::keychain::{Keychain, SystemKeychain};

use super::Hallpass;

/// The settings of a [`Hallpass`]. Every one has a default; [`build`](Builder::build) checks them all. Nothing is read,
/// opened or sent before a call on the [`Hallpass`].
///
/// ```
/// use std::time::Duration;
///
/// use hallpass::{Hallpass, Storage};
///
/// # fn main() -> hallpass::Result<()> {
/// let pass = Hallpass::builder("mytool", "https://login.example.com", "mytool")
///     .scopes(["openid", "email", "offline_access", "files.read"])
///     .resource("https://api.example.com")
///     .redirect_uris(["http://localhost:8400/callback", "http://localhost:8401/callback"])
///     .storage(Storage::Keychain)
///     .login_timeout(Duration::from_secs(120))
///     .user_agent("mytool/1.0")
///     .build()?;
/// # let _ = pass;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Builder {
    draft: Draft,
    user_agent: String,
    ca_cert: Option<PathBuf>,
    environment: Option<Environment>,
    http: Option<Arc<dyn Http>>,
    browser: Option<Arc<dyn Browser>>,
    keychain: Option<Arc<dyn Keychain>>,
    clock: Option<Arc<dyn Clock>>,
    pages: Option<Pages>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("settings", &self.draft).finish_non_exhaustive()
    }
}

impl Builder {
    pub(super) fn new(service: &str) -> Builder {
        Builder {
            draft: Draft::new(service),
            user_agent: format!("hallpass/{}", env!("CARGO_PKG_VERSION")),
            ca_cert: None,
            environment: None,
            http: None,
            browser: None,
            keychain: None,
            clock: None,
            pages: None,
        }
    }

    pub(super) fn client(mut self, issuer: &str, client_id: &str) -> Builder {
        self.draft.client = Some((issuer.to_owned(), client_id.to_owned()));
        self
    }

    /// Sets a preset for a well-known server. Other settings of this builder override it. Defaults to none.
    pub fn provider(mut self, provider: Provider) -> Builder {
        self.draft.provider = Some(provider);
        self
    }

    /// Sets the profile, the name of one of several sessions: 1 to 64 of `a-z 0-9 . _ -`. Defaults to `default`.
    pub fn profile(mut self, profile: &str) -> Builder {
        profile.clone_into(&mut self.draft.profile);
        self
    }

    /// Sets the requested scopes (RFC 6749 §3.3). Defaults to `openid profile email offline_access`, without those that
    /// the server's metadata doesn't list. Scopes set here are always requested.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Builder {
        self.draft.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the loopback redirect URIs, exactly as they are registered. The first whose port is free is used. Defaults
    /// to `http://127.0.0.1/callback` on any free port (RFC 8252 §7.3), or `http://[::1]/callback` on a machine without
    /// IPv4.
    pub fn redirect_uris<S: Into<String>>(mut self, uris: impl IntoIterator<Item = S>) -> Builder {
        self.draft.redirect_uris = uris.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the address to listen on, if the redirect URI reaches it only indirectly: through a published port of a
    /// container or a forwarded port. Requires exactly one redirect URI. Defaults to the redirect URI's own address.
    ///
    /// While a login waits, an address other than loopback is reachable from other machines.
    pub fn listen(mut self, address: SocketAddr) -> Builder {
        self.draft.listen = Some(address);
        self
    }

    /// Sets the API that the access token is for, the `resource` of RFC 8707: an absolute URI without a fragment.
    /// Defaults to none. See [`TokenRequest::resource`](crate::TokenRequest::resource) for further APIs.
    pub fn resource(mut self, resource: &str) -> Builder {
        self.draft.resource = Some(resource.to_owned());
        self
    }

    /// Sets `prompt` of the authorization request (OpenID Connect Core §3.1.2.1), for example `login`. Defaults to
    /// none, or to `consent` if the server issues refresh tokens only then.
    pub fn prompt(mut self, prompt: &str) -> Builder {
        self.draft.prompt = Some(prompt.to_owned());
        self
    }

    /// Adds a parameter to the authorization request, for example `audience`. Those that Hallpass sets itself are
    /// rejected.
    pub fn param(mut self, name: &str, value: &str) -> Builder {
        self.draft.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the URL of an endpoint: `authorization`, `token`, `userinfo`, `jwks`, `revocation` or
    /// `device_authorization`. Defaults to the server's metadata (RFC 8414), which is not requested if the first two
    /// are set.
    pub fn endpoint(mut self, name: &str, url: &str) -> Builder {
        self.draft.endpoints.push((name.to_owned(), url.to_owned()));
        self
    }

    /// Sets the client secret, if the server requires one. It is not secret, because every copy of the program contains
    /// it (RFC 8252 §8.5). Defaults to none.
    pub fn client_secret(mut self, secret: Secret) -> Builder {
        self.draft.client_secret = Some(secret);
        self
    }

    /// Sets where credentials are stored. Defaults to [`Storage::Auto`].
    pub fn storage(mut self, storage: Storage) -> Builder {
        self.draft.storage = storage;
        self
    }

    /// Sets the use of the device authorization grant (RFC 8628). Defaults to [`DeviceGrant::Offered`].
    pub fn device_grant(mut self, device_grant: DeviceGrant) -> Builder {
        self.draft.device_grant = device_grant;
        self
    }

    /// Requires that this account signs in, given by `sub`, email address or user name. The server gets it as
    /// `login_hint` (OpenID Connect Core §3.1.2.1). If another account signs in, the login fails and nothing is stored.
    /// Defaults to any account.
    pub fn account(mut self, account: &str) -> Builder {
        self.draft.account = Some(account.to_owned());
        self
    }

    /// Lets a login start even while another process signs in to the same profile. By default, it waits for that
    /// process and uses its session.
    pub fn allow_concurrent_login(mut self) -> Builder {
        self.draft.takes_turns = false;
        self
    }

    /// Sets the directory that has a subdirectory for each program. Defaults to
    /// [`Environment::state_dir`](crate::Environment::state_dir).
    pub fn state_dir(mut self, dir: impl Into<PathBuf>) -> Builder {
        self.draft.state_dir = Some(dir.into());
        self
    }

    /// Sets the time limit of a login, in which the user has to sign in. Defaults to 5 minutes.
    pub fn login_timeout(mut self, limit: Duration) -> Builder {
        self.draft.login_timeout = limit;
        self
    }

    /// Sets the time limit of each request, including the connection. Defaults to 30 seconds.
    pub fn request_timeout(mut self, limit: Duration) -> Builder {
        self.draft.request_timeout = limit;
        self
    }

    /// Sets the `User-Agent` of requests. Defaults to `hallpass/VERSION`.
    pub fn user_agent(mut self, user_agent: &str) -> Builder {
        user_agent.clone_into(&mut self.user_agent);
        self
    }

    /// Sets a PEM file of CA certificates to trust in addition to the system's. Defaults to none.
    pub fn ca_cert(mut self, file: impl Into<PathBuf>) -> Builder {
        self.ca_cert = Some(file.into());
        self
    }

    /// Sets the environment variables. Defaults to [`Environment::from_process`].
    pub fn environment(mut self, environment: Environment) -> Builder {
        self.environment = Some(environment);
        self
    }

    /// Sets the HTTP client. Defaults to [`Client`]. Another client ignores [`user_agent`](Builder::user_agent),
    /// [`ca_cert`](Builder::ca_cert) and the proxy variables of the environment.
    pub fn http(mut self, http: impl Http) -> Builder {
        self.http = Some(Arc::new(http));
        self
    }

    /// Sets how a URL is opened. Defaults to [`SystemBrowser`].
    pub fn browser(mut self, browser: impl Browser) -> Builder {
        self.browser = Some(Arc::new(browser));
        self
    }

    /// Sets the keychain, which holds the key that encrypts the session. Defaults to [`SystemKeychain`].
    pub fn keychain(mut self, keychain: impl Keychain) -> Builder {
        self.keychain = Some(Arc::new(keychain));
        self
    }

    /// Sets the clock that decides whether a token has expired. Defaults to the system's.
    pub fn clock(mut self, clock: impl Clock) -> Builder {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the pages that the browser shows at the end. Defaults to [`Pages::new`] with the name of the program.
    pub fn pages(mut self, pages: Pages) -> Builder {
        self.pages = Some(pages);
        self
    }

    /// Checks the settings and creates the [`Hallpass`].
    ///
    /// # Errors
    /// [`Error::Misuse`] names the first setting that can't work. [`Error::Store`] if the directory for sessions can't
    /// be determined.
    pub fn build(self) -> Result<Hallpass> {
        let state_dir = self.draft.state_dir.clone();
        let environment = self.environment.unwrap_or_else(Environment::from_process);
        let config = self.draft.check()?;
        let pages = self.pages.unwrap_or_else(|| Pages::new(&config.service));
        let keychain = self.keychain.unwrap_or_else(|| Arc::new(SystemKeychain::new(&environment)));
        let store = Arc::new(store(&config, state_dir, &environment, keychain)?);
        let settings = || ClientSettings {
            user_agent: self.user_agent,
            proxies: Proxies::from_lookup(|name| environment.text(name).map(str::to_owned)),
            extra_ca: self.ca_cert,
        };
        let context = Context {
            store,
            http: self.http.unwrap_or_else(|| Arc::new(Client::new(settings()))),
            browser: self.browser.unwrap_or_else(|| Arc::new(SystemBrowser::new(&environment))),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            pages: Arc::new(pages),
            cancel: Canceller::default(),
            saving: Saving::default(),
            environment,
            config,
        };
        Ok(Hallpass {
            context: Arc::new(context),
            #[cfg(feature = "tokio")]
            refreshes: super::shared_refresh::SharedRefreshes::default(),
        })
    }
}

fn store(
    config: &Config,
    state_dir: Option<PathBuf>,
    environment: &Environment,
    keychain: Arc<dyn Keychain>,
) -> Result<Store, Error> {
    if config.storage == Storage::Memory {
        return Ok(Store::Memory(MemoryStore::default()));
    }
    let root = match state_dir {
        Some(dir) => dir,
        None => environment.state_dir()?,
    };
    let dir = root.join(&config.service);
    Ok(Store::File(FileStore::new(dir, &config.service, &config.profile, keychain)))
}
