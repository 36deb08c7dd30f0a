//! The pass: five verbs, each of which calls one journey.

#[cfg(feature = "tokio")]
mod asynchronous;
mod builder;
#[cfg(feature = "tokio")]
pub(crate) mod shared_fetch;
pub(crate) mod token_source;

use std::sync::Arc;
use std::time::Duration;

use crate::browser::Explanation;
use crate::error::Result;
pub use crate::flow::refresh::TokenWish;
use crate::flow::{self, Context};
use crate::interrupt::Canceller;
use crate::secret::Secret;
use crate::session::diagnosis::Diagnosis;
use crate::session::{AccessToken, LogoutReport, Session, Status};
use crate::settings::name;
use crate::settings::{Config, Storage};
use crate::store::{Store, StoreKind, profiles_in};
use crate::ui::LoginUi;
use crate::user::User;
pub use builder::Builder;
pub use token_source::TokenSource;

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
    #[cfg(feature = "tokio")]
    pub(super) fetches: shared_fetch::SharedFetches,
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
        Builder::new(service).client(issuer, client_id)
    }

    /// A pass that works from the stored record alone, whatever server that is of. It can do everything but
    /// sign in.
    pub fn stored(service: &str) -> Builder {
        Builder::new(service)
    }

    /// Signs the user in through the browser, verifies what comes back, saves it, and only then tells the
    /// browser that it worked (RFC 8252, RFC 7636, RFC 9207, OpenID Connect Core §3.1).
    ///
    /// An older sign-in stays as it is until the new one is saved.
    ///
    /// # Errors
    /// Every variant but [`Error::LoginRequired`]; nothing is stored then.
    pub fn login(&self, ui: &mut dyn LoginUi) -> Result<Session> {
        let _operation = self.context.saving.begin();
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
        self.source(TokenWish::default())
    }

    /// The same by other rules than [`access_token`](Hallpass::access_token)'s.
    ///
    /// # Errors
    /// [`Error::Misuse`] where the wish cannot be one.
    pub fn token_source_with(&self, wish: TokenWish) -> Result<TokenSource> {
        wish.check()?;
        Ok(self.source(wish))
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
        Hallpass {
            context: Arc::new(self.context.cancellable()),
            #[cfg(feature = "tokio")]
            fetches: shared_fetch::SharedFetches::default(),
        }
    }

    fn source(&self, wish: TokenWish) -> TokenSource {
        TokenSource {
            context: self.context.clone(),
            #[cfg(feature = "tokio")]
            fetches: self.fetches.clone(),
            wish,
        }
    }
}

/// Whether a name can be a profile's: 1 to 64 of `a-z 0-9 . _ -`, starting with a letter or digit.
///
/// # Errors
/// [`Error::Misuse`] says what a name may be.
pub fn check_profile_name(profile: &str) -> Result<()> {
    Ok(name::check("profile", profile)?)
}
