//! The pass: five verbs, each of which calls one journey.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Canceller;
use crate::config::{Config, DeviceGrant, Draft, Storage, check_resource};
use crate::diagnosis::Diagnosis;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::flow::{self, Context};
use crate::name;
use crate::pages::Pages;
use crate::provider::Provider;
use crate::saving::Saving;
use crate::secret::Secret;
use crate::session::{AccessToken, LogoutReport, Session, Status};
use crate::store::{
    FileStore, JournalFile, Keys, MemoryStore, Queue, SealableFile, Store, StoreKind, profiles_in,
};
use crate::surroundings::Explanation;
use crate::token_source::TokenSource;
use crate::ui::LoginUi;
use crate::user::User;
use crate::world::browser::{Browser, SystemBrowser};
use crate::world::clock::{Clock, SystemClock};
use crate::world::http::proxy::Proxies;
use crate::world::http::{Client, ClientSettings, Http};
use crate::world::keychain::{Keychain, SystemKeychain};

/// Sign-in for one profile of one program. Cheap to clone; share it between threads.
///
/// ```
/// use hallpass::{Hallpass, Terminal};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = hallpass_dev::DevServer::start()?;
/// # let (issuer, robot) = (server.issuer(), server.robot());
/// let pass = Hallpass::builder("mytool", issuer, "demo") // the name is the folder that keeps the sign-in
/// #     .browser(robot.opener()).storage(hallpass::Storage::Memory)
///     .build()?;
/// # let mut terminal = Terminal::new(Box::new(std::io::sink()), false);
/// # #[cfg(any())]
/// let mut terminal = Terminal::stderr();
/// let session = pass.login(&mut terminal)?; // opens the browser, comes back, verifies, saves
/// let token = pass.access_token()?; // the stored one, or a renewed one
/// let user = pass.whoami()?;
/// let report = pass.logout()?; // revoked at the server, erased here
/// # assert_eq!(session.user().unwrap().label(), "test@example.com");
/// # assert!(!token.expose().is_empty() && user.email.is_some() && report.erased);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hallpass {
    pub(crate) context: Arc<Context>,
}

impl std::fmt::Debug for Hallpass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Config { service, profile, .. } = &self.context.config;
        write!(f, "Hallpass({service}/{profile})")
    }
}

impl Hallpass {
    /// A pass for the program `service` with the client that was registered for it at `issuer`.
    ///
    /// Everything is judged by [`build`](Builder::build).
    pub fn builder(service: &str, issuer: &str, client_id: &str) -> Builder {
        let mut builder = Hallpass::stored(service);
        builder.draft.client = Some((issuer.to_owned(), client_id.to_owned()));
        builder
    }

