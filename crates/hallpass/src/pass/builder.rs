//! Builds a [`Hallpass`] from settings and, where a program brings them, parts of the outside world.

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
use crate::store::{FileStore, JournalFile, MemoryStore, Queue, RecordKeys, SealableFile, Store};
use crate::world::clock::{Clock, SystemClock};
use crate::world::http::proxy::Proxies;
use crate::world::http::{Client, ClientSettings, Http};
use crate::world::keychain::{Keychain, SystemKeychain};

use super::Hallpass;

/// Settings of a [`Hallpass`]. Nothing is read or sent before a verb is called.
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

    /// A server whose peculiarities are known. What is set here otherwise rules over it.
    pub fn provider(mut self, provider: Provider) -> Builder {
        self.draft.provider = Some(provider);
        self
    }

    /// Which of several sign-ins this is: 1 to 64 of `a-z 0-9 . _ -`. Defaults to `default`.
    pub fn profile(mut self, profile: &str) -> Builder {
        profile.clone_into(&mut self.draft.profile);
        self
    }

    /// What to ask for. Defaults to `openid profile email offline_access`, less what the server's metadata
    /// says it lacks; scopes given here are never dropped.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Builder {
        self.draft.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Where the browser may come back to, exactly as registered, tried in order. Defaults to
    /// `http://127.0.0.1/callback` on any free port (RFC 8252 §7.3), and to `http://[::1]/callback` on a computer that
    /// has no IPv4.
    pub fn redirect_uris<S: Into<String>>(mut self, uris: impl IntoIterator<Item = S>) -> Builder {
        self.draft.redirect_uris = uris.into_iter().map(Into::into).collect();
        self
    }

    /// Where to listen, if the one redirect URI leads elsewhere first: a container's published port, a forwarded one.
    /// An address that is not loopback can be reached by other computers while the login waits. Defaults to where
    /// the redirect URI leads.
    pub fn listen(mut self, address: SocketAddr) -> Builder {
        self.draft.listen = Some(address);
        self
    }

    /// The API that the token is for (RFC 8707). Defaults to none.
    pub fn resource(mut self, resource: &str) -> Builder {
        self.draft.resource = Some(resource.to_owned());
        self
    }

    /// `prompt` of the authorization request (OpenID Connect Core §3.1.2.1), for example `login`. Defaults to
    /// none, or to `consent` where only that brings a refresh token.
    pub fn prompt(mut self, prompt: &str) -> Builder {
        self.draft.prompt = Some(prompt.to_owned());
        self
    }

    /// One more parameter of the authorization request, for example `audience`.
    pub fn param(mut self, name: &str, value: &str) -> Builder {
        self.draft.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An endpoint by its short name (`authorization`, `token`, `userinfo`, `jwks`, `revocation`,
    /// `device_authorization`). It rules over the metadata; with the first two no metadata is asked for.
    pub fn endpoint(mut self, name: &str, url: &str) -> Builder {
        self.draft.endpoints.push((name.to_owned(), url.to_owned()));
        self
    }

    /// The secret of a client that has one. It ships in your program and so is none; it only satisfies the
    /// server (RFC 8252 §8.5).
    pub fn client_secret(mut self, secret: Secret) -> Builder {
        self.draft.client_secret = Some(secret);
        self
    }

    /// What keeps the record. Defaults to [`Storage::Auto`].
    pub fn storage(mut self, storage: Storage) -> Builder {
        self.draft.storage = storage;
        self
    }

    /// Whether a code may be shown that is used on another device. Defaults to [`DeviceGrant::Offered`].
    pub fn device_grant(mut self, device_grant: DeviceGrant) -> Builder {
        self.draft.device_grant = device_grant;
        self
    }

    /// Who has to sign in, by `sub`, email address or user name. The server is told (`login_hint`), and if somebody
    /// else signs in nothing is kept. Defaults to anybody.
    pub fn account(mut self, account: &str) -> Builder {
        self.draft.account = Some(account.to_owned());
        self
    }

    /// A login of this pass opens a sign-in of its own even while another process waits for one of the same profile.
    /// Otherwise it waits for that one and takes over what it brings.
    pub fn without_waiting_for_others(mut self) -> Builder {
        self.draft.takes_turns = false;
        self
    }

    /// The folder that holds a folder for each program. Defaults to
    /// [`Environment::state_dir`](crate::Environment::state_dir).
    pub fn state_dir(mut self, dir: impl Into<PathBuf>) -> Builder {
        self.draft.state_dir = Some(dir.into());
        self
    }

    /// How long a login waits for the user in all. Defaults to 5 minutes.
    pub fn login_timeout(mut self, limit: Duration) -> Builder {
        self.draft.login_timeout = limit;
        self
    }

    /// Limit of each request, connecting included. Defaults to 30 seconds.
    pub fn request_timeout(mut self, limit: Duration) -> Builder {
        self.draft.request_timeout = limit;
        self
    }

    /// What requests call themselves. Defaults to `hallpass/VERSION`.
    pub fn user_agent(mut self, user_agent: &str) -> Builder {
        user_agent.clone_into(&mut self.user_agent);
        self
    }

    /// A PEM file with authorities to trust beside the system's. Defaults to none.
    pub fn ca_cert(mut self, file: impl Into<PathBuf>) -> Builder {
        self.ca_cert = Some(file.into());
        self
    }

    /// The surroundings. Defaults to [`Environment::from_process`].
    pub fn environment(mut self, environment: Environment) -> Builder {
        self.environment = Some(environment);
        self
    }

    /// How requests are sent. Defaults to [`Client`]. The proxy, the user agent and `ca_cert` are then yours.
    pub fn http(mut self, http: impl Http) -> Builder {
        self.http = Some(Arc::new(http));
        self
    }

    /// How an address is shown to the user. Defaults to [`SystemBrowser`].
    pub fn browser(mut self, browser: impl Browser) -> Builder {
        self.browser = Some(Arc::new(browser));
        self
    }

    /// What keeps the key that seals the record. Defaults to [`SystemKeychain`].
    pub fn keychain(mut self, keychain: impl Keychain) -> Builder {
        self.keychain = Some(Arc::new(keychain));
        self
    }

    /// The clock that tokens expire by. Defaults to the system's.
    pub fn clock(mut self, clock: impl Clock) -> Builder {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// What the browser shows at the end. Defaults to pages that name the program.
    pub fn pages(mut self, pages: Pages) -> Builder {
        self.pages = Some(pages);
        self
    }

    /// Judges every setting.
    ///
    /// # Errors
    /// [`Error::Misuse`] names the first setting that cannot work; [`Error::Store`] where there is no place
    /// to keep a record.
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
            fetches: super::shared_fetch::SharedFetches::default(),
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
    let root = state_dir.map_or_else(|| environment.state_dir(), Ok)?;
    let dir = root.join(&config.service);
    Ok(Store::File(SealableFile {
        queue: Queue::default(),
        journal: JournalFile::new(&dir, &config.profile),
        file: FileStore::new(dir, &config.profile),
        keys: RecordKeys::new(&config.service, keychain),
    }))
}
