//! The library's entry point. Each call on [`Hallpass`] starts one flow of [`crate::flow`].

#[cfg(feature = "tokio")]
mod asynchronous;
mod builder;
#[cfg(feature = "tokio")]
mod shared_refresh;
mod token_source;

use std::sync::Arc;
use std::time::Duration;

use crate::browser::Explanation;
use crate::error::Result;
use crate::flow::{self, Context};
use crate::interrupt::Canceller;
use crate::secret::Secret;
use crate::session::diagnosis::Diagnosis;
use crate::session::{AccessToken, LogoutReport, Session, Status};
use crate::settings::name;
use crate::settings::{Config, Storage};
use crate::store::StoreKind;
use crate::ui::LoginUi;
use crate::user::User;

pub use crate::flow::refresh::TokenRequest;
pub use builder::Builder;
pub use token_source::TokenSource;

/// The session of one profile of a program: signing in, tokens, the user, and signing out. Cheap to clone, and meant to
/// be shared between threads.
///
/// A program has one session per *profile*; most programs need only the default one. Every call reads the stored
/// session anew, so it sees what other processes did in the meantime.
///
/// ```
/// use hallpass::{Hallpass, Terminal};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = hallpass_dev::DevServer::start()?;
/// # let (issuer, robot) = (server.issuer(), server.robot());
/// let pass = Hallpass::builder("mytool", issuer, "demo") // the name is that of the directory for its sessions
/// #     .browser(robot.opener()).storage(hallpass::Storage::Memory)
///     .build()?;
/// # let mut terminal = Terminal::new(Box::new(std::io::sink()), false);
/// # #[cfg(any())]
/// let mut terminal = Terminal::stderr();
/// let session = pass.login(&mut terminal)?; // opens the browser, verifies the response, saves the session
/// let token = pass.access_token()?; // the stored token, or a refreshed one
/// let user = pass.whoami()?;
/// let report = pass.logout()?; // revokes the tokens at the server and deletes them here
/// # assert_eq!(session.user().unwrap().label(), "test@example.com");
/// # assert!(!token.expose().is_empty() && user.email.is_some() && report.erased);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hallpass {
    context: Arc<Context>,
    #[cfg(feature = "tokio")]
    refreshes: shared_refresh::SharedRefreshes,
}

impl std::fmt::Debug for Hallpass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Config { service, profile, .. } = &self.context.config;
        write!(f, "Hallpass({service}/{profile})")
    }
}

impl Hallpass {
    /// Starts the settings of a pass for the program `service`: 1 to 64 of `a-z 0-9 . _ -`, the name of the directory
    /// for its sessions. `client_id` is the program's client, registered at the server `issuer`.
    ///
    /// [`Builder::build`] checks all three.
    pub fn builder(service: &str, issuer: &str, client_id: &str) -> Builder {
        Builder::new(service).client(issuer, client_id)
    }

    /// Starts the settings of a pass that uses a stored session, whichever server it is of. Such a pass can do
    /// everything but sign in.
    pub fn stored(service: &str) -> Builder {
        Builder::new(service)
    }

    /// Signs the user in: opens the browser, verifies the response, saves the session, and only then tells the browser
    /// that it worked (RFC 6749 §4.1, RFC 7636, RFC 8252, RFC 9207, OpenID Connect Core §3.1).
    ///
    /// An earlier session stays as it is until the new one is saved. If another process is signing in to the same
    /// profile, waits for it and returns its session.
    ///
    /// # Errors
    /// Any but [`Error::LoginRequired`](crate::Error::LoginRequired). Nothing is stored then.
    pub fn login(&self, ui: &mut dyn LoginUi) -> Result<Session> {
        let _operation = self.context.saving.begin();
        flow::login::login(&self.context, ui)
    }

    /// Returns a valid access token: the stored one, or a refreshed one if it expires within 30 seconds (or half of its
    /// lifetime, if that is less). The refresh happens once for all processes and threads.
    ///
    /// If the refresh fails for a temporary reason and the stored token is still valid, returns that one, with a
    /// [note](AccessToken::notes).
    ///
    /// # Errors
    /// [`Error::LoginRequired`](crate::Error::LoginRequired) if there is no session or the server ended it. The session
    /// is kept with any other error: [`Error::Network`](crate::Error::Network) if the server can't be reached,
    /// [`Error::Store`](crate::Error::Store) if the session can't be read or saved.
    pub fn access_token(&self) -> Result<AccessToken> {
        self.access_token_for(&TokenRequest::default())
    }

    /// Returns an access token that meets a [`TokenRequest`]: one that stays valid for longer, that was just refreshed,
    /// or that is for another API.
    ///
    /// # Errors
    /// As [`access_token`](Hallpass::access_token). A failed refresh is an error here, even if the stored token is
    /// still valid, unless the request sets nothing but a resource. [`Error::Misuse`](crate::Error::Misuse) if the
    /// resource is not an absolute URI.
    pub fn access_token_for(&self, request: &TokenRequest) -> Result<AccessToken> {
        request.check()?;
        flow::refresh::access_token(&self.context, request)
    }

    /// Returns an access token that was refreshed after this call started, by this process or by another.
    ///
    /// A program that got a 401 should call [`TokenSource::refresh`] instead, which doesn't refresh again if another
    /// thread has just done so.
    ///
    /// # Errors
    /// As [`access_token_for`](Hallpass::access_token_for).
    pub fn force_refresh(&self) -> Result<AccessToken> {
        self.access_token_for(&TokenRequest::default().refreshed())
    }