    /// A pass that works from the stored record alone, whatever server that is of. It can do everything but
    /// sign in.
    pub fn stored(service: &str) -> Builder {
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

    /// Signs the user in through the browser, verifies what comes back, saves it, and only then tells the
    /// browser that it worked (RFC 8252, RFC 7636, RFC 9207, OpenID Connect Core §3.1).
    ///
    /// An older sign-in stays as it is until the new one is saved.
    ///
    /// # Errors
    /// Every variant but [`Error::LoginRequired`]; nothing is stored then.
    pub fn login(&self, ui: &mut dyn LoginUi) -> Result<Session> {
        let _under_way = self.context.saving.begin();
        flow::login::login(&self.context, ui)
    }

    /// A valid access token: the stored one while more than 30 seconds of its life are left (half of its
    /// life, if that is less), else a renewed one.
    ///
    /// If it cannot be renewed for a passing reason and still works, it is handed out with a
    /// [note](AccessToken::notes).
    ///
    /// # Errors
    /// [`Error::LoginRequired`] if there is no session or the server ended it; [`Error::Network`] and
    /// [`Error::Store`] keep it.
    pub fn access_token(&self) -> Result<AccessToken> {
        flow::refresh::access_token(&self.context, &flow::refresh::Ask::default())
    }

    /// An access token by other rules than [`access_token`](Hallpass::access_token)'s.
    ///
    /// # Errors
    /// As there; and [`Error::Network`] where a token that merely still works is not enough.
    pub fn access_token_with(&self, wish: &TokenWish) -> Result<AccessToken> {
        wish.check()?;
        flow::refresh::access_token(&self.context, &wish.ask())
    }

    /// Tokens for a program that runs for long, or calls from many threads.
    pub fn token_source(&self) -> TokenSource {
        TokenSource { context: self.context.clone(), wish: TokenWish::default() }
    }

    /// The same by other rules than [`access_token`](Hallpass::access_token)'s.
    ///
    /// # Errors
    /// [`Error::Misuse`] where the wish cannot be one.
    pub fn token_source_with(&self, wish: TokenWish) -> Result<TokenSource> {
        wish.check()?;
        Ok(TokenSource { context: self.context.clone(), wish })
    }

    /// A renewed access token, for when a server answered 401 to the stored one. If another process renewed
    /// it since this call began, its token is taken.
    ///
    /// # Errors
    /// As [`access_token`](Hallpass::access_token).
    pub fn force_refresh(&self) -> Result<AccessToken> {
        self.access_token_with(&TokenWish::default().renewed())
    }

    /// The ID token as the server signed it, renewed once if its own `exp` has passed.
    ///
    /// # Errors
    /// As [`access_token`](Hallpass::access_token); [`Error::ServerIncompatible`] where there is none.
    pub fn id_token(&self) -> Result<Secret> {
        flow::refresh::id_token(&self.context)
    }

    /// Who is signed in, from the record. Only if the server never told is it asked now; see
    /// [`status`](Hallpass::status) for what is known without asking.
    ///
    /// # Errors
    /// [`Error::LoginRequired`] if nobody is; where the server has to be asked, also those of
    /// [`fetch_user`](Hallpass::fetch_user).
    pub fn whoami(&self) -> Result<User> {
        let record = self.context.stored()?;
        match record.user {
            Some(user) => Ok(User { claims: record.claims, ..user }),
            None => self.fetch_user(),
        }
    }

    /// Who is signed in, asked at the userinfo endpoint (OpenID Connect Core §5.3) and saved.
    ///
    /// # Errors
    /// As [`access_token`](Hallpass::access_token), and [`Error::ServerMisbehaved`] where the answer is
    /// about another user.
    pub fn fetch_user(&self) -> Result<User> {
        flow::userinfo::fetch_user(&self.context)
    }

    /// Who a token from elsewhere speaks for, asked at the userinfo endpoint of the stored session's server,
    /// or of this pass's issuer. Nothing is saved.
    ///
    /// # Errors
    /// [`Error::Network`] with status 401 where the server does not take the token.
    pub fn user_behind(&self, access_token: &Secret) -> Result<User> {
        flow::userinfo::user_behind(&self.context, access_token)
    }

    /// Revokes the refresh token and the access token at the server (RFC 7009), each within 5 seconds, and
    /// erases the record in any case, also one that cannot be read.
    ///
    /// # Errors
    /// [`Error::Store`] if the record cannot be removed. What the server said is in the report.
    pub fn logout(&self) -> Result<LogoutReport> {
        flow::logout::logout(&self.context)
    }

    /// How the session stands, from the record; nothing is sent.
    pub fn status(&self) -> Status {
        flow::status::status(&self.context)
    }

    /// How the session stands, asked at the server.
    pub fn check(&self) -> Status {
        flow::status::check(&self.context)
    }

    /// What a [`login`](Hallpass::login) would do here about the browser, and why. Starts and sends nothing.
    ///
    /// ```
    /// # fn main() -> hallpass::Result<()> {
    /// let pass = hallpass::Hallpass::builder("mytool", "https://login.example.com", "mytool").build()?;
    /// println!("{}", pass.explain());
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain(&self) -> Explanation {
        self.context.explain()
    }

    /// Looks at everything that a [`login`](Hallpass::login) needs: the place of the record, the keychain, the way to
    /// the server, its metadata, its clock beside ours. Asks for the metadata and sends nothing else; a key is put into
    /// the keychain and removed again. Takes up to 3 s for the keychain and 30 s for each request, where they are silent.
    ///
    /// ```no_run
    /// # fn main() -> hallpass::Result<()> {
    /// let pass = hallpass::Hallpass::builder("mytool", "https://login.example.com", "mytool").build()?;
    /// for finding in pass.diagnose().findings {
    ///     println!("{} {finding}", finding.verdict.as_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn diagnose(&self) -> Diagnosis {
        flow::diagnose::diagnose(&self.context)
    }

    /// Moves the stored sign-in into the keychain or out of it, and leaves nothing of it behind; says where it is
    /// now. [`Storage::Auto`] leaves it where it is.
    ///
    /// # Errors
    /// [`Error::LoginRequired`] if there is none, [`Error::Store`] if it cannot be opened or the keychain cannot be
    /// used: it stays as it is then.
    pub fn move_to(&self, storage: Storage) -> Result<StoreKind> {
        flow::relocate::relocate(&self.context, storage)
    }

    /// Finishes what must not be cut off, for a process that is to end while other threads or futures are at work: on
    /// Ctrl-C, say.
    ///
    /// It [cancels](Canceller) this pass and its clones, then waits until what is under way is done: the new token of
    /// a refresh token that was sent is saved, a logout has erased what it revoked, a login has freed its port.
    /// Returns whether that is so; `false` after `limit`. A refresh takes 30 seconds at most, and mostly one.
    ///
    /// ```
    /// # fn main() -> hallpass::Result<()> {
    /// # let pass = hallpass::Hallpass::builder("mytool", "https://login.example.com", "mytool").build()?;
    /// // at the end of `main`, or in the program's own handler of Ctrl-C
    /// pass.finish_saving(std::time::Duration::from_secs(30));
    /// # Ok(())
    /// # }
    /// ```
    pub fn finish_saving(&self, limit: Duration) -> bool {
        self.context.cancel.cancel();
        self.context.saving.finish(limit)
    }

    /// The profile of this pass.
    pub fn profile(&self) -> &str {
        &self.context.config.profile
    }

    /// Every profile of this program that has a record, in alphabetical order.
    ///
    /// # Errors
    /// [`Error::Store`] if the folder cannot be read.
    pub fn profiles(&self) -> Result<Vec<String>> {
        Ok(match &*self.context.store {
            Store::File(store) => profiles_in(store.file.dir())?,
            Store::Memory(_) => self.context.store.read()?.map(|record| record.profile).into_iter().collect(),
        })
    }

    /// Ends the waits of this pass and of its clones from another thread.
    pub fn canceller(&self) -> Canceller {
        self.context.cancel.clone()
    }

    /// The same pass with a canceller of its own, for a call that can be cancelled by itself. What cancels this pass
    /// cancels that one too.
    pub fn cancellable(&self) -> Hallpass {
        Hallpass { context: Arc::new(self.context.cancellable()) }
    }
}

/// What an access token must be.
///
/// ```
/// use std::time::Duration;
/// let wish = hallpass::TokenWish::default().min_ttl(Duration::from_secs(300));
/// # let _ = wish;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenWish {
    min_ttl: Option<Duration>,
    force: bool,
    resource: Option<String>,
}

impl TokenWish {
    /// It must live at least this much longer. Defaults to what still works.
    pub fn min_ttl(mut self, min_ttl: Duration) -> TokenWish {
        self.min_ttl = Some(min_ttl);
        self
    }

    /// It must be issued after the call begins.
    pub fn renewed(mut self) -> TokenWish {
        self.force = true;
        self
    }

    /// It must be for this API (RFC 8707). Defaults to the one of the login.
    pub fn resource(mut self, resource: &str) -> TokenWish {
        self.resource = Some(resource.to_owned());
        self
    }

    fn check(&self) -> Result<()> {
        self.resource.clone().map(check_resource).transpose().map(drop)
    }

    pub(crate) fn ask(&self) -> flow::refresh::Ask<'_> {
        let TokenWish { min_ttl, force, resource } = self;
        flow::refresh::Ask { min_ttl: *min_ttl, force: *force, rejected: None, resource: resource.as_deref() }
    }
}

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

    /// The surroundings. Defaults to [`Environment::of_process`].
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
        let environment = self.environment.unwrap_or_else(Environment::of_process);
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
            #[cfg(feature = "tokio")]
            flights: crate::flight::Flights::default(),
            environment,
            config,
        };
        Ok(Hallpass { context: Arc::new(context) })
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
        keys: Keys::new(&config.service, keychain),
    }))
}

/// Whether a name can be a profile's: 1 to 64 of `a-z 0-9 . _ -`, starting with a letter or digit.
///
/// # Errors
/// [`Error::Misuse`] says what a name may be.
pub fn check_profile_name(profile: &str) -> Result<()> {
    Ok(name::check("profile", profile)?)
}