    /// Returns a source of tokens for a program that runs for long or calls an API from many threads.
    pub fn token_source(&self) -> TokenSource {
        TokenSource {
            context: self.context.clone(),
            #[cfg(feature = "tokio")]
            refreshes: self.refreshes.clone(),
            request: TokenRequest::default(),
        }
    }

    /// Returns a source of tokens that meet a [`TokenRequest`].
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) if the resource is not an absolute URI.
    pub fn token_source_for(&self, request: TokenRequest) -> Result<TokenSource> {
        request.check()?;
        Ok(TokenSource { request, ..self.token_source() })
    }

    /// Returns the ID token as the server signed it (OpenID Connect Core §2), refreshed once if it has expired.
    ///
    /// # Errors
    /// As [`access_token`](Hallpass::access_token); [`Error::ServerIncompatible`](crate::Error::ServerIncompatible) if
    /// there is none, or none that is valid after the refresh.
    pub fn id_token(&self) -> Result<Secret> {
        flow::refresh::id_token(&self.context)
    }

    /// Returns the signed-in user, as stored. Asks the server only if the session has no user yet. See
    /// [`status`](Hallpass::status) for a call that never does.
    ///
    /// # Errors
    /// [`Error::LoginRequired`](crate::Error::LoginRequired) if there is no session. If the server is asked, also the
    /// errors of [`fetch_user`](Hallpass::fetch_user).
    pub fn whoami(&self) -> Result<User> {
        let record = self.context.stored()?;
        match record.user {
            Some(user) => Ok(User { claims: record.claims, ..user }),
            None => self.fetch_user(),
        }
    }

    /// Asks the userinfo endpoint for the signed-in user (OpenID Connect Core §5.3), and saves the response.
    ///
    /// # Errors
    /// As [`access_token`](Hallpass::access_token); [`Error::ServerMisbehaved`](crate::Error::ServerMisbehaved) if the
    /// response is about another user.
    pub fn fetch_user(&self) -> Result<User> {
        flow::userinfo::fetch_user(&self.context)
    }

    /// Asks the userinfo endpoint for the user of an access token that is not from this session. The server is that of
    /// the stored session, or else the issuer of this pass. Saves nothing.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) with status 401 if the server rejects the token.
    pub fn fetch_user_with(&self, access_token: &Secret) -> Result<User> {
        flow::userinfo::user_behind(&self.context, access_token)
    }

    /// Signs the user out: revokes the tokens at the server (RFC 7009), in up to 5 seconds each, and deletes the
    /// session in any case, even one that cannot be read.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) if the session cannot be deleted. A failed revocation is not an error; it
    /// is in the report.
    pub fn logout(&self) -> Result<LogoutReport> {
        flow::logout::logout(&self.context)
    }

    /// Returns the state of the stored session. Sends nothing.
    pub fn status(&self) -> Status {
        flow::status::status(&self.context)
    }

    /// Returns the state of the session, as the server says. Refreshes the access token if it's about to expire.
    pub fn check(&self) -> Status {
        flow::status::check(&self.context)
    }

    /// Says what a [`login`](Hallpass::login) would do about the browser here, and why. Starts and sends nothing.
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

    /// Checks everything that a [`login`](Hallpass::login) needs: the directory for sessions, the keychain, the
    /// connection to the server, its metadata, and its clock. Requests the metadata and sends nothing else; stores a
    /// key in the keychain and removes it again. Waits up to 3 seconds for the keychain and 30 seconds for each
    /// request.
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

    /// Encrypts the stored session with a key from the keychain, or decrypts it for good. Returns where it's stored
    /// now. With [`Storage::Auto`], changes nothing.
    ///
    /// # Errors
    /// [`Error::LoginRequired`](crate::Error::LoginRequired) if there is no session;
    /// [`Error::Store`](crate::Error::Store) if it cannot be decrypted or the keychain cannot be used;
    /// [`Error::Misuse`](crate::Error::Misuse) for [`Storage::Memory`]. The session stays as it was then.
    pub fn move_to(&self, storage: Storage) -> Result<StoreKind> {
        flow::relocate::relocate(&self.context, storage)
    }

    /// Waits until nothing is left that would be lost if the process ended now. Call it before exiting while other
    /// threads or futures may be at work, for example on Ctrl-C.
    ///
    /// It [cancels](Canceller) this pass and its clones, then waits: until the tokens of a refresh that was sent are
    /// saved, a logout has deleted what it revoked, and a login has closed its port. Returns `false` if that takes
    /// longer than `limit`. A refresh takes 30 seconds at most, and usually less than one.
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

    /// The name of this pass's profile.
    pub fn profile(&self) -> &str {
        &self.context.config.profile
    }

    /// Lists this program's profiles that have a stored session, in alphabetical order.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) if the directory cannot be read.
    pub fn profiles(&self) -> Result<Vec<String>> {
        Ok(self.context.store.profiles()?)
    }

    /// Returns a canceller, with which another thread can end the waits of this pass and its clones.
    pub fn canceller(&self) -> Canceller {
        self.context.cancel.clone()
    }

    /// Returns a clone with a canceller of its own, for a call that can be cancelled by itself. Cancelling this pass
    /// cancels the clone too.
    pub fn cancellable(&self) -> Hallpass {
        Hallpass {
            context: Arc::new(self.context.cancellable()),
            #[cfg(feature = "tokio")]
            refreshes: shared_refresh::SharedRefreshes::default(),
        }
    }
}

/// Checks that a name can be a profile's: 1 to 64 of `a-z 0-9 . _ -`, starting with a letter or digit.
///
/// # Errors
/// [`Error::Misuse`](crate::Error::Misuse), which says what a name may contain.
pub fn check_profile_name(profile: &str) -> Result<()> {
    Ok(name::check("profile", profile)?)
}
